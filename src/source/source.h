/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the views get what they show from: the running kernel, or a recording. */
#ifndef OPTEE_TOP_SOURCE_H
#define OPTEE_TOP_SOURCE_H

#include "base/clock.h"
#include "event.h"
#include "host.h"
#include "snapshot.h"

#define LOOK_NS    50000000 /* how often a source is to be asked for events */
#define LOOK_ENDED (~0U)

struct player;

struct source {
	void *ctx;
	const struct host *host;
	/*
	 * Takes the next snapshot; it is valid until the next call. NULL: there is
	 * none, and errno says why: ENODEV the driver was unloaded, 0 the recording
	 * is over.
	 */
	const struct snapshot *(*next)(void *ctx);
	/*
	 * Looks at the conditions: points events at the new ones, valid until the
	 * next call of either function, and returns their number, or LOOK_ENDED when
	 * the source has. A snapshot has all events since the one before it.
	 */
	u32 (*look)(void *ctx, const struct event **events);
	/*
	 * Points calls at the next ones that have ended, valid until the next call of
	 * any of these functions, and returns their number; 0: no more for now. To be
	 * asked until then, after each look and each snapshot: the room for them is
	 * small. NULL: this source does not tell calls apart.
	 */
	u32 (*calls)(void *ctx, const struct call_record **calls);
	/*
	 * No snapshot is going to be taken: what was looked at is not kept for it. NULL:
	 * it never is.
	 */
	void (*forget)(void *ctx);
	/* Of what is past there are more snapshots: nobody has to wait for them. NULL: there never are. */
	bool (*behind)(void *ctx);
	/*
	 * CLOCK_MONOTONIC: what is older is history that was asked for. It comes in addition
	 * to what -n and --duration limit. 0: there is no such history.
	 */
	u64 past_ns;
	/* Snapshots come by themselves, this far apart: a frame is never shorter. 0: when asked for. */
	u64 pace_ns;
	bool at_once;          /* all of it is past: nobody has to wait for it */
	struct player *player; /* of a recording in the live view; else NULL */
};

static inline bool source_behind(const struct source *source)
{
	return source->at_once || (source->behind && source->behind(source->ctx));
}

/* How far apart a daemon's snapshots are. */
#define DAEMON_PACE_NS 1000000000

/* The next deadline after one that was just met. A source with history left has none. */
u64 source_next_deadline(const struct source *source, u64 deadline, u64 interval);

/*
 * Does a snapshot count for -n and --duration? History does not, nor does the interval
 * in which it ends.
 */
bool source_counts(const struct source *source, const struct snapshot *s, u64 interval);

/*
 * Waits for a time of CLOCK_MONOTONIC (ns), and has the source look at the
 * conditions meanwhile. False: we are asked to end.
 */
bool source_wait(const struct source *source, u64 deadline);

#endif
