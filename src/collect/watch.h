/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The conditions' half of src/collect/collect.c: looks at the maps often, and keeps what
 * is to be reported until a snapshot or the events command takes it.
 */
#ifndef OPTEE_TOP_WATCH_H
#define OPTEE_TOP_WATCH_H

#include "event.h"
#include "snapshot.h"

struct probes;
struct watch;

/* NULL: out of memory, or the ring buffer cannot be mapped (errno). */
struct watch *watch_new(const struct probes *probes);
void watch_free(struct watch *w);

/* One look. Returns the number of new events; they are the last ones of watch_events(). */
u32 watch_look(struct watch *w);

/* All events since watch_take(); valid until the next look. */
const struct event *watch_events(const struct watch *w, u32 *n);

/* The next look begins a new list. */
void watch_take(struct watch *w);

/* Events that found no room. */
u64 watch_dropped(const struct watch *w);

/*
 * What the looks so far say of a condition of a pool: of deadlock, drift and lost
 * wake, which only they find, the counts; of starved and count mismatch what lasted at
 * the last look, and what had ended then. now: the time of the snapshot.
 */
void watch_condition(const struct watch *w, u32 pool, enum condition cond, u64 now,
		     struct snap_cond *to);

/* Were all calls of a pool seen, at every look since this was asked last? */
enum sight watch_sight(struct watch *w, u32 pool);

/* The drift of a pool, if it is known: what stayed for a second. */
bool watch_drift(const struct watch *w, u32 pool, int *drift);

#endif
