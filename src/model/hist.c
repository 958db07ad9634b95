// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log-linear histograms: 128 ns a step up to 1 us, then 8 steps an octave. A
 * quantile is given as the upper edge of its bucket, so it never flatters.
 */
#include <stdlib.h>
#include <string.h>
#include "model/hist.h"

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

/* Where the counts of an octave are, or would be. */
static u64 *octave_of(const struct hist64 *h, unsigned int octave)
{
	u32 before = h->octaves & ((1U << octave) - 1);

	return h->count + (size_t)__builtin_popcount(before) * SUB_BUCKETS;
}

static bool has(const struct hist64 *h, unsigned int octave)
{
	return h->octaves >> octave & 1;
}

/* The counts of an octave, which may be new; NULL: out of memory. */
static u64 *make_octave(struct hist64 *h, unsigned int octave)
{
	u32 n = (u32)__builtin_popcount(h->octaves);
	u64 *at;

	if (has(h, octave))
		return octave_of(h, octave);
	if (n == h->room) {
		u64 *count = realloc(h->count, (n + 1) * SUB_BUCKETS * sizeof(*count));

		if (!count)
			return NULL;
		h->count = count;
		h->room = n + 1;
	}
	at = octave_of(h, octave);
	memmove(at + SUB_BUCKETS, at, (size_t)(h->count + n * SUB_BUCKETS - at) * sizeof(*at));
	memset(at, 0, SUB_BUCKETS * sizeof(*at));
	h->octaves |= 1U << octave;
	return at;
}

u64 hist_at(const struct hist64 *h, unsigned int bucket)
{
	unsigned int octave = bucket / SUB_BUCKETS;

	return has(h, octave) ? octave_of(h, octave)[bucket % SUB_BUCKETS] : 0;
}

bool hist_add(struct hist64 *h, unsigned int bucket, u64 n)
{
	u64 *count = make_octave(h, bucket / SUB_BUCKETS);

	if (count)
		count[bucket % SUB_BUCKETS] += n;
	return count;
}

void hist_clear(struct hist64 *h)
{
	h->octaves = 0;
}

void hist_release(struct hist64 *h)
{
	free(h->count);
	*h = (struct hist64){};
}

bool hist_copy(struct hist64 *to, const struct hist64 *from)
{
	u32 n = hist_counts(from);

	if (to->room * SUB_BUCKETS < n) {
		u64 *count = realloc(to->count, n * sizeof(*count));

		if (!count)
			return false;
		to->count = count;
		to->room = n / SUB_BUCKETS;
	}
	to->octaves = from->octaves;
	if (n)
		memcpy(to->count, from->count, n * sizeof(*to->count));
	return true;
}

/* As a row has it: most octaves of it are empty. */
static bool is_empty(const struct hist *src, unsigned int octave)
{
	const u64 *pairs = (const u64 *)&src->count[octave * SUB_BUCKETS];

	return !(pairs[0] | pairs[1] | pairs[2] | pairs[3]);
}

/* What one octave gained; gain has its SUB_BUCKETS. Returns their sum. */
static u64 octave_gain(const struct hist64 *sum, const struct hist *src, unsigned int octave,
		       u32 *gain)
{
	const volatile u32 *now = &src->count[octave * SUB_BUCKETS];
	const u64 *then = has(sum, octave) ? octave_of(sum, octave) : NULL;
	u64 n = 0;

	for (unsigned int i = 0; i < SUB_BUCKETS; i++) {
		gain[i] = now[i] - (then ? (u32)then[i] : 0);
		n += gain[i];
	}
	return n;
}

/* Takes the gain of an octave into the sum. */
static bool take_gain(struct hist64 *sum, unsigned int octave, const u32 *gain)
{
	u64 *count = make_octave(sum, octave);

	for (unsigned int i = 0; count && i < SUB_BUCKETS; i++)
		count[i] += gain[i];
	return count;
}

/* The upper edge of the first bucket with rank calls at or below it. */
static u64 edge_of_rank(const struct hist64 *h, u64 rank)
{
	const u64 *count = h->count;
	u64 seen = 0;

	for (u32 octaves = h->octaves; octaves; octaves &= octaves - 1)
		for (unsigned int i = 0; i < SUB_BUCKETS; i++) {
			seen += *count++;
			if (seen >= rank)
				return hist_edge(
					(unsigned int)__builtin_ctz(octaves) * SUB_BUCKETS + i + 1);
		}
	return hist_edge(HIST_BUCKETS);
}

/* The smallest number of calls that are at least the share q of n. */
static u64 rank_of(u64 n, double q)
{
	u64 rank = (u64)(q * (double)n);

	if ((double)rank < q * (double)n)
		rank++;
	return rank ?: 1;
}

/* Of n calls in all. */
static struct spread spread_of(const struct hist64 *h, u64 n)
{
	if (!n)
		return (struct spread){};
	return (struct spread){
		.calls = n,
		.p50 = edge_of_rank(h, rank_of(n, 0.50)),
		.p99 = edge_of_rank(h, rank_of(n, 0.99)),
		.max = edge_of_rank(h, n),
	};
}

bool hist_gain(struct hist64 *sum, const struct hist *src, u64 *octaves, struct spread *gain)
{
	u64 counts[HIST_BUCKETS], *next = counts;
	struct hist64 gained = { .count = counts };
	u64 n;

	*gain = (struct spread){};
	for (unsigned int octave = 0; octave < HIST_OCTAVES; octave++) {
		u32 one[SUB_BUCKETS];

		if (!has(sum, octave) && is_empty(src, octave))
			continue;
		n = octave_gain(sum, src, octave, one);
		if (!n)
			continue;
		if (!take_gain(sum, octave, one))
			return false;
		for (unsigned int i = 0; i < SUB_BUCKETS; i++)
			*next++ = one[i];
		gained.octaves |= 1U << octave;
		gain->calls += n;
		if (octaves)
			octaves[octave] += n;
	}
	*gain = spread_of(&gained, gain->calls);
	return true;
}

struct spread hist_since(const struct hist64 *now, const struct hist64 *then)
{
	u64 counts[HIST_BUCKETS];
	struct hist64 gained = { .octaves = now->octaves, .count = counts };
	u64 n = 0;

	for (u32 i = 0; i < hist_counts(now); i++)
		counts[i] = now->count[i];
	for (u32 octaves = then ? then->octaves : 0; octaves; octaves &= octaves - 1) {
		unsigned int octave = (unsigned int)__builtin_ctz(octaves);
		const u64 *before = octave_of(then, octave);

		for (unsigned int i = 0; has(now, octave) && i < SUB_BUCKETS; i++)
			octave_of(&gained, octave)[i] -= before[i];
	}
	for (u32 i = 0; i < hist_counts(now); i++)
		n += counts[i];
	return spread_of(&gained, n);
}

u64 hist_quantile(const struct hist64 *h, double q)
{
	u64 n = hist_count(h);

	return n ? edge_of_rank(h, rank_of(n, q)) : 0;
}

u64 hist_count(const struct hist64 *h)
{
	u64 n = 0;

	for (u32 i = 0; i < hist_counts(h); i++)
		n += h->count[i];
	return n;
}
