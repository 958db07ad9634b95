/* SPDX-License-Identifier: GPL-2.0-only */
/* The sessions' half of src/collect/collect.c: from their rows to those of a snapshot, and to the TAs. */
#ifndef OPTEE_TOP_COLLECT_SESSIONS_H
#define OPTEE_TOP_COLLECT_SESSIONS_H

#include "snapshot.h"

struct collect_sessions;

/* NULL: out of memory. */
struct collect_sessions *collect_sessions_new(const struct shared *shared,
					      const struct session *rows);
void collect_sessions_free(struct collect_sessions *c);

/*
 * Fills in the snapshot's sessions, tas, and what the pools have of them: sums and
 * sums_iv. To be called with the snapshot of before, whose pools are new already, and
 * with its seq. False: out of memory.
 */
bool collect_sessions(struct collect_sessions *c, struct snapshot *s);

/* Index into the snapshot's sessions of the row in a slot, SESSION_SLOTS included; -1: none. */
int collect_sessions_at(const struct collect_sessions *c, u32 slot);

/* Sessions whose row was given away before it was read after their close. */
u64 collect_sessions_unread(const struct collect_sessions *c);

#endif
