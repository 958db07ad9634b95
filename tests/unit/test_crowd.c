// SPDX-License-Identifier: GPL-2.0-only
/* As many calls in flight as include/abi.h promises room for, from tasks wherever they lie. */
#include <stdlib.h>
#include "unit.h"
#include "fixtures/bpf_native.h"

#define CALLS  900
#define TASKS  (4 * CALLS)
#define BLOCK  32768 /* the kernel allocates tasks by blocks like this, */
#define BLOCKS 2048  /* which may lie anywhere */
#define STACK  32768 /* a stack and the gap behind it */

static const struct tee_desc desc = { "optee-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context context = { .teedev = &teedev };

static char *room;
static struct task_struct *tasks[TASKS];
static struct msg_open msg = { .head = { .cmd = CMD_INVOKE, .session = 1 } };

static void place_tasks(unsigned int seed)
{
	static bool taken[BLOCKS];
	const int in_block = BLOCK / sizeof(struct task_struct);
	size_t block = 0;

	srandom(seed);
	memset(taken, 0, sizeof(taken));
	for (int i = 0; i < TASKS; i++) {
		if (i % in_block == 0) {
			do
				block = (size_t)random() % BLOCKS;
			while (taken[block]);
			taken[block] = true;
		}
		tasks[i] = (void *)(room + block * BLOCK +
				    (size_t)(i % in_block) * sizeof(struct task_struct));
		*tasks[i] =
			(struct task_struct){ .pid = 100 + i,
					      .tgid = 100 + i,
					      .group_leader = tasks[i],
					      .stack = (void *)(0x40000000UL + (u64)i * STACK) };
	}
}

static void begin(int task)
{
	current_task = tasks[task];
	call_begin(&context, (u64)&teedev, (u64)&msg, CLASS_NORMAL);
	call_enter(enter_ctx);
}

static void end(int task)
{
	struct arm_smccc_res res = {};

	current_task = tasks[task];
	call_exit(0, &res);
	call_end(current_ns);
}

UNIT_TEST(all_have_room)
{
	room = aligned_alloc(BLOCK, (size_t)BLOCKS * BLOCK);
	assert_non_null(room);
	for (unsigned int seed = 1; seed <= 10; seed++) {
		memset(&shared, 0, sizeof(shared));
		memset(session_rows, 0, sizeof(session_rows));
		memset(refs, 0, sizeof(refs));
		optee.call_queue.total_thread_count = 2000;
		optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
							       &optee.call_queue.waiters };
		place_tasks(seed);
		/* The second and third time their places are those of tasks that are gone. */
		for (int first = 0; first < TASKS; first += CALLS) {
			for (int i = 0; i < CALLS; i++)
				begin(first + i);
			assert_int_equal(pool_state(shared.pools[0].state).in_use[CLASS_NORMAL],
					 CALLS);
			for (int i = 0; i < CALLS; i++)
				assert_non_null(call_find((u64)tasks[first + i]));
			for (int i = 0; i < CALLS; i++)
				end(first + i);
		}
		assert_int_equal(shared.loss[LOSS_CALL_SLOT], 0);
		assert_int_equal(shared.loss[LOSS_CALL_END], 0);
		assert_int_equal(pool_state(shared.pools[0].state).in_use[CLASS_NORMAL], 0);
	}
	free(room);
}
