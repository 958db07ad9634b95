/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The episodes that the live view knows of: made from events, the newest state of
 * each, until there are too many. It says who takes part in one that lasts.
 */
#ifndef OPTEE_TOP_EPISODE_LOG_H
#define OPTEE_TOP_EPISODE_LOG_H

#include "snapshot.h"

#define LOG_EPISODES 200

/*
 * In the order in which they were reported first. The parties are those of that
 * report: later their tasks may be gone. All zero is an empty log.
 */
struct episode_log {
	struct event *episodes[LOG_EPISODES];
	int nr;
};

void episode_log_free(struct episode_log *l);

/* Makes to, which is empty, the same; false: out of memory, it stays empty. */
bool episode_log_copy(struct episode_log *to, const struct episode_log *from);

/*
 * Takes the next event. Where there is no room an episode is forgotten: the oldest
 * that is over and no alarm, if there is one. Returns true for a new alarm.
 */
bool episode_log_take(struct episode_log *l, const struct event *e);

/* Ends what does not last in the pools of s: of so many events some may be lost. */
void episode_log_settle(struct episode_log *l, const struct snapshot *s);

/* How long an episode lasts now, or lasted. */
u64 episode_log_duration(const struct event *e, const struct snapshot *s);

/*
 * Which episodes a few lines should show: indices, in the log's order, of at most
 * most, first of those that last, then of alarms, then of the newest; returns their
 * number. What ended long ago is left out, but for the very last.
 */
int episode_log_recent(const struct episode_log *l, const struct snapshot *s, int most,
		       int *indices);

/* What part somebody has in the conditions that last. */
enum mark {
	MARK_NONE,
	MARK_LOAD,  /* of one that may be ordinary load */
	MARK_ALARM, /* of one that is wrong */
};

/*
 * A call has part in an episode from whose beginning it has waited, or held its
 * thread, until now. name, if it is not NULL, becomes the condition's or NULL.
 */
enum mark episode_log_call(const struct episode_log *l, const struct snapshot *s,
			   const struct snap_call *call, const char **name);

/* The same of the calls of a session, by its index in s. */
enum mark episode_log_session(const struct episode_log *l, const struct snapshot *s, u32 session);

/* Does this condition last in the pool, for so long that it would be reported? */
bool episode_lasts(const struct snap_pool *pool, enum condition cond, u64 now);

#endif
