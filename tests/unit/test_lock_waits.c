// SPDX-License-Identifier: GPL-2.0-only
/* Who is seen asleep for a lock of OP-TEE, and who sleeps for something else. */
#include "unit.h"
#include "fixtures/bpf_native.h"

#define SLEEPERS 3
#define MAX_KEY  66 /* of two threads, and 64 events */
#define LOOK     1000

static struct optee optee;
static struct task_struct tasks[SLEEPERS];
static struct notif_entry entries[SLEEPERS];
static struct swait_queue sleepers[SLEEPERS];
static struct call *calls[SLEEPERS];
static char page[2][4096];
static struct tee_shm shms[2];
static struct optee_shm_arg_entry args[2];

/* The driver's, where this call's message is. */
static struct msg_notification *message(int i)
{
	size_t size = MSG_SIZE(MAX_ARG_PARAMS) + MSG_SIZE(4);
	struct msg_head *head = (void *)(page[1] + i * size);

	head->num_params = 4;
	return (void *)((char *)head + MSG_SIZE(4));
}

/* Three calls; each waits without a limit for the thread with its number. */
static int start(void **state)
{
	struct list_head *last = &optee.notif.db;
	struct pool *pool = &shared.pools[1];

	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(page, 0, sizeof(page));
	optee = (struct optee){ .rpc_param_count = 4, .notif.max_key = MAX_KEY };
	optee.smc.sec_caps = OPTEE_SMC_SEC_CAP_ASYNC_NOTIF;
	pool->queue = (u64)&optee.call_queue;
	for (int i = 0; i < SLEEPERS; i++) {
		struct notif_entry *e = &entries[i];

		tasks[i] = (struct task_struct){ .pid = 100 + i };
		calls[i] = call_take((u64)&tasks[i], true);
		calls[i]->pool = 1;
		calls[i]->phase = PHASE_RPC;
		calls[i]->rpc_kind = RPC_NOTIFICATION;
		calls[i]->msg = 1;
		calls[i]->flags = 0;
		*message(i) = (struct msg_notification){
			.head.cmd = OPTEE_RPC_CMD_NOTIFICATION,
			.what = OPTEE_RPC_NOTIFICATION_WAIT,
			.number = 63 + i,
		};
		shared.requests[call_index(calls[i])] = (u64)message(i);
		*e = (struct notif_entry){ .key = 63 + i };
		sleepers[i].task = &tasks[i];
		e->c.wait.task_list.next = &sleepers[i].task_list;
		last = last->next = &e->link;
	}
	last->next = &optee.notif.db;
	for (int i = 0; i < 2; i++) {
		shms[i] = (struct tee_shm){ .kaddr = page[i], .size = sizeof(page[i]) };
		args[i].shm = &shms[i];
	}
	optee.shm_arg_cache.shm_args.next = &args[0].list_node;
	args[0].list_node.next = &args[1].list_node;
	args[1].list_node.next = &optee.shm_arg_cache.shm_args;
	return 0;
}

static void look(void)
{
	inspect_locks(&shared.pools[1], LOOK);
}

static bool is_seen(int i)
{
	return shared.lock_waits[call_index(calls[i])].seen_ns == LOOK;
}

static u32 rank(int i)
{
	return shared.lock_waits[call_index(calls[i])].rank;
}

UNIT_TEST_SETUP(each_has_its_rank, start)
{
	look();
	for (int i = 0; i < SLEEPERS; i++)
		assert_true(is_seen(i));
	/* The first one is beyond the two threads: it waits for an event. */
	assert_int_equal(rank(0), 3);
	assert_int_equal(rank(1), 2);
	assert_int_equal(rank(2), 1);
	optee.smc.sec_caps = 0; /* there are no events */
	look();
	assert_int_equal(rank(0), 0);
	assert_int_equal(rank(2), 0);
}

UNIT_TEST_SETUP(who_has_a_limit_is_left_out, start)
{
	message(0)->limit_ms = 1;
	message(1)->what = 1; /* it sends */
	message(2)->number = 1;
	look();
	for (int i = 0; i < SLEEPERS; i++)
		assert_false(is_seen(i));
}

UNIT_TEST_SETUP(who_was_woken_is_left_out, start)
{
	entries[0].c.done = 1;
	entries[1].c.wait.task_list.next = &entries[1].c.wait.task_list;
	calls[2]->phase = PHASE_SECURE; /* and goes on */
	look();
	for (int i = 0; i < SLEEPERS; i++)
		assert_false(is_seen(i));
}

UNIT_TEST_SETUP(only_its_own_pool, start)
{
	calls[0]->pool = 0; /* by the other device */
	tasks[1].pid = 0;
	calls[1]->key = 0; /* of nobody whom we know */
	look();
	assert_false(is_seen(0));
	assert_true(is_seen(2));
}

UNIT_TEST_SETUP(late_ones, start)
{
	for (int i = 0; i < SLEEPERS; i++) {
		calls[i]->flags = CALL_LATE;
		calls[i]->msg = 0;
		calls[i]->rpc_kind = RPC_OTHER;
	}
	message(1)->limit_ms = 5;
	message(2)->number = 7;
	look();
	assert_true(is_seen(0));
	assert_false(is_seen(1));
	assert_false(is_seen(2)); /* its message was not found */
	assert_int_equal(rank(0), 3);

	/* A call that has ended left the same number there, with a limit. */
	assert_int_equal(start(NULL), 0);
	calls[0]->flags = CALL_LATE;
	calls[0]->msg = 0;
	*message(5) = *message(0);
	look();
	assert_true(is_seen(0));
	assert_true(is_seen(1));
	shared.lock_waits[call_index(calls[0])].seen_ns = 0;
	message(5)->limit_ms = 5;
	look();
	assert_false(is_seen(0));
	message(5)->limit_ms = 0;
	optee.rpc_param_count = 0; /* the messages of RPCs are elsewhere */
	look();
	assert_false(is_seen(0));
}
