// SPDX-License-Identifier: GPL-2.0-only
/* The lock of the argument cache: who waits for it, whose time that is, and convoys. */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "fixtures/bpf_native.h"

enum { T, OTHER, THIRD, TASKS };

static const struct tee_desc desc = { "optee-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context context = { .teedev = &teedev };
static struct task_struct tasks[TASKS];
static struct optee_call_waiter waiters[TASKS];
static struct msg_head invoke = { .cmd = CMD_INVOKE, .session = 7 };
static struct msg_head registers = { .cmd = CMD_SHM_REGISTER };

static int start(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	ring_nr = 0;
	if (!ring)
		ring = calloc(RING_ROOM, sizeof(*ring));
	if (!record_ring)
		record_ring = calloc(16, sizeof(*record_ring));
	record_ring_nr = 0;
	record_ring_room = 16;
	record_calls = true;
	records_wanted = 1;
	optee = (struct optee){ .call_queue = { .total_thread_count = 2, .free_thread_count = 2 },
				.rpc_param_count = 1 };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	for (int i = 0; i < TASKS; i++)
		tasks[i] = (struct task_struct){ .pid = 100 + i,
						 .tgid = 100 + i,
						 .group_leader = &tasks[i] };
	get_argument = 0x1000;
	free_argument = 0x1400;
	native_frames[0] = 0x99000; /* mutex_lock() */
	current_ns = 1000000;
	pool_find((u64)&teedev);
	return 0;
}

static void at(int task, u64 ns)
{
	current_task = &tasks[task];
	current_ns = ns;
}

static u64 lock(void)
{
	return (u64)&optee.shm_arg_cache.mutex;
}

static void wait_to_get(int task, u64 ns)
{
	at(task, ns);
	native_frames[1] = get_argument + 0x80;
	lock_contended(lock(), NULL);
}

static void wait_to_free(int task, u64 ns)
{
	at(task, ns);
	native_frames[1] = free_argument + 0x80;
	lock_contended(lock(), NULL);
}

static void has_lock(int task, u64 ns)
{
	at(task, ns);
	lock_taken(lock());
}

static void begin(int task, struct msg_head *msg, u64 ns)
{
	at(task, ns);
	call_begin(&context, (u64)&teedev, (u64)msg, CLASS_NORMAL);
}

static void leave_secure(u64 a0)
{
	struct arm_smccc_res res = { .a0 = a0 };

	call_exit(a0, &res);
}

/* A call of 100 ns. */
static void call(int task, struct msg_head *msg, u64 ns)
{
	begin(task, msg, ns);
	call_enter(enter_ctx);
	at(task, ns + 100);
	leave_secure(0);
	call_end(current_ns);
}

static const struct class_sums *sums(void)
{
	return session_rows[session_find(0, 7)].sums;
}

static const struct class_sums *sums_of_none(void)
{
	return session_rows[SLOT_NONE(0)].sums;
}

static u64 lost(void)
{
	return shared.loss[LOSS_ARGUMENT];
}

/* It spins before it sleeps: the kernel tells of both, and it is one wait. */
UNIT_TEST_SETUP(wait_before_the_queue, start)
{
	wait_to_get(T, 2000);
	assert_int_equal(shared.pools[0].at_arguments, 1);
	wait_to_get(T, 2500);
	assert_int_equal(shared.pools[0].at_arguments, 1);
	has_lock(T, 7000);
	assert_int_equal(shared.pools[0].at_arguments, 0);
	call(T, &invoke, 7100);
	assert_int_equal(sums()->argument_waits, 1);
	assert_int_equal(sums()->argument_ns, 5000);
	assert_int_equal(sums()->argument_max_ns, 5000);
	assert_int_equal(sums()->wait_ns, 0);
	assert_int_equal(record_ring[0].argument_ns, 5000);
	assert_int_equal(record_ring[0].flags, RECORD_ARGUMENT);
	call(T, &invoke, 8000); /* the next one has not waited */
	assert_int_equal(sums()->argument_waits, 1);
	assert_int_equal(record_ring[1].argument_ns, 0);
	assert_int_equal(lost(), 0);
}

UNIT_TEST_SETUP(wait_after_the_call, start)
{
	call(T, &invoke, 2000);
	wait_to_free(T, 2200);
	assert_int_equal(call_find((u64)&tasks[T])->phase, PHASE_RELEASE);
	has_lock(T, 5200);
	assert_int_equal(sums()->releases, 1);
	assert_int_equal(sums()->release_ns, 3000);
	assert_int_equal(sums()->calls, 1);
	assert_int_equal(shared.records[0].emitted, 1); /* it is no call */
	assert_int_equal(record_ring[1].flags, RECORD_ARGUMENT | RECORD_RELEASE);
	assert_int_equal(record_ring[1].start_ns, 2200);
	assert_int_equal(record_ring[1].argument_ns, 3000);
	call(T, &invoke, 6000);
	assert_int_equal(sums()->argument_waits, 0);
	assert_int_equal(lost(), 0);
}

/* A call from before the attach: its release is none of the calls that are looked after. */
UNIT_TEST_SETUP(release_of_a_late_call, start)
{
	struct pool_state s;
	struct call *c;

	begin(T, &invoke, 2000);
	c = call_find((u64)&tasks[T]);
	c->flags |= CALL_LATE;
	call_enter(enter_ctx);
	leave_secure(0);
	call_end(current_ns);
	wait_to_free(T, 2200);
	assert_false(c->flags & CALL_LATE);
	call_uncount(c, 2300); /* whoever takes it for one */
	s = pool_state(shared.pools[0].state);
	assert_int_equal(s.in_use[CLASS_NORMAL], 0);
	has_lock(T, 5200);
	assert_int_equal(sums()->releases, 1);
}

/* The row was given to another session while the task waited. */
UNIT_TEST_SETUP(release_of_a_closed_session, start)
{
	call(T, &invoke, 2000);
	wait_to_free(T, 2200);
	session_rows[session_find(0, 7)].serial += 1;
	has_lock(T, 5200);
	assert_int_equal(sums()->releases, 0);
	assert_int_equal(sums_of_none()->releases, 1);
}

/* With the cache locked, the task registers a page: its own call counts from before that. */
UNIT_TEST_SETUP(page_counts_for_its_owner, start)
{
	wait_to_get(T, 2000);
	has_lock(T, 3000);
	optee.shm_arg_cache.mutex.owner = &tasks[T];
	call(T, &registers, 3100);
	optee.shm_arg_cache.mutex.owner = NULL;
	call(T, &invoke, 3300);
	assert_int_equal(sums()->argument_ns, 1000 + 100);
	assert_int_equal(sums_of_none()->calls, 1);
	assert_int_equal(sums_of_none()->argument_ns, 0);
	assert_int_equal(record_ring[0].argument_ns, 0);
	assert_int_equal(record_ring[1].argument_ns, 1100);
	call(T, &registers, 4000); /* a client's own memory: nothing is locked */
	call(T, &invoke, 5000);
	assert_int_equal(sums()->argument_ns, 1100);
}

static void registers_in_queue(void)
{
	optee.call_queue.free_thread_count = 0;
	optee.shm_arg_cache.mutex.owner = &tasks[T];
	begin(T, &registers, 3000);
	call_wait((u64)&waiters[T]);
}

UNIT_TEST_SETUP(convoy_of_two, start)
{
	registers_in_queue();
	wait_to_get(OTHER, 4000);
	optee.shm_arg_cache.mutex.owner = (void *)((u64)&tasks[T] | MUTEX_WAITERS);
	wait_to_get(THIRD, 4500);
	at(T, 9000);
	call_enter(enter_ctx);
	assert_int_equal(shared.pools[0].conds[COND_CONVOY].count, 1);
	assert_int_equal(shared.pools[0].conds[COND_CONVOY].ns, 5000);
	assert_int_equal(shared.pools[0].conds[COND_CONVOY].peak, 2);
	assert_int_equal(ring_nr, 1);
	assert_int_equal(ring[0].cond, COND_CONVOY);
	assert_int_equal(ring[0].parties[0].tid, 100);
}

/* Nobody else wants an argument; or its owner does not have to wait. */
UNIT_TEST_SETUP(no_convoy, start)
{
	registers_in_queue();
	at(T, 9000);
	call_enter(enter_ctx);
	at(T, 9100);
	leave_secure(0);
	call_end(current_ns);
	begin(T, &registers, 9200);
	wait_to_get(OTHER, 9300);
	at(T, 9400);
	call_enter(enter_ctx);
	assert_int_equal(shared.pools[0].conds[COND_CONVOY].count, 0);
}

/* In an RPC of another call of the same task. */
UNIT_TEST_SETUP(nested_wait, start)
{
	begin(T, &invoke, 2000);
	call_enter(enter_ctx);
	at(T, 2100);
	leave_secure(0xffff0000);
	wait_to_get(T, 2200);
	has_lock(T, 3200);
	call(T, &invoke, 3300);
	assert_int_equal(sums()->argument_ns, 1000);
	at(T, 4000);
	call_enter(enter_ctx);
	at(T, 4100);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(sums()->calls, 2);
	assert_int_equal(sums()->argument_waits, 1);
	assert_int_equal(lost(), 0);
}

/* It comes to nothing: the outer call goes on. */
UNIT_TEST_SETUP(nested_wait_in_vain, start)
{
	begin(T, &invoke, 2000);
	call_enter(enter_ctx);
	at(T, 2100);
	leave_secure(0xffff0000);
	wait_to_get(T, 2200);
	has_lock(T, 3200);
	at(T, 4000);
	call_enter(enter_ctx);
	assert_int_equal(call_find((u64)&tasks[T])->phase, PHASE_SECURE);
	at(T, 4100);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(sums()->calls, 1);
	assert_int_equal(sums()->hold_ns, 2100);
	assert_int_equal(sums()->secure_ns, 200);
	assert_int_equal(shared.pools[0].at_arguments, 0);
}

/* The driver made no call with it: what was waited is in no call's figures, and is counted. */
UNIT_TEST_SETUP(wait_in_vain, start)
{
	wait_to_get(T, 2000);
	has_lock(T, 3000);
	call(T, &invoke, 3000 + ARGUMENT_GAP_NS + 1);
	assert_int_equal(sums()->argument_waits, 0);
	assert_int_equal(lost(), 1);
}

/* It waited when we attached: since when is not known. */
UNIT_TEST_SETUP(wait_from_before, start)
{
	has_lock(T, 3000);
	assert_int_equal(lost(), 1);
	call(T, &invoke, 3100);
	assert_int_equal(sums()->argument_waits, 0);
}

/* The device is gone, and its memory is that of another lock. */
UNIT_TEST_SETUP(another_lock, start)
{
	at(T, 2000);
	native_frames[1] = 0x77000;
	lock_contended(lock(), NULL);
	assert_null(call_find((u64)&tasks[T]));
	lock_contended(lock() + 8, NULL);
	assert_int_equal(shared.pools[0].at_arguments, 0);
}

/* The kernel skipped the hooks of its end and of the call's begin. */
UNIT_TEST_SETUP(call_unseen, start)
{
	struct pool_state s;

	wait_to_get(T, 2000);
	at(T, 3000);
	call_end(current_ns);
	s = pool_state(shared.pools[0].state);
	assert_int_equal(s.in_use[CLASS_NORMAL], 0); /* it has never been in the queue */
	assert_int_equal(shared.pools[0].at_arguments, 0);
	assert_int_equal(lost(), 1);
	call(T, &invoke, 4000);
	assert_int_equal(sums()->calls, 1);
}

/* The slot goes to another task between the wait and the call. */
UNIT_TEST_SETUP(slot_taken_over, start)
{
	struct call *c;

	wait_to_get(T, 2000);
	has_lock(T, 3000);
	c = call_own((u64)&tasks[T]);
	c->key = CALL_KEY_IDLE;
	assert_ptr_equal(call_take((u64)&tasks[T], true), c);
	assert_int_equal(c->argument_ns, 0);
	assert_int_equal(lost(), 1);
}

/* The kernel skipped the hook of the end: the slot goes on with the call. */
UNIT_TEST_SETUP(end_unseen, start)
{
	wait_to_get(T, 2000);
	call(T, &invoke, 3100);
	assert_int_equal(lost(), 1);
	assert_int_equal(sums()->calls, 1);
	assert_int_equal(sums()->argument_waits, 0);
	assert_int_equal(shared.pools[0].at_arguments, 0);
}
