// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record per call: what the records say of a session is what its row says, and
 * what was recorded and what was lost is what was accounted.
 */
#include "fixtures/queue_random.h"

#define ROOM 16384

static u64 made[MAX_CPUS]; /* calls that have ended, by the CPU */

static size_t room; /* in the ring */
static bool record;
static u32 wanted; /* at run time */

static int start(void **state)
{
	static struct call_record ring_memory[ROOM];

	(void)state;
	model_start(4);
	memset(made, 0, sizeof(made));
	record_ring = ring_memory;
	record_ring_nr = 0;
	record_ring_room = room;
	record_calls = record;
	records_wanted = wanted;
	current_cpu = 0;
	return 0;
}

static int usual_start(void **state)
{
	room = ROOM;
	record = true;
	wanted = 1;
	return start(state);
}

static u64 all_made(void)
{
	u64 n = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		n += made[cpu];
	return n;
}

static const struct call_record *last(void)
{
	assert_in_range(record_ring_nr, 1, ROOM);
	return &record_ring[record_ring_nr - 1];
}

/* The innermost call of t ends, and its record is as the model has it. */
static void end_recorded(int t)
{
	const struct model_call c = *innermost(t);
	bool nested = model.tasks[t].depth > 1;
	const struct call_record *r;
	size_t before = record_ring_nr;

	innermost(t)->msg.head.ret = below(4) ? 0 : 0xffff0000 + below(16);
	innermost(t)->msg.head.func = below(100);
	current_cpu = below(MAX_CPUS + 20);
	made[current_cpu % MAX_CPUS]++;
	call_ends(t);
	if (record_ring_nr == before)
		return;
	assert_int_equal(record_ring_nr, before + 1);
	r = last();
	assert_int_equal(r->start_ns, c.begun_ns);
	assert_int_equal(r->start_ns + r->wait_ns + r->hold_ns, c.phase_ns);
	assert_true(r->secure_ns <= r->hold_ns && r->limit_ns <= r->wait_ns);
	assert_true(r->wait_ns >= c.admit_ns - c.begun_ns);
	assert_int_equal(r->tid, 100 + t);
	assert_int_equal(r->tgid, 100 + t);
	assert_int_equal(r->op, CMD_INVOKE);
	assert_int_equal(r->class, c.system);
	assert_int_equal(r->pool, 0);
	assert_int_equal(!!(r->flags & RECORD_NESTED), nested);
	assert_int_equal(r->flags & RECORD_REST, 0);
}

#define STEPS 10000

/* From nothing, until nobody can go on or it is enough; returns how many steps that were. */
static int random_round(int most)
{
	int n = 0;

	start(NULL);
	for (; n < most; n++) {
		int t = random_task(8);

		if (t < 0)
			break;
		current_ns += below(100000);
		current_task = task_at(t);
		if (innermost(t) && innermost(t)->step == DONE)
			end_recorded(t);
		else
			random_step(t);
	}
	return n;
}

static void add_up(struct class_sums *to, const struct call_record *r)
{
	to->calls++;
	to->failed += r->result != 0;
	to->waited += !!(r->flags & RECORD_WAITED);
	to->wait_ns += r->wait_ns;
	to->limit_ns += r->limit_ns;
	to->hold_ns += r->hold_ns;
	to->secure_ns += r->secure_ns;
	if (r->wait_ns > to->wait_max_ns)
		to->wait_max_ns = r->wait_ns;
	if (r->hold_ns > to->hold_max_ns)
		to->hold_max_ns = r->hold_ns;
}

static void compare_with_the_rows(void)
{
	for (int slot = 0; slot < MAX_SESSIONS; slot++) {
		struct session *s = &session_rows[slot];
		struct class_sums sums[NR_CLASSES] = {};

		for (size_t i = 0; s->serial && i < record_ring_nr; i++)
			if (record_ring[i].serial == s->serial)
				add_up(&sums[record_ring[i].class], &record_ring[i]);
		for (int class = 0; class < NR_CLASSES; class ++)
			sums[class].limits = s->sums[class].limits; /* no record has them */
		assert_memory_equal(s->sums, sums, sizeof(sums));
	}
}

UNIT_TEST_SETUP(sums_are_those_of_the_records, usual_start)
{
	u64 waited = 0, limited = 0, nested = 0;

	srandom(20261122);
	for (int n = 0; n < STEPS;) {
		n += random_round(STEPS - n);
		assert_int_equal(record_ring_nr, all_made());
		compare_with_the_rows();
		for (size_t i = 0; i < record_ring_nr; i++) {
			assert_int_not_equal(record_ring[i].serial, 0);
			waited += !!(record_ring[i].flags & RECORD_WAITED);
			nested += !!(record_ring[i].flags & RECORD_NESTED);
			limited += record_ring[i].limit_ns != 0;
		}
	}
	assert_true(waited > 100 && nested > 10 && limited > 5);
}

