// SPDX-License-Identifier: GPL-2.0-only
#include "model/class_sums.h"

const struct sum_row sum_rows[NR_SUMS] = {
	[SUM(calls)] = { "calls" },
	[SUM(failed)] = { "failed" },
	[SUM(waited)] = { "waited" },
	[SUM(wait_ns)] = { "wait_ns" },
	[SUM(wait_max_ns)] = { "wait_longest_ns", .maximum = true },
	[SUM(hold_ns)] = { "hold_ns" },
	[SUM(hold_max_ns)] = { "hold_longest_ns", .maximum = true },
	[SUM(secure_ns)] = { "secure_ns" },
	[SUM(limits)] = { "limits" },
	[SUM(limit_ns)] = { "limit_wait_ns" },
	[SUM(waited_late)] = { "waited_late" },
	[SUM(argument_waits)] = { "argument_waits" },
	[SUM(argument_ns)] = { "argument_ns" },
	[SUM(argument_max_ns)] = { "argument_longest_ns", .maximum = true },
	[SUM(releases)] = { "releases" },
	[SUM(release_ns)] = { "release_ns" },
};

void sums_add(struct class_sums *to, const struct class_sums *from)
{
	for (size_t i = 0; i < NR_SUMS; i++)
		if (!sum_rows[i].maximum)
			*sum_at(to, i) += sum_of(from, i);
	sums_raise(to, from);
}

void sums_raise(struct class_sums *to, const struct class_sums *from)
{
	for (size_t i = 0; i < NR_SUMS; i++) {
		u64 *sum = sum_at(to, i);

		if (sum_rows[i].maximum)
			*sum = max_of(*sum, sum_of(from, i));
	}
}

struct class_sums sums_since(const struct class_sums *now, const struct class_sums *then)
{
	struct class_sums gain = {};

	for (size_t i = 0; i < NR_SUMS; i++)
		if (!sum_rows[i].maximum)
			*sum_at(&gain, i) = sum_of(now, i) - sum_of(then, i);
	return gain;
}
