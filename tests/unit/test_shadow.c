// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadows, without a kernel: what a policy is shown of a call, what is kept for it, and how
 * its answer is counted against what the driver did.
 */
#include <stdio.h>
#include <stdlib.h>
#include "unit.h"
#include "fixtures/bpf_native.h"

#define TASKS 300

static const struct tee_desc desc = { "optee-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context user_context = { .teedev = &teedev };
static struct tee_context kernel_context = { .teedev = &teedev, .supp_nowait = true };
static struct task_struct tasks[TASKS];
static struct shadow_state state;
static struct shadow_rows rows;

/* The last call that each callback of policy 0 was shown, and what it answers. */
static struct optee_adm_call seen[NR_POLICY_CALLBACKS];
static u32 asked_times[NR_POLICY_CALLBACKS];
static u64 answer, retry_ns;

static void take(enum policy_callback callback, struct optee_adm_asked *a)
{
	seen[callback] = a->call;
	asked_times[callback]++;
	a->call.priv[0]++;
	a->call.cpriv[1]++;
	a->call.tpriv[2]++;
	a->call.qpriv[3]++;
	/* It may not, and nobody else sees it. */
	memset(a, 0xff, offsetof(struct optee_adm_call, retry_ns));
	a->call.retry_ns = retry_ns;
}

static void take_admit(struct optee_adm_asked *a)
{
	take(POLICY_ADMIT, a);
	a->answer = answer;
}

static void take_rank(struct optee_adm_asked *a)
{
	take(POLICY_RANK, a);
}

static void take_enter(struct optee_adm_asked *a)
{
	take(POLICY_ENTER, a);
}

static void take_leave(struct optee_adm_asked *a)
{
	take(POLICY_LEAVE, a);
}

/* Policy 2, after 0 has written all over its own. */
static struct optee_adm_call seen_by_other;

static void take_other(struct optee_adm_asked *a)
{
	seen_by_other = a->call;
	a->answer = OPTEE_ADM_ENTER;
}

/* Policy 0 has all callbacks, 1 none: its rule is the driver's; 2 is asked after 0. */
static int start(void **unused)
{
	(void)unused;
	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	memset(&state, 0, sizeof(state));
	memset(&rows, 0, sizeof(rows));
	memset(seen, 0, sizeof(seen));
	memset(asked_times, 0, sizeof(asked_times));
	ring_nr = 0;
	if (!ring)
		ring = calloc(RING_ROOM, sizeof(*ring));
	optee = (struct optee){ .call_queue = { .total_thread_count = 2, .free_thread_count = 2 } };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	for (int i = 0; i < TASKS; i++)
		tasks[i] = (struct task_struct){ .pid = 100 + i,
						 .tgid = 100 + i,
						 .static_prio = 120,
						 .group_leader = &tasks[i] };
	native_state = &state;
	native_rows = &rows;
	native_policies[0] = (struct native_policy){
		.admit = take_admit, .rank = take_rank, .enter = take_enter, .leave = take_leave
	};
	native_policies[2] = (struct native_policy){ .admit = take_other };
	nr_shadows = 3;
	shadow_callbacks[0] = 1U << POLICY_ADMIT | 1U << POLICY_RANK | 1U << POLICY_ENTER |
			      1U << POLICY_LEAVE;
	shadow_callbacks[1] = 0;
	shadow_callbacks[2] = 1U << POLICY_ADMIT;
	answer = OPTEE_ADM_ENTER;
	retry_ns = 0;
	return 0;
}

static struct optee_call_waiter waiters[TASKS];
static struct msg_open messages[TASKS];

static void at(int task, u64 ns)
{
	current_task = &tasks[task];
	current_ns = ns;
}

static void begins(int task, u64 ns, u32 session, u8 class, struct tee_context *tee)
{
	messages[task] =
		(struct msg_open){ .head = { .cmd = CMD_INVOKE, .session = session, .func = 9 } };
	at(task, ns);
	call_begin(tee, (u64)&teedev, (u64)&messages[task], class);
}

static void waits(int task, u64 ns)
{
	at(task, ns);
	waiters[task].c.wait.task_list.next = &waiters[task].c.wait.task_list;
	call_wait((u64)&waiters[task]);
}

static void enters(int task, u64 ns)
{
	at(task, ns);
	call_enter(enter_ctx);
}

static void ends(int task, u64 ns)
{
	struct arm_smccc_res res = { 0 };

	at(task, ns);
	call_exit(0, &res);
	call_end(ns);
}

static const struct policy_counts *counts(int policy, int class)
{
	return &rows.of[policy].counts[class];
}

UNIT_TEST_SETUP(context, start)
{
	const struct optee_adm_call *c = &seen[POLICY_ADMIT];

	tasks[1].static_prio = 120 - 4;
	begins(0, 1000, 5, CLASS_NORMAL, &user_context);
	enters(0, 1100);
	begins(1, 2000, 6, CLASS_SYSTEM, &kernel_context);
	enters(1, 2500);
	assert_int_equal(c->total, 2);
	assert_int_equal(c->free, 1);
	assert_int_equal(c->norm_in_flight, 1);
	assert_int_equal(c->resv_in_flight, 0);
	assert_int_equal(c->sys_in_flight, 0);
	assert_int_equal(c->seq, 2);
	assert_int_equal(c->now_ns, 2500);
	assert_int_equal(c->wait_ns, 0);
	assert_true(c->client > 1ULL << 32);
	assert_int_equal(c->session, 6);
	assert_int_equal(c->func, 9);
	assert_int_equal(c->flags, OPTEE_ADM_SYS);
	assert_int_equal(c->weight, 8192);
	assert_int_equal(c->client_in_flight, 0);
	assert_memory_equal(&seen_by_other, c, offsetof(struct optee_adm_call, retry_ns));
	assert_int_equal(seen_by_other.priv[0] + seen_by_other.qpriv[3], 0);
	/* With it. */
	assert_int_equal(seen[POLICY_ENTER].free, 0);
	assert_int_equal(seen[POLICY_ENTER].norm_in_flight, 2);
	assert_int_equal(seen[POLICY_ENTER].sys_in_flight, 1);
	assert_int_equal(seen[POLICY_ENTER].client_in_flight, 1);
	assert_int_equal(seen[POLICY_ENTER].session_in_flight, 1);
	ends(1, 7000);
	assert_int_equal(seen[POLICY_LEAVE].held_ns, 4500);
	assert_int_equal(seen[POLICY_LEAVE].norm_in_flight, 1);
	assert_int_equal(seen[POLICY_LEAVE].session_in_flight, 0);
	/* What it keeps of the call was its own, of the queue everybody's. */
	assert_int_equal(seen[POLICY_LEAVE].priv[0], 2);
	assert_int_equal(seen[POLICY_LEAVE].cpriv[1], 2);
	assert_int_equal(seen[POLICY_LEAVE].qpriv[3], 4);
}

/* No thread is free: nobody is asked, but for its rank, and when it gets in. */
UNIT_TEST_SETUP(exhausted, start)
{
	answer = OPTEE_ADM_ENTER_RESERVED;
	for (int i = 0; i < 2; i++) {
		begins(i, 1000, 5, CLASS_SYSTEM, &user_context);
		enters(i, 1100);
	}
	assert_int_equal(seen[POLICY_ENTER].resv_in_flight, 2);
	assert_int_equal(seen[POLICY_ENTER].flags, OPTEE_ADM_SYS | OPTEE_ADM_RESERVED);
	begins(2, 2000, 5, CLASS_NORMAL, &user_context);
	waits(2, 2010);
	assert_int_equal(asked_times[POLICY_ADMIT], 2);
	assert_int_equal(asked_times[POLICY_RANK], 1);
	assert_int_equal(seen[POLICY_RANK].norm_waiting, 0);
	assert_int_equal(counts(0, CLASS_NORMAL)->wait_no_thread, 1);
	assert_int_equal(counts(0, CLASS_NORMAL)->looser, 0);
	ends(0, 3000);
	enters(2, 3100);
	assert_int_equal(asked_times[POLICY_ADMIT], 3);
	assert_int_equal(seen[POLICY_ADMIT].wait_ns, 1100);
	assert_int_equal(seen[POLICY_ADMIT].resv_in_flight, 1);
	assert_int_equal(seen[POLICY_ADMIT].norm_waiting, 0);
	assert_int_equal(counts(0, CLASS_NORMAL)->calls, 1);
	ends(1, 4000);
	ends(2, 4000);
	assert_int_equal(seen[POLICY_LEAVE].resv_in_flight, 0);
	assert_int_equal(seen[POLICY_LEAVE].norm_in_flight, 0);
}

/* Each verdict, against each thing that the driver can have done. */
UNIT_TEST_SETUP(verdicts, start)
{
	static const struct {
		u64 answer, retry_ns;
		bool waits;
		struct policy_counts counts;
	} cases[] = {
		{ OPTEE_ADM_ENTER, 0, false, { .calls = 1, .enter = 1 } },
		{ OPTEE_ADM_ENTER, 0, true, { .calls = 1, .enter = 1, .looser = 1 } },
		{ OPTEE_ADM_ENTER_RESERVED, 0, false, { .calls = 1, .enter_reserved = 1 } },
		{ OPTEE_ADM_ENTER_RESERVED,
		  0,
		  true,
		  { .calls = 1, .enter_reserved = 1, .looser = 1 } },
		{ OPTEE_ADM_WAIT, 0, false, { .calls = 1, .wait_kept = 1, .stricter_kept = 1 } },
		{ OPTEE_ADM_WAIT, 0, true, { .calls = 1, .wait_kept = 1 } },
		{ OPTEE_ADM_WAIT, 7, false, { .calls = 1, .wait_rate = 1, .stricter_rate = 1 } },
		{ OPTEE_ADM_WAIT, 7, true, { .calls = 1, .wait_rate = 1 } },
		/* None: as the driver's own rule has it. */
		{ 3, 7, false, { .calls = 1, .enter = 1 } },
		{ (u64)-16, 0, true, { .calls = 1, .enter = 1, .looser = 1 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool none = cases[i].answer >= OPTEE_ADM_VERDICTS;

		start(NULL);
		answer = cases[i].answer;
		retry_ns = cases[i].retry_ns;
		begins(0, 1000, 5, CLASS_NORMAL, &user_context);
		if (cases[i].waits)
			waits(0, 1010);
		assert_int_equal(counts(0, CLASS_NORMAL)->calls, cases[i].waits);
		enters(0, 1100);
		assert_memory_equal(counts(0, CLASS_NORMAL), &cases[i].counts,
				    sizeof(cases[i].counts));
		assert_int_equal(counts(1, CLASS_NORMAL)->enter, 1);
		assert_int_equal(shared.loss[LOSS_SHADOW_ANSWER], none ? 1 + cases[i].waits : 0);
		assert_int_equal(!!(seen[POLICY_ENTER].flags & OPTEE_ADM_QUEUED),
				 cases[i].waits && cases[i].answer == OPTEE_ADM_WAIT);
	}
}

/*
 * The driver's own calls ask nobody, and are in flight all the same; what a client does without
 * a session is a call of its own. Whose it is tells the context, not the command.
 */
UNIT_TEST_SETUP(internal, start)
{
	static struct tee_device supplicant = { .desc = &desc, .dev = { &optee } };
	static struct tee_context supplicant_context = { .teedev = &supplicant };
	static struct tee_context own_context = { .teedev = &teedev };
	static const struct {
		u32 cmd;
		struct tee_context *context;
		bool internal;
		u32 flags;
	} cases[] = {
		{ CMD_SHM_REGISTER, &user_context, false, OPTEE_ADM_SHM },
		{ CMD_SHM_UNREGISTER, &user_context, false, OPTEE_ADM_SHM },
		{ CMD_SHM_REGISTER, &kernel_context, false, OPTEE_ADM_SHM },
		{ CMD_OTHER, &user_context, false, 0 },
		{ CMD_OTHER, &own_context, false, 0 }, /* for a user of protected memory */
		{ CMD_SHM_REGISTER, &own_context, true, 0 },
		{ CMD_BOTTOM_HALF, &own_context, true, 0 },
		{ CMD_SHM_REGISTER, &supplicant_context, true, 0 },
		{ CMD_SHM_UNREGISTER, &supplicant_context, true, 0 },
	};

	optee.ctx = &own_context;
	optee.supp_teedev = &supplicant;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u32 before = asked_times[POLICY_ADMIT], times = cases[i].internal ? 0 : 1;
		u64 now = 1000 + 10000 * i;

		messages[0] = (struct msg_open){ .head = { .cmd = cases[i].cmd } };
		at(0, now);
		call_begin(cases[i].context, (u64)&teedev, (u64)&messages[0], CLASS_NORMAL);
		enters(0, now + 100);
		assert_int_equal(asked_times[POLICY_ADMIT], before + times);
		if (times) {
			assert_int_equal(seen[POLICY_ADMIT].flags, cases[i].flags);
			assert_int_equal(seen[POLICY_ADMIT].session, 0);
			assert_int_equal(seen[POLICY_ADMIT].ta, 0);
			assert_true(seen[POLICY_ADMIT].client != 0);
		}
		begins(1, now + 200, 5, CLASS_NORMAL, &user_context);
		enters(1, now + 210);
		assert_int_equal(seen[POLICY_ADMIT].norm_in_flight, 1);
		before = asked_times[POLICY_LEAVE];
		ends(0, now + 300);
		assert_int_equal(asked_times[POLICY_LEAVE], before + times);
		ends(1, now + 400);
	}
	optee.ctx = NULL;
	optee.supp_teedev = NULL;
}

/* More clients than places: whom it was kept of longest ago gives way, and it is told. */
UNIT_TEST_SETUP(crowded, start)
{
	for (int i = 0; i < TASKS; i++) {
		begins(i, 1000 + 100 * i, 5, CLASS_NORMAL, &user_context);
		enters(i, 1010 + 100 * i);
		assert_int_equal(seen[POLICY_ADMIT].cpriv[1], 0);
		ends(i, 1020 + 100 * i);
	}
	assert_in_range(shared.loss[LOSS_SHADOW_STATE], TASKS - SHADOW_PARTIES, TASKS);
	assert_int_equal(shared.loss[LOSS_CALL_SLOT], 0);
	begins(TASKS - 1, 900000, 5, CLASS_NORMAL, &user_context);
	enters(TASKS - 1, 900010);
	assert_int_equal(seen[POLICY_ADMIT].cpriv[1], 3); /* admit, enter, leave */
}

/* Nothing is left in any account, whatever became of the calls. */
UNIT_TEST_SETUP(accounts, start)
{
	srand(1);
	for (int i = 0; i < 20000; i++) {
		int task = rand() % 6;
		struct call *c;

		answer = (u64)(rand() % 3);
		at(task, 1000 + 10 * i);
		c = call_find((u64)current_task);
		if (!c)
			begins(task, current_ns, 1 + rand() % 3, rand() % 2, &user_context);
		else if (c->phase == PHASE_QUEUED && rand() % 3)
			enters(task, current_ns);
		else if (c->phase == PHASE_QUEUED)
			waits(task, current_ns);
		else if (rand() % 8)
			ends(task, current_ns);
		else /* its end is missed */
			begins(task, current_ns, 1, CLASS_NORMAL, &user_context);
	}
	for (int task = 0; task < 6; task++) {
		at(task, 1000000);
		if (call_find((u64)current_task))
			call_abandon(call_find((u64)current_task), current_ns);
	}
	for (int n = 0; n < 2; n++)
		assert_int_equal(state.pools[0].reserved[n], 0);
	for (int i = 0; i < 2 * SHADOW_PARTIES; i++)
		assert_int_equal(state.parties[i].in_flight, 0);
	for (int i = 0; i < MAX_SESSIONS; i++)
		assert_int_equal(state.sessions[i], 0);
}
