// SPDX-License-Identifier: GPL-2.0-only
/* Row by row, in the order in which JSON has them; recordings have those of an older schema first. */
#include "model/class_sums.h"

#define SUM(member) offsetof(struct class_sums, member)

const struct sum_row sum_rows[NR_SUMS] = {
	{ "calls", SUM(calls), .since = 1 },
	{ "failed", SUM(failed), .since = 1 },
	{ "waited", SUM(waited), .since = 1 },
	{ "waited_late", SUM(waited_late), .since = 4 },
	{ "wait_ns", SUM(wait_ns), .since = 1 },
	{ "wait_longest_ns", SUM(wait_max_ns), .since = 1, .maximum = true },
	{ "hold_ns", SUM(hold_ns), .since = 1 },
	{ "hold_longest_ns", SUM(hold_max_ns), .since = 1, .maximum = true },
	{ "secure_ns", SUM(secure_ns), .since = 1 },
	{ "limits", SUM(limits), .since = 1 },
	{ "limit_wait_ns", SUM(limit_ns), .since = 1 },
};

void sums_add(struct class_sums *to, const struct class_sums *from)
{
	for (size_t i = 0; i < NR_SUMS; i++)
		if (!sum_rows[i].maximum)
			*sum_at(to, &sum_rows[i]) += sum_of(from, &sum_rows[i]);
	sums_raise(to, from);
}

void sums_raise(struct class_sums *to, const struct class_sums *from)
{
	for (size_t i = 0; i < NR_SUMS; i++) {
		u64 *sum = sum_at(to, &sum_rows[i]);

		if (sum_rows[i].maximum)
			*sum = max_of(*sum, sum_of(from, &sum_rows[i]));
	}
}

struct class_sums sums_since(const struct class_sums *now, const struct class_sums *then)
{
	struct class_sums gain = {};

	for (size_t i = 0; i < NR_SUMS; i++)
		if (!sum_rows[i].maximum)
			*sum_at(&gain, &sum_rows[i]) = sum_of(now, &sum_rows[i]) -
						       sum_of(then, &sum_rows[i]);
	return gain;
}
