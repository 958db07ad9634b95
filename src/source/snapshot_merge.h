/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several snapshots as one: the daemon takes one a second, and a view that wants one in
 * five gets figures of five seconds, with all sessions that ended in them.
 */
#ifndef OPTEE_TOP_SNAPSHOT_MERGE_H
#define OPTEE_TOP_SNAPSHOT_MERGE_H

#include "model/hist.h"

struct snapshot_merge {
	struct snapshot *given; /* the one that was given last: what an interval begins with */
	u32 passed;             /* snapshots since then that were not given */
	u32 blind;              /* bit n: of pool n not all calls were seen in these */
	bool broken;            /* what comes is of other counters than what was given */
	struct ended_row {
		struct snap_session row;
		struct hist64 wait, hold, secure;
	} * ended; /* sessions that ended in these */
	u32 nr_ended, room;
	u64 dropped; /* of them; a snapshot has at most SESSION_SLOTS rows */
};

void snapshot_merge_release(struct snapshot_merge *m);

/* s is not going to be given: keeps the sessions that ended in it. False: out of memory. */
bool snapshot_merge_pass(struct snapshot_merge *m, const struct snapshot *s);

/* What follows belongs to another attach, whose counters started over. */
void snapshot_merge_break(struct snapshot_merge *m);

/*
 * s, the last one that came, as it is to be given: a copy, valid until the next call.
 * NULL: out of memory.
 */
const struct snapshot *snapshot_merge_give(struct snapshot_merge *m, const struct snapshot *s);

#endif
