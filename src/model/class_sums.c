// SPDX-License-Identifier: GPL-2.0-only
/* Member by member. */
#include "model/class_sums.h"

void sums_add(struct class_sums *to, const struct class_sums *from)
{
	to->calls += from->calls;
	to->failed += from->failed;
	to->waited += from->waited;
	to->waited_late += from->waited_late;
	to->wait_ns += from->wait_ns;
	to->hold_ns += from->hold_ns;
	to->secure_ns += from->secure_ns;
	to->limits += from->limits;
	to->limit_ns += from->limit_ns;
	to->wait_max_ns = max_of(to->wait_max_ns, from->wait_max_ns);
	to->hold_max_ns = max_of(to->hold_max_ns, from->hold_max_ns);
}

struct class_sums sums_since(const struct class_sums *now, const struct class_sums *then)
{
	return (struct class_sums){
		.calls = now->calls - then->calls,
		.failed = now->failed - then->failed,
		.waited = now->waited - then->waited,
		.waited_late = now->waited_late - then->waited_late,
		.wait_ns = now->wait_ns - then->wait_ns,
		.hold_ns = now->hold_ns - then->hold_ns,
		.secure_ns = now->secure_ns - then->secure_ns,
		.limits = now->limits - then->limits,
		.limit_ns = now->limit_ns - then->limit_ns,
	};
}
