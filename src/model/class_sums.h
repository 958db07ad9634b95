/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reckoning with the sums over calls. One row for each member of struct class_sums, in its
 * order: how they are added up, recorded and written as JSON follows from it.
 */
#ifndef OPTEE_TOP_CLASS_SUMS_H
#define OPTEE_TOP_CLASS_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include "snapshot.h"

struct sum_row {
	const char *key; /* in JSON */
	bool maximum;    /* the largest of the calls; else their sum */
};

#define NR_SUMS     (sizeof(struct class_sums) / sizeof(u64))
#define SUM(member) (offsetof(struct class_sums, member) / sizeof(u64)) /* its row */

extern const struct sum_row sum_rows[NR_SUMS];

static inline u64 *sum_at(struct class_sums *sums, size_t i)
{
	return (u64 *)sums + i;
}

static inline u64 sum_of(const struct class_sums *sums, size_t i)
{
	return ((const u64 *)sums)[i];
}

/* A recording may be older than the sum is. */
static inline bool sum_known(const struct snapshot *s, size_t i)
{
	return i < NR_SUMS - s->sums_unknown;
}

static inline u64 max_of(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* Adds; of maxima the larger one stays. */
void sums_add(struct class_sums *to, const struct class_sums *from);

/* Of maxima the larger one stays; nothing is added. */
void sums_raise(struct class_sums *to, const struct class_sums *from);

/* now - then; a maximum has no difference: it is 0. */
struct class_sums sums_since(const struct class_sums *now, const struct class_sums *then);

#endif
