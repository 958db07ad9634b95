/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the watch share: those that src/collect/watch.c calls. */
#ifndef OPTEE_TOP_WATCH_STATE_H
#define OPTEE_TOP_WATCH_STATE_H

#include "base/clock.h"
#include "collect/deadlock.h"
#include "collect/episodes.h"
#include "collect/lost_wake.h"
#include "collect/watch.h"
#include "model/condition_table.h"
#include "probe/attach.h"

#define NEW_EVENTS     2048      /* between two snapshots */
#define MAX_LIVE_CALLS MAX_CALLS /* calls of one pool that are looked at */
#define KNOWN_COMMS    64
#define COMM_NS        1000000000 /* how long a task's name is taken to stay */

/* A call of a pool at this look, with its place in the table. */
struct live_call {
	struct call call;
	u32 slot;
};

/*
 * A condition that no hook sees begin and end, as the looks have found it so far: what of it
 * is over, and what lasts. Of those that hooks follow it is unused.
 */
struct found {
	/* Episodes that ended: of starved and count mismatch as the look began to read the calls. */
	struct cond_count count;
	struct episode episode; /* the last one */
	bool lasts;
	/* Of starved, count mismatch, convoy and lost wake: what this look has found. */
	struct {
		u64 count, since_ns, peak; /* the earliest start, the largest figure */
	} now;
};

/* Sessions that nobody has any more. */
struct left_open {
	u32 reported;
	u32 least;    /* of the looks since then, */
	u64 since_ns; /* which all found more of them than are reported; 0: the last did not */
};

struct watched_pool {
	struct found found[NR_CONDS];
	u64 suspect;    /* what looked like a deadlock in the look before, as a number, */
	u64 suspect_ns; /* since that look */
	struct deadlock_call links[MAX_PARTIES]; /* of the deadlock that is reported: its parties */
	struct lost_wakes lost_wakes;
	int drift, drift_run, drift_least;
	int drift_reported; /* as the episode began */
	u64 drift_since_ns;
	bool drift_known;
	enum sight sight; /* as the last snapshot has it */
	bool was_blind;   /* at a look since the last snapshot */
	int unseen_run;   /* looks in a row that found calls that are not ours in the queue */
	struct left_open left_open;
	u64 unserved_since_ns; /* 0: at the last look no request waited for a supplicant that is gone */
};

struct known_comm {
	u32 tid;
	u64 read_ns;
	char comm[COMM_LEN * 4 + 1];
};

struct watch {
	const struct probes *probes;
	const struct shared *shared;
	const struct session *rows;
	struct ring_buffer *ring;
	struct episodes *episodes;
	u64 starved_ns;
	struct event *events;
	u32 nr_events, room;
	bool taken;
	u64 dropped;
	struct watched_pool pools[MAX_POOLS];
	struct live_call live[MAX_LIVE_CALLS];
	struct known_comm comms[KNOWN_COMMS];
};

#endif
