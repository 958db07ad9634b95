// SPDX-License-Identifier: GPL-2.0-only
/* When the next frame is due. */
#include "unit.h"
#include "stop.h"

#define SECOND 1000000000ULL
#define MS     1000000ULL

/* Deadlines met in time stay on their grid; after a late one the interval is a full one. */
static void no_interval_is_cut_short(void **state)
{
	u64 due = 5 * SECOND;

	(void)state;
	assert_int_equal(next_deadline(due, SECOND, due), 6 * SECOND);
	assert_int_equal(next_deadline(due, SECOND, due - MS), 6 * SECOND);
	assert_int_equal(next_deadline(due, SECOND, due + 100 * MS), 6 * SECOND);
	for (u64 late = 101 * MS; late < 20 * SECOND; late += 37 * MS)
		assert_int_equal(next_deadline(due, SECOND, due + late), due + late + SECOND);
}

UNIT_TESTS(no_interval_is_cut_short)
