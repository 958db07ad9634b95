/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Episodes as they are seen from user space, look by look, become events: one
 * when an episode begins, one now and then while it lasts, one when it has ended.
 * It knows neither maps nor clocks; src/collect/watch.c feeds it.
 */
#ifndef OPTEE_TOP_EPISODES_H
#define OPTEE_TOP_EPISODES_H

#include "event.h"

#define STILL_NS 1000000000 /* how often a condition that lasts is reported */

/* What is to be reported of an episode; e is valid during the call only. */
typedef void (*event_fn)(void *arg, const struct episode *e, enum event_state state, u64 now,
			 bool end_unseen);

struct episodes;

struct episodes *episodes_new(event_fn report, void *arg);
void episodes_free(struct episodes *c);

/* It lasts at the time now. */
void episodes_lasts(struct episodes *c, const struct episode *e, u64 now);

/* It has ended, at e->end_ns. */
void episodes_ended(struct episodes *c, const struct episode *e);

/*
 * The look is over: episodes that were reported, have not been seen for two looks
 * and have no end are over too, and when they ended is not known.
 */
void episodes_looked(struct episodes *c, u64 now);

#endif
