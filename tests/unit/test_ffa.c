// SPDX-License-Identifier: GPL-2.0-only
/* Calls by FF-A: which messages are theirs, and what the answers say. */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "fixtures/bpf_native.h"

#define DEVICE    0x1000UL
#define WITH_ARG  0x80000000UL
#define RESUME    0x80000001UL
#define FAST_CALL 3UL

static const struct tee_desc desc = { "optee-ffa-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context context = { .teedev = &teedev };
static struct task_struct task = { .pid = 100, .tgid = 100, .group_leader = &task };
static struct optee_call_waiter waiter;
static struct msg_open invoke = { .head = { .cmd = CMD_INVOKE, .session = 7 } };

static int start(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	optee = (struct optee){ 0 };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	native_ffa = DEVICE;
	native_function = 0;
	follows_smc = false;
	smc_function = ffa_function = 0;
	follows_ffa = true;
	current_task = &task;
	current_ns = 1000;
	return 0;
}

static const struct call *the_call(void)
{
	return call_find((u64)&task);
}

static void begin(void)
{
	call_begin(&context, (u64)&teedev, (u64)&invoke, CLASS_NORMAL);
}

/* Sends a message, and has the answer 100 ns later. */
static void exchange(u64 device, unsigned long first, long err, u32 result, u32 what)
{
	ffa_sends(device, (u32)first);
	current_ns += 100;
	ffa_answered(call_find((u64)&task), err, result, what);
}

static void end(void)
{
	current_ns += 10;
	call_end(current_ns);
}

static const struct class_sums *sums(void)
{
	return &session_rows[0].sums[CLASS_NORMAL];
}

UNIT_TEST_SETUP(ffa_plain, start)
{
	begin();
	current_ns += 30;
	exchange(DEVICE, WITH_ARG, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	assert_int_equal(the_call()->phase, PHASE_DONE);
	end();
	assert_null(the_call());
	assert_int_equal(sums()->calls, 1);
	assert_int_equal(sums()->wait_ns, 30);
	assert_int_equal(sums()->hold_ns, 100);
	assert_int_equal(sums()->secure_ns, 100);
	assert_int_equal(sums()->limits, 0);
}

UNIT_TEST_SETUP(ffa_rpcs, start)
{
	struct {
		struct msg_head head, rpc;
	} msg = { { .cmd = CMD_INVOKE, .session = 7 }, { .cmd = OPTEE_RPC_CMD_FS } };

	call_begin(&context, (u64)&teedev, (u64)&msg, CLASS_NORMAL);
	exchange(DEVICE, WITH_ARG, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_RPC_CMD);
	assert_int_equal(the_call()->phase, PHASE_RPC);
	assert_int_equal(the_call()->rpc_kind, RPC_FS);
	current_ns += 40;
	exchange(DEVICE, RESUME, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_INTERRUPT);
	assert_int_equal(the_call()->rpc_kind, RPC_FOREIGN_INTR);
	exchange(DEVICE, RESUME, 0, TEEC_SUCCESS, 77); /* the driver goes on with it */
	assert_int_equal(the_call()->rpc_kind, RPC_OTHER);
	exchange(DEVICE, RESUME, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	end();
	assert_int_equal(session_rows[0].rpc_count[RPC_FS], 1);
	assert_int_equal(session_rows[0].rpc_ns[RPC_FS], 40);
	assert_int_equal(session_rows[0].rpc_count[RPC_FOREIGN_INTR], 1);
	assert_int_equal(sums()->hold_ns, 440);
	assert_int_equal(sums()->secure_ns, 400);
}

UNIT_TEST_SETUP(ffa_refused, start)
{
	begin();
	exchange(DEVICE, WITH_ARG, 0, TEEC_ERROR_BUSY, 0);
	assert_int_equal(the_call()->phase, PHASE_LIMIT);
	assert_int_equal(pool_state(shared.pools[0].state).in_use[CLASS_NORMAL], 0);
	waiter.c.wait.task_list.next = &waiter.c.wait.task_list;
	call_wait((u64)&waiter);
	assert_int_equal(pool_state(shared.pools[0].state).waiting[CLASS_NORMAL], 1);
	current_ns += 500;
	exchange(DEVICE, WITH_ARG, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	end();
	assert_int_equal(sums()->waited, 1);
	assert_int_equal(sums()->limits, 1);
	assert_int_equal(sums()->wait_ns, 500);
	assert_int_equal(sums()->hold_ns, 200);
	assert_int_equal(shared.pools[0].conds[COND_COUNT_MISMATCH].count, 0);
}

/* Then the driver ends the call. */
UNIT_TEST_SETUP(ffa_fails, start)
{
	begin();
	exchange(DEVICE, WITH_ARG, -5, TEEC_ERROR_BUSY, OPTEE_FFA_RETURN_RPC_CMD);
	assert_int_equal(the_call()->phase, PHASE_DONE);
	end();
	begin();
	exchange(DEVICE, WITH_ARG, 0, 0xffff0006, OPTEE_FFA_RETURN_RPC_CMD);
	assert_int_equal(the_call()->phase, PHASE_DONE);
	end();
	assert_int_equal(sums()->calls, 2);
}

/* Calls that need no thread, and those of other secure partitions; nobody is blind for them. */
UNIT_TEST_SETUP(ffa_others, start)
{
	exchange(DEVICE, FAST_CALL, 0, TEEC_SUCCESS, 0);
	exchange(DEVICE + 1, WITH_ARG, 0, TEEC_SUCCESS, 0);
	begin();
	exchange(DEVICE + 1, WITH_ARG, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	assert_int_equal(the_call()->phase, PHASE_QUEUED);
	exchange(DEVICE, WITH_ARG, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_INTERRUPT);
	exchange(DEVICE, FAST_CALL, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	exchange(DEVICE + 1, RESUME, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	assert_int_equal(the_call()->phase, PHASE_RPC);
	exchange(DEVICE, RESUME, 0, TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	end();
	assert_int_equal(sums()->secure_ns, 200);
	assert_int_equal(exits_unseen, 0);
}

UNIT_TEST_SETUP(ffa_kretprobe, start)
{
	struct ffa_send_direct_data data = { .data0 = WITH_ARG };

	begin();
	kprobe_ffa_sends(DEVICE, &data);
	data.data0 = TEEC_ERROR_BUSY;
	kretprobe_ffa_answered(0);
	assert_int_equal(the_call()->phase, PHASE_LIMIT);
	data.data0 = FAST_CALL;
	kprobe_ffa_sends(DEVICE, &data);
	kretprobe_ffa_answered(0);
	assert_int_equal(the_call()->phase, PHASE_LIMIT);
	data = (struct ffa_send_direct_data){ .data0 = WITH_ARG };
	kprobe_ffa_sends(DEVICE, &data);
	data = (struct ffa_send_direct_data){ .data1 = OPTEE_FFA_RETURN_DONE };
	kretprobe_ffa_answered(0);
	end();
	assert_int_equal(sums()->calls, 1);
}

/* Three tasks, each with a waiter on its stack: the first two are in an RPC, the third was refused. */
#define STACK 16384

static char stacks[4][STACK] __attribute__((aligned(STACK)));
static struct task_struct many[3];

static struct optee_call_waiter *waiter_of(int t)
{
	return (struct optee_call_waiter *)&stacks[t][STACK / 2];
}

static void queue_add(int t)
{
	struct list_head *head = &optee.call_queue.waiters, *node = &waiter_of(t)->list_node;

	*node = (struct list_head){ head, head->prev };
	head->prev->next = node;
	head->prev = node;
}

static void queue_del(int t)
{
	struct list_head *node = &waiter_of(t)->list_node;

	node->prev->next = node->next;
	node->next->prev = node->prev;
}

static void at(int t, u64 ns)
{
	current_task = &many[t];
	current_ns = ns;
}

static void begin_at(int t, u64 ns)
{
	many[t] = (struct task_struct){
		.pid = 200 + t, .tgid = 200 + t, .group_leader = &many[t], .stack = stacks[t]
	};
	memset(waiter_of(t), 0, sizeof(*waiter_of(t)));
	waiter_of(t)->c.wait.task_list.next = &waiter_of(t)->c.wait.task_list;
	at(t, ns);
	begin();
	queue_add(t);
}

static void answer(u32 result, u32 what)
{
	ffa_sends(DEVICE, (u32)WITH_ARG);
	ffa_answered(call_find((u64)current_task), 0, result, what);
}

/* As optee_cq_complete_one() begins; then it wakes somebody. */
static void end_and_wake(int t, int woken)
{
	queue_del(t);
	call_ends_and_wakes((u64)&optee.call_queue);
	waiter_of(woken)->c.done = 1;
	if (waiter_of(t)->c.done) /* it passes the wake on that it had no use for */
		call_ends_and_wakes((u64)&optee.call_queue);
}

static const struct pool *the_pool(void)
{
	return &shared.pools[0];
}

static void two_in_rpc(void)
{
	stack_bytes = STACK;
	unsettled = false;
	for (int t = 0; t < 2; t++) {
		begin_at(t, 1000 + t);
		answer(TEEC_SUCCESS, OPTEE_FFA_RETURN_INTERRUPT);
	}
}

UNIT_TEST_SETUP(ffa_threads_at_least, start)
{
	two_in_rpc();
	assert_int_equal(the_pool()->threads_at_least, 2);
	/* Three are in OP-TEE, for all that we know; but one of them is refused. */
	begin_at(2, 2000);
	answer(TEEC_ERROR_BUSY, 0);
	assert_int_equal(the_pool()->threads_at_least, 2);
	at(1, 3000);
	answer(TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	assert_int_equal(the_pool()->in_rpc, 1);
	end_and_wake(1, 0);
	at(2, 3100);
	answer(TEEC_SUCCESS, OPTEE_FFA_RETURN_INTERRUPT);
	assert_int_equal(the_pool()->in_rpc, 2);
	assert_int_equal(the_pool()->threads_at_least, 2);
	call_abandon(call_find((u64)&many[2]), 3200);
	assert_int_equal(the_pool()->in_rpc, 1);
}

/* The end of the second wakes the first, which does not sleep. */
UNIT_TEST_SETUP(ffa_stranded, start)
{
	two_in_rpc();
	begin_at(2, 2000);
	answer(TEEC_ERROR_BUSY, 0);
	call_wait((u64)waiter_of(2));
	assert_int_equal(the_pool()->lasting[COND_STRANDED].serial, 0);
	at(1, 3000);
	answer(TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	end_and_wake(1, 0);
	assert_int_equal(the_pool()->lasting[COND_STRANDED].serial, 1);
	at(0, 9000);
	answer(TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	end_and_wake(0, 2);
	assert_int_equal(the_pool()->lasting[COND_STRANDED].serial, 0);
	assert_int_equal(the_pool()->conds[COND_STRANDED].count, 1);
	assert_int_equal(the_pool()->conds[COND_STRANDED].ns, 6000);
}

/* Somebody is in the queue whom we do not know: he may have the thread. */
UNIT_TEST_SETUP(ffa_not_stranded, start)
{
	two_in_rpc();
	begin_at(2, 2000);
	answer(TEEC_ERROR_BUSY, 0);
	call_wait((u64)waiter_of(2));
	memset(waiter_of(3), 0, sizeof(*waiter_of(3)));
	queue_add(3);
	at(1, 3000);
	answer(TEEC_SUCCESS, OPTEE_FFA_RETURN_DONE);
	end_and_wake(1, 0);
	assert_int_equal(the_pool()->lasting[COND_STRANDED].serial, 0);
	queue_del(3);
}

static u8 sight(u64 ffa, u64 function)
{
	memset(shared.pools, 0, sizeof(shared.pools));
	native_ffa = ffa;
	native_function = function;
	pool_find((u64)&teedev);
	return shared.pools[0].sight;
}

/* A device is followed by the hooks that are on its function, and only by them. */
UNIT_TEST_SETUP(ffa_sight, start)
{
	assert_int_equal(sight(DEVICE, 0), SIGHT_FOLLOWED);
	assert_int_equal(sight(0, 0), SIGHT_OTHER);
	follows_smc = true;
	assert_int_equal(sight(0, 0), SIGHT_FOLLOWED);
	smc_function = 0x100;
	ffa_function = 0x200;
	assert_int_equal(sight(0, 0x100), SIGHT_FOLLOWED);
	assert_int_equal(sight(0, 0x200), SIGHT_OTHER);
	assert_int_equal(sight(DEVICE, 0x200), SIGHT_FOLLOWED);
	assert_int_equal(sight(DEVICE, 0x300), SIGHT_OTHER);
	follows_ffa = false;
	assert_int_equal(sight(DEVICE, 0x200), SIGHT_FFA);
	assert_int_equal(sight(0, 0x100), SIGHT_FOLLOWED);
	assert_int_equal(sight(0, 0x300), SIGHT_OTHER);
}
