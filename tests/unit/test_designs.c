// SPDX-License-Identifier: GPL-2.0-only
/* What a state of the queue means depends on the driver's admission rule. */
#include "unit.h"
#include "fixtures/bpf_native.h"

static u32 conds(int normal, int system, int waiting, int reserved)
{
	struct pool_state s = { .in_use = { normal, system },
				.waiting = { waiting, 0 },
				.reserved = reserved };

	return conds_of(&s, 4);
}

#define OVERRUNS (COND_BIT(COND_OVERRUN) | COND_BIT(COND_HARMFUL_OVERRUN))
#define IDLE     COND_BIT(COND_RESERVE_IDLE)

static int merged(void **state)
{
	(void)state;
	native_v6 = native_single = native_single_busy = false;
	return 0;
}

/* A second system call is one too many, unless it is treated as a normal one. */
UNIT_TEST_SETUP(system_calls_beyond_the_reserve, merged)
{
	assert_int_equal(conds(0, 2, 1, 1), OVERRUNS | IDLE);
	native_v6 = true;
	assert_int_equal(conds(0, 2, 1, 1), OVERRUNS);
	native_v6 = false;
	native_single = true;
	assert_int_equal(conds(0, 2, 1, 1), 0);
}

/* Only the merged driver keeps a thread beside a system call that has one. */
UNIT_TEST_SETUP(a_thread_beside_a_system_call, merged)
{
	assert_int_equal(conds(2, 1, 1, 1), IDLE);
	native_single = true;
	assert_int_equal(conds(2, 1, 1, 1), 0);
	native_single = false;
	native_v6 = true;
	assert_int_equal(conds(2, 1, 1, 1), 0);
	assert_int_equal(conds(2, 1, 1, 2), IDLE);
}

/* v6 does not count system calls, but has their threads out of its count all the time. */
UNIT_TEST_SETUP(what_the_driver_counts, merged)
{
	struct optee_call_queue queue = { .sys_thread_req_count = 1 };
	struct pool p = { .queue = (u64)&queue, .limited = 1 };
	struct pool_state s = { .in_use = { 1, 2 } };

	assert_int_equal(pool_taken(&p, &s), 4);
	native_v6 = true;
	assert_int_equal(pool_taken(&p, &s), 3);
}
