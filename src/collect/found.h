/* SPDX-License-Identifier: GPL-2.0-only */
/* The episodes of conditions that only the looks find. */
#ifndef OPTEE_TOP_FOUND_H
#define OPTEE_TOP_FOUND_H

#include "collect/watch_state.h"

/* An episode of this condition in the pool's present state, with nobody in it. */
struct episode watch_episode(const struct watch *w, u32 pool, enum condition cond);

/* A condition that only the looks find lasts, or does not any more. */
void watch_found(struct watch *w, u32 pool, struct episode *e, u64 now);
void watch_found_over(struct watch *w, u32 pool, enum condition cond, u64 now);

#endif
