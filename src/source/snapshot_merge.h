/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several snapshots as one: the daemon takes one a second, and a view that wants one in
 * five gets figures of five seconds, with all sessions that ended in them.
 */
#ifndef OPTEE_TOP_MERGE_H
#define OPTEE_TOP_MERGE_H

#include "model/hist.h"

struct merge {
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

void merge_release(struct merge *m);

/* s is not going to be given: keeps the sessions that ended in it. False: out of memory. */
bool merge_pass(struct merge *m, const struct snapshot *s);

/* What follows belongs to another attach, whose counters started over. */
void merge_break(struct merge *m);

/*
 * s, the last one that came, as it is to be given: a copy, valid until the next call.
 * NULL: out of memory.
 */
const struct snapshot *merge_give(struct merge *m, const struct snapshot *s);

#endif
