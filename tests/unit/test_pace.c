// SPDX-License-Identifier: GPL-2.0-only
/* When the next frame is due, and which frames -n and --duration count. */
#include "unit.h"
#include "source/source.h"

#define SECOND 1000000000ULL
#define MS     1000000ULL

/* Deadlines met in time stay on their grid; after a late one the interval is a full one. */
UNIT_TEST(no_interval_is_cut_short)
{
	u64 due = 5 * SECOND;

	assert_int_equal(next_deadline(due, SECOND, due), 6 * SECOND);
	assert_int_equal(next_deadline(due, SECOND, due - MS), 6 * SECOND);
	assert_int_equal(next_deadline(due, SECOND, due + 100 * MS), 6 * SECOND);
	for (u64 late = 101 * MS; late < 20 * SECOND; late += 37 * MS)
		assert_int_equal(next_deadline(due, SECOND, due + late), due + late + SECOND);
}

/* A daemon's client that is late by less than a snapshot keeps to the daemon's grid. */
UNIT_TEST(clients_keep_the_pace)
{
	struct source source = { .pace_ns = SECOND };
	u64 now = clock_now(), due = now - SECOND / 2;

	assert_true(source_next_deadline(&source, due, SECOND) == due + SECOND);
	assert_true(source_next_deadline(&source, now - 3 * SECOND, SECOND) >= now + SECOND);
	source.pace_ns = 0;
	assert_true(source_next_deadline(&source, due, SECOND) >= now + SECOND);
}

static bool behind(void *ctx)
{
	return *(bool *)ctx;
}

UNIT_TEST(history_does_not_count)
{
	bool is_behind = true;
	struct source source = { .ctx = &is_behind, .behind = behind, .past_ns = 100 * SECOND };
	struct snapshot s = { .mono_ns = 99 * SECOND };
	u64 now = clock_now();

	assert_false(source_counts(&source, &s, SECOND));
	s.mono_ns = 100 * SECOND + 900 * MS; /* began in the past */
	assert_false(source_counts(&source, &s, SECOND));
	s.mono_ns = 101 * SECOND;
	assert_true(source_counts(&source, &s, SECOND));
	assert_true(source_next_deadline(&source, now - SECOND / 2, SECOND) >= now + SECOND);
	is_behind = false;
	assert_true(source_next_deadline(&source, now + SECOND, SECOND) == now + 2 * SECOND);
}

UNIT_TEST(without_history_all_count)
{
	const struct source source = { .at_once = true };
	const struct snapshot s = { .mono_ns = 1 };

	assert_true(source_counts(&source, &s, SECOND));
}
