// SPDX-License-Identifier: GPL-2.0-only
/* The live view's log: an entry an episode, what lasts is kept, marks are of calls that are there. */
#include <string.h>
#include "unit.h"
#include "view/episode_log.h"
#include "model/condition_table.h"

#define SECOND 1000000000ULL
#define NOW    (1000 * SECOND)

static struct snap_session sessions[] = { { .serial = 7 }, { .serial = 8 } };
static struct snap_call calls[2];
static struct snapshot snap;

/* A holds a thread, for 6 s by now; B waits, for 4 s. */
static void set_up_snapshot(void)
{
	calls[0] = (struct snap_call){ .tid = 10, .age_ns = 6 * SECOND };
	calls[1] =
		(struct snap_call){ .tid = 11, .session = 1, .queued = true, .age_ns = 4 * SECOND };
	snap = (struct snapshot){
		.mono_ns = NOW,
		.nr_pools = 1,
		.nr_sessions = 2,
		.nr_calls = 2,
		.sessions = sessions,
		.calls = calls,
	};
	for (int cond = 0; cond < NR_CONDS; cond++)
		snap.pools[0].conds[cond] = (struct snap_cond){ .known = true, .lasting = 1 };
}

/* An episode of these two, A's wake went astray, that began so long ago. */
static struct event event_of(enum condition cond, u64 episode, u64 ago)
{
	return (struct event){
		.condition = cond,
		.episode = episode,
		.since_ns = NOW - ago,
		.mono_ns = NOW - ago,
		.peak = 1,
		.nr_parties = 2,
		.parties = { { .tid = 10, .serial = 7, .comm = "A" },
			     { .tid = 11, .serial = 8, .comm = "B", .waits = true } },
		.culprit = cond == COND_STRANDED ? 0 : -1,
	};
}

static struct event later(struct event e, enum event_state state, u64 ns)
{
	e.state = state;
	e.duration_ns = ns;
	e.mono_ns = e.since_ns + ns;
	e.parties[0].comm[0] = '\0'; /* gone since */
	return e;
}

UNIT_TEST(an_episode_is_one_entry)
{
	struct event e = event_of(COND_STRANDED, 3, 3 * SECOND), still, end;
	struct episode_log log = {}, copy = {};

	set_up_snapshot();
	still = later(e, EVENT_STILL, SECOND);
	still.peak = 2;
	end = later(e, EVENT_END, 2 * SECOND);
	end.peak = 2;
	assert_true(episode_log_take(&log, &e));
	assert_false(episode_log_take(&log, &still));
	assert_int_equal(log.nr, 1);
	assert_int_equal(log.episodes[0]->peak, 2);
	assert_string_equal(log.episodes[0]->parties[0].comm, "A");
	assert_int_equal(episode_log_duration(log.episodes[0], &snap), 3 * SECOND);
	assert_true(episode_log_copy(&copy, &log));
	assert_false(episode_log_take(&log, &end));
	assert_int_equal(log.nr, 1);
	assert_int_equal(episode_log_duration(log.episodes[0], &snap), 2 * SECOND);
	assert_int_equal(copy.episodes[0]->state, EVENT_STILL);
	episode_log_free(&copy);
	episode_log_free(&log);
}

UNIT_TEST(what_lasts_is_not_forgotten)
{
	struct episode_log log = {};
	struct event e = event_of(COND_DEADLOCK, 1, 100 * SECOND);
	int indices[5];

	set_up_snapshot();
	episode_log_take(&log, &e);
	for (u64 i = 0; i < 3 * LOG_EPISODES; i++) {
		e = later(event_of(COND_OVERRUN, i, 50 * SECOND), EVENT_END, i);
		episode_log_take(&log, &e);
	}
	assert_int_equal(log.nr, LOG_EPISODES);
	assert_int_equal(log.episodes[0]->condition, COND_DEADLOCK);
	assert_int_equal(log.episodes[1]->episode, 2 * LOG_EPISODES + 1);
	/* It is shown, and of what was long ago the last. */
	assert_int_equal(episode_log_recent(&log, &snap, 5, indices), 2);
	assert_int_equal(indices[0], 0);
	assert_int_equal(indices[1], LOG_EPISODES - 1);
	assert_int_equal(episode_log_recent(&log, &snap, 1, indices), 1);
	assert_int_equal(indices[0], 0);
	episode_log_free(&log);
}

