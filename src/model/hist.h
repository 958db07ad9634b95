/* SPDX-License-Identifier: GPL-2.0-only */
/* The log-linear histogram of abi.h, as user space sees it. */
#ifndef OPTEE_TOP_HIST_H
#define OPTEE_TOP_HIST_H

#include "snapshot.h"

/* Where a value of ns is counted; the kernel's hist_add() computes the same. */
unsigned int hist_bucket(u64 ns);

/* First value of bucket i, in ns; i may be HIST_BUCKETS: the end of the last but one octave. */
u64 hist_edge(unsigned int i);

/* What is in one bucket. */
u64 hist_at(const struct hist64 *h, unsigned int bucket);

/* Adds to one bucket; false: out of memory. */
bool hist_add(struct hist64 *h, unsigned int bucket, u64 n);

/* Empty again; what it has of memory it keeps. */
void hist_clear(struct hist64 *h);
void hist_release(struct hist64 *h);

/* How many counts it has, of its octaves. */
static inline u32 hist_counts(const struct hist64 *h)
{
	return (u32)__builtin_popcount(h->octaves) << HIST_SUB_BITS;
}

/* to becomes as from is; false: out of memory. */
bool hist_copy(struct hist64 *to, const struct hist64 *from);

/*
 * Adds what the wrapping counters of src gained since they were last added to sum,
 * and to octaves, which has HIST_OCTAVES or is NULL; describes the gain. False: out of
 * memory; what found no room is gained the next time.
 */
bool hist_gain(struct hist64 *sum, const struct hist *src, u64 *octaves, struct spread *gain);

/* What was gained since then, which may be NULL: since it was empty. */
struct spread hist_since(const struct hist64 *now, const struct hist64 *then);

/* The value below which the share q (0 to 1) of the calls lie: a bucket's upper edge. */
u64 hist_quantile(const struct hist64 *h, double q);

u64 hist_count(const struct hist64 *h);

/* The end of an octave (HIST_OCTAVES) in ns, exclusive; that of the last is no end. */
static inline u64 hist_octave_end(unsigned int octave)
{
	return 1ULL << (HIST_UNIT_BITS + HIST_SUB_BITS + octave);
}

#endif
