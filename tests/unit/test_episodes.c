// SPDX-License-Identifier: GPL-2.0-only
/* From looks to events: each episode begins once and ends once, and is heard of while it lasts. */
#include <string.h>
#include "unit.h"
#include "collect/episodes.h"

#define SECOND 1000000000ULL
#define MS     1000000ULL

/* What was reported. */
struct said {
	struct episode episode;
	enum event_state state;
	u64 now;
	bool end_unseen;
};

static struct said said[4096];
static size_t nr_said;

static void hear(void *arg, const struct episode *e, enum event_state state, u64 now,
		 bool end_unseen)
{
	assert_ptr_equal(arg, said);
	assert_in_range(nr_said, 0, 4095);
	said[nr_said++] = (struct said){ *e, state, now, end_unseen };
}

static struct episodes *start(void)
{
	struct episodes *c = episodes_new(hear, said);

	assert_non_null(c);
	nr_said = 0;
	return c;
}

static struct episode episode_of(u8 cond, u64 serial, u64 since)
{
	return (struct episode){
		.cond = cond, .serial = serial, .since_ns = since, .peak = 1, .nr_parties = 1
	};
}

static void assert_said(size_t i, const struct episode *e, enum event_state state, u64 now)
{
	assert_in_range(i, 0, nr_said - 1);
	assert_int_equal(said[i].state, state);
	assert_int_equal(said[i].now, now);
	assert_int_equal(said[i].episode.cond, e->cond);
	assert_int_equal(said[i].episode.pool, e->pool);
	assert_int_equal(said[i].episode.serial, e->serial);
	assert_int_equal(said[i].episode.since_ns, e->since_ns);
	assert_int_equal(said[i].episode.peak, e->peak);
	assert_false(said[i].end_unseen);
}

/* One look, at which it lasts. */
static void lasts(struct episodes *c, const struct episode *e, u64 now)
{
	episodes_lasts(c, e, now);
	episodes_looked(c, now);
}

UNIT_TEST(one_that_lasts)
{
	struct episodes *c = start();
	struct episode e = episode_of(COND_STRANDED, 3, 10 * SECOND);
	u64 now = 10 * SECOND + 50 * MS;

	lasts(c, &e, now);
	assert_int_equal(nr_said, 1);
	assert_said(0, &e, EVENT_BEGIN, now);
	for (int i = 0; i < 9; i++)
		lasts(c, &e, now += 100 * MS);
	lasts(c, &e, now += 100 * MS - 1);
	assert_int_equal(nr_said, 1);
	e.peak = 4;
	e.nr_parties = 0; /* the first report says who, also in the later ones */
	lasts(c, &e, now += 1);
	assert_int_equal(nr_said, 2);
	assert_said(1, &e, EVENT_STILL, now);
	assert_int_equal(said[1].episode.nr_parties, 1);
	/* Once a second from then on; a look that came late does not make it up. */
	lasts(c, &e, now += 2500 * MS);
	lasts(c, &e, now += 999 * MS);
	assert_int_equal(nr_said, 3);
	lasts(c, &e, now += 1 * MS);
	assert_int_equal(nr_said, 4);
	e.end_ns = now + 5 * MS;
	episodes_ended(c, &e);
	episodes_looked(c, now + 50 * MS);
	assert_int_equal(nr_said, 5);
	assert_said(4, &e, EVENT_END, now + 5 * MS);
	for (int i = 0; i < 5; i++)
		episodes_looked(c, now + SECOND);
	assert_int_equal(nr_said, 5);
	episodes_free(c);
}

/* Over before a look saw it: both, at their own times. */
UNIT_TEST(never_seen_to_last)
{
	struct episodes *c = start();
	struct episode e = episode_of(COND_OVERRUN, 1, 10 * SECOND);

	e.end_ns = 10 * SECOND + 3 * MS;
	episodes_ended(c, &e);
	episodes_looked(c, 11 * SECOND);
	assert_int_equal(nr_said, 2);
	assert_said(0, &e, EVENT_BEGIN, 10 * SECOND);
	assert_said(1, &e, EVENT_END, 10 * SECOND + 3 * MS);
	episodes_free(c);
}

/* In one look it lasts, and then its end comes. */
UNIT_TEST(ends_within_a_look)
{
	struct episodes *c = start();
	struct episode e = episode_of(COND_OVERRUN, 1, 10 * SECOND);

	episodes_lasts(c, &e, 11 * SECOND);
	e.end_ns = 11 * SECOND + 1;
	episodes_ended(c, &e);
	episodes_looked(c, 11 * SECOND);
	assert_int_equal(nr_said, 2);
	assert_said(0, &e, EVENT_BEGIN, 11 * SECOND);
	assert_said(1, &e, EVENT_END, 11 * SECOND + 1);
	episodes_free(c);
}