UNIT_TEST_SETUP(each_is_counted_by_its_cpu, usual_start)
{
	u64 all_lost = 0;

	srandom(7);
	for (int n = 0; n < STEPS;) {
		u64 emitted = 0, lost = 0;

		room = 50;
		n += random_round(STEPS - n);
		for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
			const struct record_count *count = &shared.records[cpu];

			assert_int_equal(count->emitted + count->lost, made[cpu]);
			emitted += count->emitted;
			lost += count->lost;
		}
		assert_true(emitted <= 50);
		assert_int_equal(emitted, record_ring_nr);
		assert_int_equal(emitted + lost, all_made());
		assert_true(!lost || emitted == 50);
		assert_int_equal(shared.loss[LOSS_CALL_RECORD], 0); /* the reader adds up */
		all_lost += lost;
	}
	assert_true(all_lost > 100);
}

UNIT_TEST_SETUP(none_unless_asked_for, usual_start)
{
	record = false;
	random_round(STEPS);
	assert_true(all_made() > 10);
	assert_int_equal(record_ring_nr, 0);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		assert_int_equal(shared.records[cpu].emitted + shared.records[cpu].lost, 0);
}

/* As the daemon does it: while a client wants them. */
UNIT_TEST_SETUP(only_while_they_are_wanted, usual_start)
{
	wanted = 0;
	random_round(STEPS);
	assert_true(all_made() > 10);
	assert_int_equal(record_ring_nr, 0);
	wanted = 1;
	random_round(STEPS);
	assert_int_equal(record_ring_nr, all_made());
	assert_true(record_ring_nr > 10);
}

/* A call without a model: task 1 makes it, and it returns ret. */
static const struct call_record *make_call(struct msg_open *msg, u32 ret, u32 session)
{
	struct arm_smccc_res res = {};

	at(1, current_ns + 100);
	call_begin(&tee, (u64)&teedev, (u64)msg, CLASS_NORMAL);
	current_ns += 10;
	call_enter(enter_ctx);
	current_ns += 20;
	call_exit(0, &res);
	msg->head.ret = ret;
	if (msg->head.cmd == CMD_OPEN)
		msg->head.session = session;
	current_ns += 1000; /* what the task waits for, then, is no hold */
	call_end(current_ns);
	assert_int_equal(last()->wait_ns, 10);
	assert_int_equal(last()->hold_ns, 20);
	assert_int_equal(last()->secure_ns, 20);
	assert_int_equal(last()->op, msg->head.cmd);
	assert_int_equal(last()->result, ret);
	return last();
}

UNIT_TEST_SETUP(the_life_of_a_session, usual_start)
{
	struct msg_open open = { .head = { .cmd = CMD_OPEN, .num_params = 2 } };
	struct msg_open invoke = { .head = { .cmd = CMD_INVOKE, .session = 9, .func = 42 } };
	struct msg_open close = { .head = { .cmd = CMD_CLOSE, .session = 9 } };
	struct msg_open shm = { .head = { .cmd = CMD_SHM_REGISTER } };

	assert_int_equal(make_call(&open, 0xffff0008, 0)->serial, 0);
	assert_int_equal(last()->flags, 0);
	assert_int_equal(make_call(&open, 0, 9)->serial, 2);
	assert_int_equal(make_call(&invoke, 0, 0)->serial, 2);
	assert_int_equal(last()->func, 42);
	assert_int_equal(make_call(&close, 0, 0)->serial, 2);
	assert_int_equal(make_call(&shm, 0, 0)->serial, 0);
	assert_int_equal(record_ring_nr, 5);
	assert_int_equal(shared.records[0].emitted, 5);
}

/* There is no row left for its session. */
UNIT_TEST_SETUP(of_the_rest, usual_start)
{
	struct msg_open invoke = { .head = { .cmd = CMD_INVOKE, .session = 9 } };

	for (int slot = 0; slot < MAX_SESSIONS; slot++)
		session_rows[slot].state = SESSION_OPEN;
	assert_int_equal(make_call(&invoke, 0, 0)->serial, 0);
	assert_int_equal(last()->flags, RECORD_REST);
	assert_int_equal(session_rows[SLOT_REST(0)].sums[CLASS_NORMAL].calls, 1);
}
