// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a call, without a kernel: single cases, and ten thousand random
 * steps of many tasks compared with a model that counts in the plainest way.
 */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "fixtures/bpf_native.h"
#include "model/hist.h"

static const struct tee_desc desc = { "optee-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context user_context = { .teedev = &teedev };
static struct tee_context kernel_context = { .teedev = &teedev, .supp_nowait = true };

#define TASKS 64

static struct task_struct tasks[TASKS];
static struct optee_call_waiter waiters[TASKS];

static int start(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	ring_nr = 0;
	if (!ring)
		ring = calloc(RING_ROOM, sizeof(*ring));
	optee = (struct optee){ .call_queue = { .total_thread_count = 2, .free_thread_count = 2 },
				.rpc_param_count = 1 };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	for (int i = 0; i < TASKS; i++) {
		tasks[i] = (struct task_struct){ .pid = 100 + i,
						 .tgid = 100 + i,
						 .group_leader = &tasks[i] };
		snprintf(tasks[i].comm, sizeof(tasks[i].comm), "task%d", i);
	}
	current_ns = 1000000;
	return 0;
}

static void at(int task, u64 ns)
{
	current_task = &tasks[task];
	current_ns = ns;
}

static void begin(struct msg_open *msg, u8 class)
{
	call_begin(&user_context, (u64)&teedev, (u64)msg, class);
}

static s32 in_use_now(int class)
{
	return pool_state(shared.pools[0].state).in_use[class];
}

static s32 waiting_now(void)
{
	struct pool_state s = pool_state(shared.pools[0].state);

	return s.waiting[CLASS_NORMAL] + s.waiting[CLASS_SYSTEM];
}

static void leave_secure(u64 a0)
{
	struct arm_smccc_res res = { .a0 = a0 };

	call_exit(a0, &res);
}

#define RPC(function) (0xffff0000UL | (function))

/* A session of task 0, opened in the ordinary way; returns its row. */
static struct session *open_session(u32 id, struct tee_context *tee)
{
	struct msg_open msg = { .head = { .cmd = CMD_OPEN, .num_params = 2 },
				.ta = { .octets = { 0xaa, 1 } } };

	call_begin(tee, (u64)&teedev, (u64)&msg, CLASS_NORMAL);
	call_enter(enter_ctx);
	msg.head.session = id;
	leave_secure(0);
	call_end(current_ns);
	return &session_rows[session_find(0, id)];
}

static struct msg_open invoke_of(u32 id)
{
	return (struct msg_open){ .head = { .cmd = CMD_INVOKE, .session = id } };
}

UNIT_TEST_SETUP(phases_add_up, start)
{
	struct msg_open msg = invoke_of(7);
	struct session *s;

	at(0, 1000);
	s = open_session(7, &user_context);
	assert_int_equal(s->state, SESSION_OPEN);
	assert_true(s->flags & SESSION_USER);
	assert_string_equal(s->comm, "task0");
	assert_int_equal(s->uuid[0], 0xaa);

	at(0, 10000);
	begin(&msg, CLASS_NORMAL);
	call_wait((u64)&waiters[0]);
	call_wait((u64)&waiters[0]);
	assert_int_equal(waiting_now(), 1);
	at(0, 15000);
	call_enter(enter_ctx);
	assert_int_equal(waiting_now(), 0);
	assert_int_equal(in_use_now(CLASS_NORMAL), 1);
	at(0, 16000);
	leave_secure(RPC(OPTEE_SMC_RPC_FOREIGN_INTR));
	at(0, 16500);
	call_enter(enter_ctx);
	at(0, 18500);
	leave_secure(0);
	at(0, 19000);
	msg.head.ret = 0xffff0006;
	call_end(current_ns);
	assert_int_equal(s->sums[0].calls, 2);
	assert_int_equal(s->sums[0].waited, 1);
	assert_int_equal(s->sums[0].wait_ns, 5000);
	assert_int_equal(s->sums[0].hold_ns, 3500);
	assert_int_equal(s->sums[0].secure_ns, 3000);
	assert_int_equal(s->sums[0].failed, 1);
	assert_int_equal(s->last_failure, 0xffff0006);
	assert_int_equal(s->rpc_count[RPC_FOREIGN_INTR], 1);
	assert_int_equal(s->rpc_ns[RPC_FOREIGN_INTR], 500);
	assert_int_equal(s->wait.count[hist_bucket(5000)], 1);
	assert_int_equal(s->in_flight, 0);
	assert_int_equal(in_use_now(CLASS_NORMAL) + in_use_now(CLASS_SYSTEM), 0);
}

/* The kernel's half of the histogram against src/model/hist.c, through whole calls. */
UNIT_TEST_SETUP(buckets_agree_with_user_space, start)
{
	struct msg_open msg = invoke_of(1);
	struct session *s;

	at(0, 1000);
	s = open_session(1, &user_context);
	for (u64 ns = 0; ns < 1ULL << 40; ns += ns / 37 + 1) {
		u64 half = ns / 2;

		memset(&s->wait, 0, 3 * sizeof(s->wait));
		begin(&msg, CLASS_NORMAL);
		at(0, current_ns + ns);
		call_enter(enter_ctx);
		at(0, current_ns + half);
		leave_secure(RPC(OPTEE_SMC_RPC_FOREIGN_INTR));
		at(0, current_ns + ns - half);
		call_enter(enter_ctx);
		leave_secure(0);
		call_end(current_ns);
		assert_int_equal(s->wait.count[hist_bucket(ns)], 1);
		assert_int_equal(s->hold.count[hist_bucket(ns)], 1);
		assert_int_equal(s->secure.count[hist_bucket(half)], 1);
	}
}

UNIT_TEST_SETUP(nested_call, start)
{
	struct msg_open outer = invoke_of(1), inner = invoke_of(2);
	struct session *a, *b;

	at(3, 1000);
	a = open_session(1, &user_context);
	b = open_session(2, &kernel_context);
	assert_true(b->flags & SESSION_KERNEL);
	at(3, 2000);
	begin(&outer, CLASS_NORMAL);
	call_enter(enter_ctx);
	at(3, 3000);
	leave_secure(RPC(OPTEE_SMC_RPC_FREE));
	at(3, 4000);
	begin(&inner, CLASS_SYSTEM);
	call_enter(enter_ctx);
	assert_int_equal(in_use_now(CLASS_NORMAL), 1);
	assert_int_equal(in_use_now(CLASS_SYSTEM), 1);
	at(3, 4500);
	leave_secure(0);
	call_end(current_ns);
	at(3, 5000);
	call_enter(enter_ctx);
	leave_secure(0);
	at(3, 6000);
	call_end(current_ns);
	assert_int_equal(b->sums[CLASS_SYSTEM].hold_ns, 500);
	assert_true(b->flags & SESSION_SYSTEM);
	assert_int_equal(a->sums[CLASS_NORMAL].hold_ns, 3000);
	assert_int_equal(a->rpc_ns[RPC_FREE], 2000);
	assert_int_equal(shared.pools[0].conds[COND_EXHAUSTED].count, 1);
	assert_int_equal(shared.pools[0].conds[COND_EXHAUSTED].ns, 500);
	assert_int_equal(shared.pools[0].lasting[COND_EXHAUSTED].serial, 0);
	for (int i = 0; i < NR_LOSSES; i++)
		assert_int_equal(shared.loss[i], 0);
}

UNIT_TEST_SETUP(thread_limit, start)
{
	struct msg_open msg = invoke_of(1);
	struct session *s;

	at(0, 1000);
	s = open_session(1, &user_context);
	at(0, 2000);
	begin(&msg, CLASS_NORMAL);
	call_enter(enter_ctx);
	at(0, 2100);
	leave_secure(OPTEE_SMC_RETURN_ETHREAD_LIMIT);
	assert_int_equal(in_use_now(CLASS_NORMAL) + in_use_now(CLASS_SYSTEM), 0);
	call_wait((u64)&waiters[0]);
	assert_int_equal(waiting_now(), 1);
	at(0, 3100);
	call_enter(enter_ctx);
	assert_int_equal(waiting_now(), 0);
	at(0, 4000);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(s->sums[0].limits, 1);
	assert_int_equal(s->sums[0].limit_ns, 1000);
	assert_int_equal(s->sums[0].wait_ns, 1000);
	assert_int_equal(s->sums[0].hold_ns, 1000);
	assert_int_equal(shared.pools[0].conds[COND_COUNT_MISMATCH].count, 1);
}

/* A waiter that was asleep at attach, as find_calls() takes it in. */
static struct call *found_asleep(int task, u64 ns, u8 class)
{
	struct call *c;

	at(task, ns);
	pool_find((u64)&teedev);
	c = call_take((u64)current_task, true);
	c->tid = c->tgid = 100 + task;
	c->start_ns = c->phase_ns = ns;
	c->admit_ns = c->wait_ns = c->secure_ns = c->limit_ns = c->msg = 0;
	c->limits = 0;
	c->pool = 0;
	c->op = CMD_UNKNOWN;
	c->class = class;
	c->session_slot = SESSION_SLOTS;
	c->waiter = (u64)&waiters[task];
	c->flags = CALL_LATE;
	c->phase = PHASE_QUEUED;
	pool_wait(pool_at(0), c, ns);
	return c;
}

/* It enters with its argument, which is all that tells whose it is. */
static void enter_with(struct tee_shm *shm, u32 offset)
{
	entering = (struct optee_rpc_param){ .a0 = OPTEE_SMC_CALL_WITH_REGD_ARG,
					     .a1 = (u64)shm >> 32,
					     .a2 = (u32)(u64)shm,
					     .a3 = offset };
	call_enter(enter_ctx);
	entering = (struct optee_rpc_param){};
}

/* Its wait counts from the attach and is marked; its hold is exact; its session has it. */
UNIT_TEST_SETUP(found_waiter_is_accounted, start)
{
	struct msg_open msgs[2] = { {}, invoke_of(7) };
	struct tee_shm shm = { .kaddr = msgs };
	struct session *s;

	starved_ns = 3000;
	found_asleep(1, 10000, CLASS_NORMAL);
	at(1, 15000);
	enter_with(&shm, sizeof(msgs[0]));
	s = &session_rows[session_find(0, 7)];
	assert_true(s->flags & SESSION_LATE);
	assert_false(s->flags & (SESSION_USER | SESSION_KERNEL)); /* nothing tells */
	assert_int_equal(s->in_flight, 1);
	assert_int_equal(shared.pools[0].conds[COND_STARVED].count, 1);
	assert_int_equal(shared.pools[0].conds[COND_STARVED].longest_ns, 2000);
	at(1, 17000);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(s->sums[0].calls, 1);
	assert_int_equal(s->sums[0].waited, 1);
	assert_int_equal(s->sums[0].waited_late, 1);
	assert_int_equal(s->sums[0].wait_ns, 5000);
	assert_int_equal(s->sums[0].hold_ns, 2000);
	assert_int_equal(s->in_flight, 0);
	starved_ns = ~0ULL;
}

/* An argument without an address: the call stays unknown, and is not accounted. */
UNIT_TEST_SETUP(found_waiter_stays_unknown, start)
{
	struct call *c = found_asleep(1, 10000, CLASS_NORMAL);

	at(1, 15000);
	call_enter(enter_ctx);
	assert_int_equal(c->op, CMD_UNKNOWN);
	at(1, 17000);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(shared.session_serial, 0);
	assert_int_equal(in_use_now(CLASS_NORMAL), 0);
}

/* A system session has its class as soon as its call begins, or it becomes one. */
UNIT_TEST_SETUP(system_is_known_at_once, start)
{
	struct msg_open msg = invoke_of(9);
	struct session *s;

	at(0, 1000);
	call_begin(&kernel_context, (u64)&teedev, (u64)&msg, CLASS_SYSTEM);
	s = &session_rows[session_find(0, 9)];
	assert_true(s->flags & SESSION_SYSTEM);
	assert_true(s->flags & SESSION_KERNEL);
	call_enter(enter_ctx);
	leave_secure(0);
	call_end(current_ns);
	s = open_session(10, &kernel_context);
	assert_false(s->flags & SESSION_SYSTEM);
	session_made_system(0, 10);
	assert_true(s->flags & SESSION_SYSTEM);
}

/* Rows that count for several sessions are not made system by one of them. */
UNIT_TEST_SETUP(system_call_without_a_row, start)
{
	struct msg_open msgs[] = { invoke_of(9), { .head = { .cmd = CMD_UNKNOWN } } };
	struct tee_shm shm = { .kaddr = &msgs[0] };

	at(0, 1000);
	pool_find((u64)&teedev);
	shared.adopting = 1; /* somebody else makes rows: no new one has its own */
	for (int i = 0; i < 2; i++) {
		call_begin(&kernel_context, (u64)&teedev, (u64)&msgs[i], CLASS_SYSTEM);
		call_enter(enter_ctx);
		leave_secure(0);
		call_end(current_ns);
	}
	session_made_system(0, 10);
	found_asleep(1, 10000, CLASS_SYSTEM);
	at(1, 15000);
	enter_with(&shm, 0);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(session_rows[SLOT_REST(0)].sums[CLASS_SYSTEM].calls, 2);
	assert_int_equal(session_rows[SLOT_NONE(0)].sums[CLASS_SYSTEM].calls, 1);
	assert_int_equal(session_rows[SLOT_REST(0)].flags, 0);
	assert_int_equal(session_rows[SLOT_NONE(0)].flags, 0);
}

/* The row of a session whose id is not known is there for as long as the call. */
UNIT_TEST_SETUP(unnamed_row_goes_with_its_call, start)
{
	struct session_origin o = { .flags = SESSION_LATE | SESSION_SYSTEM | SESSION_KERNEL |
					     SESSION_UNNAMED };
	struct msg_open msg = invoke_of(11);
	struct tee_shm shm = { .kaddr = &msg };
	struct session *s;
	struct call *c;

	for (int waits = 0; waits < 2; waits++) {
		c = found_asleep(1, 10000, CLASS_SYSTEM);
		o.task = (u64)current_task;
		c->session_slot = session_new(0, 0, &o);
		s = &session_rows[c->session_slot];
		s->in_flight = 1;
		assert_int_equal(s->state, SESSION_CLAIMED);
		at(1, 15000);
		if (waits)
			enter_with(&shm, 0);
		else
			call_enter(enter_ctx);
		leave_secure(0);
		call_end(current_ns);
		assert_int_equal(s->in_flight, 0);
		if (!waits)
			assert_int_equal(s->state, SESSION_FREE);
	}
	s = &session_rows[session_find(0, 11)];
	assert_true(s->flags & SESSION_SYSTEM && s->flags & SESSION_KERNEL);
	assert_int_equal(s->sums[CLASS_SYSTEM].waited_late, 1);
	assert_int_equal(shared.sessions_undone, 2);
}

UNIT_TEST_SETUP(failed_open, start)
{
	struct msg_open msg = { .head = { .cmd = CMD_OPEN, .num_params = 2 } };
	struct session *none = &session_rows[SLOT_NONE(0)];

	at(0, 1000);
	begin(&msg, CLASS_NORMAL);
	call_enter(enter_ctx);
	leave_secure(RPC(OPTEE_SMC_RPC_ALLOC));
	call_enter(enter_ctx);
	msg.head.ret = 0xffff0008;
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(none->sums[0].calls, 1);
	assert_int_equal(none->sums[0].failed, 1);
	assert_int_equal(none->ops[CMD_OPEN], 1);
	assert_int_equal(none->rpc_count[RPC_ALLOC], 1);
	assert_int_equal(none->in_flight, 0);
	assert_int_equal(session_rows[0].state, SESSION_FREE);
	assert_int_equal(shared.sessions_undone, 1);
	assert_int_equal(session_rows[0].in_flight, 0);
}

UNIT_TEST_SETUP(missed_end, start)
{
	struct msg_open msg = invoke_of(1);
	struct session *s;

	at(0, 1000);
	s = open_session(1, &user_context);
	begin(&msg, CLASS_NORMAL);
	call_enter(enter_ctx);
	begin(&msg, CLASS_NORMAL); /* the end of the first was not seen */
	assert_int_equal(shared.loss[LOSS_CALL_END], 1);
	assert_int_equal(s->in_flight, 1);
	assert_int_equal(in_use_now(CLASS_NORMAL) + in_use_now(CLASS_SYSTEM), 0);
	call_enter(enter_ctx);
	leave_secure(0);
	call_end(current_ns);
	assert_int_equal(s->in_flight, 0);
	assert_int_equal(in_use_now(CLASS_NORMAL) + in_use_now(CLASS_SYSTEM), 0);
}

/* What the model knows of a task. */
struct model {
	int step; /* 0 idle, 1 queued, 2 asleep, 3 secure, 4 RPC, 5 back */
	u64 begun, admitted, entered, left, secure;
};

UNIT_TEST_SETUP(random_steps, start)
{
	static struct msg_open msg[TASKS];
	static struct model model[TASKS];
	u64 now = 1000000, calls = 0, wait = 0, hold = 0, secure = 0, rpcs = 0;
	u64 summary_calls = 0, seen_wait = 0, seen_hold = 0, seen_secure = 0, seen_rpcs = 0;
	int in_use = 0, waiting = 0, peak = 0;

	srandom(20261122);
	memset(model, 0, sizeof(model));
	optee.call_queue.total_thread_count = TASKS;
	for (int i = 0; i < TASKS; i++) {
		at(i, now);
		open_session(i + 1, &user_context);
		msg[i] = invoke_of(i + 1);
	}
	for (int n = 0; n < 10000; n++) {
		int i = random() % TASKS;
		struct model *m = &model[i];

		now += random() % 100000;
		at(i, now);
		switch (m->step) {
		case 0:
			begin(&msg[i], CLASS_NORMAL);
			m->begun = now;
			m->secure = 0;
			m->step = 1;
			break;
		case 1:
			if (random() % 2) {
				call_wait((u64)&waiters[i]);
				waiting++;
				m->step = 2;
				break;
			}
			/* fall through */
		case 2:
		case 4:
			call_enter(enter_ctx);
			waiting -= m->step == 2;
			if (m->step != 4) {
				m->admitted = now;
				in_use++;
				peak = in_use > peak ? in_use : peak;
			}
			m->entered = now;
			m->step = 3;
			break;
		case 3:
			m->secure += now - m->entered;
			if (random() % 2) {
				leave_secure(RPC(OPTEE_SMC_RPC_FOREIGN_INTR));
				rpcs++;
				m->step = 4;
			} else {
				leave_secure(0);
				m->left = now;
				m->step = 5;
			}
			break;
		case 5:
			call_end(current_ns);
			in_use--;
			calls++;
			wait += m->admitted - m->begun;
			hold += m->left - m->admitted;
			secure += m->secure;
			m->step = 0;
			break;
		}
		assert_int_equal(in_use_now(CLASS_NORMAL), in_use);
		assert_int_equal(waiting_now(), waiting);
	}
	for (int i = 0; i < TASKS; i++) {
		const struct session *s = &session_rows[session_find(0, i + 1)];

		summary_calls += s->sums[0].calls - 1; /* the open */
		seen_wait += s->sums[0].wait_ns;
		seen_hold += s->sums[0].hold_ns;
		seen_secure += s->sums[0].secure_ns;
		seen_rpcs += s->rpc_count[RPC_FOREIGN_INTR];
	}
	assert_int_equal(summary_calls, calls);
	assert_int_equal(seen_wait, wait);
	assert_int_equal(seen_hold, hold);
	assert_int_equal(seen_secure, secure);
	assert_int_equal(seen_rpcs, rpcs);
	assert_int_equal(shared.pools[0].in_use_peak[CLASS_NORMAL], peak);
	for (int i = 0; i < NR_LOSSES; i++)
		assert_int_equal(shared.loss[i], 0);
}