/* The end was lost: two looks without it, and it is over. */
UNIT_TEST(lost_end)
{
	struct episodes *c = start();
	struct episode e = episode_of(COND_EXHAUSTED, 7, 10 * SECOND);

	lasts(c, &e, 11 * SECOND);
	episodes_looked(c, 12 * SECOND);
	assert_int_equal(nr_said, 1);
	lasts(c, &e, 11 * SECOND + 900 * MS); /* seen again: counted anew */
	episodes_looked(c, 13 * SECOND);
	assert_int_equal(nr_said, 1);
	episodes_looked(c, 14 * SECOND);
	assert_int_equal(nr_said, 2);
	assert_int_equal(said[1].state, EVENT_END);
	assert_int_equal(said[1].now, 14 * SECOND);
	assert_true(said[1].end_unseen);
	assert_int_equal(said[1].episode.serial, 7);
	assert_int_equal(said[1].episode.end_ns, 0);
	episodes_looked(c, 15 * SECOND);
	assert_int_equal(nr_said, 2);
	episodes_free(c);
}

/* An end that comes at the last moment is the end. */
UNIT_TEST(late_end)
{
	struct episodes *c = start();
	struct episode e = episode_of(COND_EXHAUSTED, 7, 10 * SECOND);

	lasts(c, &e, 11 * SECOND);
	episodes_looked(c, 12 * SECOND);
	e.end_ns = 11 * SECOND + 1;
	episodes_ended(c, &e);
	episodes_looked(c, 13 * SECOND);
	episodes_looked(c, 14 * SECOND);
	assert_int_equal(nr_said, 2);
	assert_said(1, &e, EVENT_END, 11 * SECOND + 1);
	episodes_free(c);
}

/* Condition, pool and serial tell episodes apart; of each its own end. */
UNIT_TEST(told_apart)
{
	struct episodes *c = start();
	struct episode e[4] = { episode_of(COND_OVERRUN, 1, 1 * SECOND),
				episode_of(COND_EXHAUSTED, 1, 2 * SECOND),
				episode_of(COND_OVERRUN, 1, 3 * SECOND),
				episode_of(COND_OVERRUN, 2, 4 * SECOND) };

	e[2].pool = 1;
	for (int i = 0; i < 4; i++)
		episodes_lasts(c, &e[i], 5 * SECOND);
	episodes_looked(c, 5 * SECOND);
	assert_int_equal(nr_said, 4);
	for (int i = 0; i < 4; i++)
		assert_said((size_t)i, &e[i], EVENT_BEGIN, 5 * SECOND);
	for (int i = 3; i >= 0; i--) {
		e[i].end_ns = 6 * SECOND + (u64)i;
		episodes_ended(c, &e[i]);
		assert_said((size_t)(7 - i), &e[i], EVENT_END, 6 * SECOND + (u64)i);
	}
	assert_int_equal(nr_said, 8);
	episodes_free(c);
}

#define MANY 1000

/* They end in any order, a third of them unseen, and what stays is heard of. */
UNIT_TEST(many_at_once)
{
	struct episodes *c = start();
	struct episode e;
	int ends[MANY] = {}, begins[MANY] = {}, stills[MANY] = {};

	for (u64 i = 0; i < MANY; i++) {
		e = episode_of(COND_STARVED, i, i);
		episodes_lasts(c, &e, 5 * SECOND);
	}
	episodes_looked(c, 5 * SECOND);
	for (int look = 1; look <= 4; look++) {
		for (u64 n = 0; n < MANY; n++) {
			u64 i = n * 7 % MANY;

			e = episode_of(COND_STARVED, i, i);
			e.end_ns = 6 * SECOND + i;
			if (i % 3 == 0)
				episodes_lasts(c, &e, (5 + (u64)look) * SECOND);
			else if (i % 3 == 1 && look == 1)
				episodes_ended(c, &e);
		}
		episodes_looked(c, (5 + (u64)look) * SECOND);
	}
	for (size_t i = 0; i < nr_said; i++) {
		u64 serial = said[i].episode.serial;

		assert_in_range(serial, 0, MANY - 1);
		assert_int_equal(said[i].episode.since_ns, serial);
		if (said[i].state == EVENT_BEGIN) {
			begins[serial]++;
		} else if (said[i].state == EVENT_STILL) {
			stills[serial]++;
		} else {
			ends[serial]++;
			assert_int_equal(said[i].end_unseen, serial % 3 == 2);
			assert_int_equal(said[i].now,
					 serial % 3 == 2 ? 7 * SECOND : 6 * SECOND + serial);
		}
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(begins[i], 1);
		assert_int_equal(stills[i], i % 3 ? 0 : 4);
		assert_int_equal(ends[i], i % 3 ? 1 : 0);
	}
	episodes_free(c);
}

UNIT_TEST(nothing_to_free)
{
	episodes_free(NULL);
}