UNIT_TEST(an_end_that_was_lost_is_found)
{
	struct episode_log log = {};
	struct event e = event_of(COND_STARVED, 1, SECOND);

	set_up_snapshot();
	episode_log_take(&log, &e);
	episode_log_settle(&log, &snap);
	assert_int_equal(log.episodes[0]->state, EVENT_BEGIN);
	snap.pools[0].conds[COND_STARVED].lasting = 0;
	episode_log_settle(&log, &snap);
	assert_int_equal(log.episodes[0]->state, EVENT_END);
	assert_true(log.episodes[0]->end_unseen);
	assert_int_equal(log.episodes[0]->duration_ns, SECOND);
	episode_log_free(&log);
}

UNIT_TEST(the_newest_come_last)
{
	struct episode_log log = {};
	struct event e;
	int indices[3];

	set_up_snapshot();
	for (u64 i = 0; i < 6; i++) {
		e = event_of(COND_EXHAUSTED, i, 6 * SECOND - i * SECOND);
		if (i != 1)
			e = later(e, EVENT_END, SECOND / 2);
		assert_false(episode_log_take(&log, &e));
	}
	assert_int_equal(episode_log_recent(&log, &snap, 3, indices), 3);
	assert_int_equal(indices[0], 1);
	assert_int_equal(indices[1], 4);
	assert_int_equal(indices[2], 5);
	e = later(event_of(COND_STARVED, 0, 6 * SECOND), EVENT_END, SECOND);
	episode_log_take(&log, &e);
	e = later(event_of(COND_EXHAUSTED, 6, SECOND), EVENT_END, SECOND);
	episode_log_take(&log, &e);
	assert_int_equal(episode_log_recent(&log, &snap, 3, indices), 3);
	assert_int_equal(indices[0], 1);
	assert_int_equal(indices[1], 6);
	assert_int_equal(indices[2], 7);
	episode_log_free(&log);
}

UNIT_TEST(marks)
{
	struct episode_log log = {};
	struct event stranded = event_of(COND_STRANDED, 1, 3 * SECOND);
	struct event exhausted = event_of(COND_EXHAUSTED, 1, 4 * SECOND);
	const char *name;

	set_up_snapshot();
	assert_int_equal(episode_log_session(&log, &snap, 0), MARK_NONE);
	episode_log_take(&log, &exhausted);
	assert_int_equal(episode_log_session(&log, &snap, 0), MARK_LOAD);
	assert_int_equal(episode_log_session(&log, &snap, 1), MARK_NONE);
	episode_log_take(&log, &stranded);
	assert_int_equal(episode_log_session(&log, &snap, 0), MARK_ALARM);
	assert_int_equal(episode_log_session(&log, &snap, 1), MARK_ALARM);
	assert_int_equal(episode_log_call(&log, &snap, &calls[1], &name), MARK_ALARM);
	assert_string_equal(name, "stranded");

	/* The same task, but a call that began after; one that does not wait any more. */
	calls[0].age_ns = 2 * SECOND;
	calls[1].queued = false;
	assert_int_equal(episode_log_session(&log, &snap, 0), MARK_NONE);
	assert_int_equal(episode_log_session(&log, &snap, 1), MARK_NONE);
	calls[1].queued = true;
	stranded = later(stranded, EVENT_END, SECOND);
	episode_log_take(&log, &stranded);
	assert_int_equal(episode_log_call(&log, &snap, &calls[1], &name), MARK_NONE);
	assert_null(name);
	episode_log_free(&log);
}

UNIT_TEST(a_wake_on_its_way_is_no_alarm)
{
	struct snap_pool *pool = &snap.pools[0];

	set_up_snapshot();
	pool->conds[COND_STRANDED].since_ns = NOW - condition_table[COND_STRANDED].report_ns + 1;
	assert_false(episode_lasts(pool, COND_STRANDED, NOW));
	assert_true(episode_lasts(pool, COND_STRANDED, NOW + 1));
	pool->conds[COND_STRANDED].known = false;
	assert_false(episode_lasts(pool, COND_STRANDED, NOW + 1));
}
