/* SPDX-License-Identifier: GPL-2.0-only */
/* From the maps to a snapshot: the only reader of what the BPF programs count. */
#ifndef OPTEE_TOP_COLLECT_H
#define OPTEE_TOP_COLLECT_H

#include "event.h"
#include "snapshot.h"

struct probes;

struct collect;

/*
 * A collector for attached probes, which must outlive it. NULL: out of memory,
 * or the maps cannot be mapped (errno).
 */
struct collect *collect_new(struct probes *probes);

void collect_free(struct collect *c);

/*
 * The state of the TEE now. The first has interval_ns 0 and no figures of an
 * interval. Returns NULL when out of memory; the snapshot belongs to c and is
 * valid until the next call.
 */
const struct snapshot *collect_snapshot(struct collect *c);

/*
 * A look at the conditions, to be had every LOOK_NS. Points events at those it
 * found, valid until the next look or snapshot, and returns their number. A
 * snapshot has all events since the one before it.
 */
u32 collect_look(struct collect *c, const struct event **events);

/* The events that were looked at are not kept for a snapshot; they stay valid as before. */
void collect_forget(struct collect *c);

#endif
