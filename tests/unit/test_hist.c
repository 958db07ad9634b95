// SPDX-License-Identifier: GPL-2.0-only
/* The histogram: edges, quantiles, wrapping counters; and the kernel's half against ours. */
#include "unit.h"
#include "model/hist.h"

UNIT_TEST(edges_meet)
{
	assert_int_equal(hist_edge(0), 0);
	assert_int_equal(hist_edge(8), 1024);
	for (unsigned int i = 0; i + 1 < HIST_BUCKETS; i++) {
		assert_true(hist_edge(i) < hist_edge(i + 1));
		assert_int_equal(hist_bucket(hist_edge(i)), i);
		assert_int_equal(hist_bucket(hist_edge(i + 1) - 1), i);
	}
	assert_int_equal(hist_bucket(~0ULL), HIST_BUCKETS - 1);
	assert_true(hist_edge(HIST_BUCKETS - 1) > 30000000000ULL);
}

UNIT_TEST(middle_is_near)
{
	for (unsigned int i = 8; i + 1 < HIST_BUCKETS; i++) {
		double low = (double)hist_edge(i), high = (double)hist_edge(i + 1);

		assert_true((high - low) / 2 / low <= 0.0625);
	}
}

UNIT_TEST(quantiles)
{
	struct hist64 h = {};

	assert_int_equal(hist_quantile(&h, 0.5), 0);
	assert_true(hist_add(&h, 30, 1));
	assert_true(hist_add(&h, 10, 98));
	assert_true(hist_add(&h, 20, 1));
	assert_int_equal(hist_at(&h, 10), 98);
	assert_int_equal(hist_at(&h, 11), 0);
	assert_int_equal(hist_at(&h, 200), 0);
	assert_int_equal(hist_quantile(&h, 0.5), hist_edge(11));
	assert_int_equal(hist_quantile(&h, 0.98), hist_edge(11));
	assert_int_equal(hist_quantile(&h, 0.99), hist_edge(21));
	assert_int_equal(hist_quantile(&h, 1.0), hist_edge(31));
	assert_int_equal(hist_count(&h), 100);
	hist_release(&h);
}

UNIT_TEST(gains_survive_a_wrap)
{
	struct hist64 sum = {};
	struct hist src = {};
	u64 octaves[HIST_OCTAVES] = {};
	struct spread s;

	src.count[5] = 0xfffffff0;
	assert_true(hist_gain(&sum, &src, octaves, &s));
	assert_int_equal(s.calls, 0xfffffff0);
	src.count[5] += 0x20; /* wraps to 0x10 */
	assert_true(hist_gain(&sum, &src, octaves, &s));
	assert_int_equal(s.calls, 0x20);
	assert_int_equal(hist_at(&sum, 5), 0x100000010ULL);
	assert_int_equal(s.p50, hist_edge(6));
	assert_int_equal(octaves[0], 0x100000010ULL);
	assert_true(hist_gain(&sum, &src, octaves, &s));
	assert_int_equal(s.calls, 0);
	assert_int_equal(s.max, 0);
	hist_release(&sum);
}
