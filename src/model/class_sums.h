/* SPDX-License-Identifier: GPL-2.0-only */
/* Reckoning with the sums over calls. */
#ifndef OPTEE_TOP_CLASS_SUMS_H
#define OPTEE_TOP_CLASS_SUMS_H

#include "abi.h"

static inline u64 max_of(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* Adds; of maxima the larger one stays. */
void sums_add(struct class_sums *to, const struct class_sums *from);

/* now - then; a maximum has no difference: it is 0. */
struct class_sums sums_since(const struct class_sums *now, const struct class_sums *then);

#endif
