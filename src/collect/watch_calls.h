/* SPDX-License-Identifier: GPL-2.0-only */
/* What is found by looking at the calls of a pool. */
#ifndef OPTEE_TOP_WATCH_CALLS_H
#define OPTEE_TOP_WATCH_CALLS_H

#include "collect/watch_state.h"

/* Looks for starved calls, count mismatches, convoys, lost wakes and deadlocks. */
void watch_calls(struct watch *w, u32 pool, u64 now);

/* Adds the calls that wait for tee-supplicant to the episode's parties. */
void watch_add_requests(struct watch *w, u32 pool, struct episode *e);

#endif
