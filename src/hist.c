// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log-linear histograms: 128 ns a step up to 1 us, then 8 steps an octave. A
 * quantile is given as the upper edge of its bucket, so it never flatters.
 */
#include "hist.h"

#define SUB_BUCKETS (1U << HIST_SUB_BITS)

unsigned int hist_bucket(u64 ns)
{
	u64 units = ns >> HIST_UNIT_BITS;
	unsigned int octave;

	if (units < SUB_BUCKETS)
		return units;
	octave = 63 - __builtin_clzll(units) - HIST_SUB_BITS;
	if (octave >= HIST_BUCKETS / SUB_BUCKETS - 1)
		return HIST_BUCKETS - 1;
	return (octave + 1) * SUB_BUCKETS + ((units >> octave) & (SUB_BUCKETS - 1));
}

u64 hist_edge(unsigned int i)
{
	unsigned int octave = i / SUB_BUCKETS, sub = i % SUB_BUCKETS;

	if (!octave)
		return (u64)sub << HIST_UNIT_BITS;
	return (u64)(SUB_BUCKETS + sub) << (octave - 1 + HIST_UNIT_BITS);
}

static u64 total(const u64 *count)
{
	u64 n = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		n += count[i];
	return n;
}

/* The smallest bucket with at least the share q of the n calls at or below it. */
static unsigned int quantile_bucket(const u64 *count, u64 n, double q)
{
	u64 rank = (u64)(q * (double)n), seen = 0;

	if ((double)rank < q * (double)n)
		rank++;
	if (!rank)
		rank = 1;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += count[i];
		if (seen >= rank)
			return i;
	}
	return HIST_BUCKETS - 1;
}

struct spread hist_gain(struct hist64 *sum, const struct hist *src)
{
	struct hist64 gain;
	struct spread s = {};

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		u32 now = *(const volatile u32 *)&src->count[i];

		gain.count[i] = (u32)(now - (u32)sum->count[i]);
		sum->count[i] += gain.count[i];
		s.calls += gain.count[i];
	}
	if (s.calls) {
		s.p50 = hist_edge(quantile_bucket(gain.count, s.calls, 0.50) + 1);
		s.p99 = hist_edge(quantile_bucket(gain.count, s.calls, 0.99) + 1);
		s.max = hist_edge(quantile_bucket(gain.count, s.calls, 1.0) + 1);
	}
	return s;
}

u64 hist_quantile(const struct hist64 *h, double q)
{
	u64 n = total(h->count);

	return n ? hist_edge(quantile_bucket(h->count, n, q) + 1) : 0;
}

u64 hist_count(const struct hist64 *h)
{
	return total(h->count);
}
