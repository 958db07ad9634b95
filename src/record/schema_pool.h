/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a snapshot that src/record/schema.c is made of: a pool, and what others share with it. */
#ifndef OPTEE_TOP_SCHEMA_POOL_H
#define OPTEE_TOP_SCHEMA_POOL_H

#include "record/codec.h"
#include "snapshot.h"

/* An enum, whatever type the compiler gives it. */
#define code_enum(c, v, end)                                                                       \
	do {                                                                                       \
		u32 coded = (u32) * (v);                                                           \
		code_upto(c, &coded, (u32)(end)-1);                                                \
		*(v) = coded;                                                                      \
	} while (0)

/*
 * How long a table is: of one that was shorter when it was written the rest stays 0,
 * which of a condition is "not known". Tables grow at their ends only.
 */
u32 code_length(struct codec *c, u32 ours);

void code_sums(struct codec *c, struct class_sums *s);
void code_pool(struct codec *c, struct snap_pool *p);

#endif
