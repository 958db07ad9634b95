// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader (src/collect/collect.c) races the hooks: several threads make calls, as CPUs do, and
 * are interrupted anywhere, while another one takes snapshots as fast as it can. All that
 * include/snapshot.h promises has to hold in each of them, and in the end nothing is
 * missing. It takes 3 seconds, or SNAPSHOT_SECONDS if that is in the environment.
 */
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include "probe/probes_look.h"
#include "unit.h"
#include "fixtures/bpf_native.h"
#undef inc
#undef add
#include "probe/attach.h"
#include "collect/call_copy.h"
#include "collect/collect.h"
#include "base/text.h"
#include "fixtures/invariants.h"

#define CALLERS  4   /* more than there are CPUs on most machines: they are interrupted */
#define COMMON   4   /* sessions that all of them use, */
#define FIRST_ID 100 /* and of those of their own the first id */

/* What the reader asks the kernel for. */

struct ring_buffer;

int libbpf_num_possible_cpus(void)
{
	return CALLERS;
}

struct ring_buffer *ring_buffer__new(int fd, int (*fn)(void *, void *, size_t), void *ctx,
				     const void *opts)
{
	(void)fd, (void)fn, (void)ctx, (void)opts;
	return malloc(1);
}

int ring_buffer__consume(struct ring_buffer *rb)
{
	(void)rb;
	return 0;
}

void ring_buffer__free(struct ring_buffer *rb)
{
	free(rb);
}

int probes_inspect(const struct probes *p)
{
	(void)p;
	return 0;
}

bool probes_missed(const struct probes *p, u64 *missed)
{
	(void)p;
	*missed = 0;
	return true;
}

/* The callers. */

static const struct tee_desc desc = { "optee-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context context = { .teedev = &teedev };

struct caller {
	pthread_t thread;
	unsigned int seed;
	int n;
	u32 id, next_id;                 /* of its own session, 0: none */
	u64 calls, failed, opened, rpcs; /* its account */
};

static struct task_struct tasks[CALLERS];
static struct optee_call_waiter waiters[CALLERS];
static bool stop;

static u64 clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static unsigned int chance(struct caller *c, unsigned int n)
{
	return (unsigned int)rand_r(&c->seed) % n;
}

static void in_and_out(u64 a0)
{
	struct arm_smccc_res res = { .a0 = a0 };

	current_ns = clock_now();
	call_enter(enter_ctx);
	current_ns = clock_now();
	call_exit(a0, &res);
}

/* One call, with what may come in between. */
static void one_call(struct caller *c, struct msg_open *msg, u8 class, u32 ret, u32 id)
{
	current_ns = clock_now();
	call_begin(&context, (u64)&teedev, (u64)msg, class);
	if (!chance(c, 4)) {
		current_ns = clock_now();
		call_wait((u64)&waiters[c->n]);
	}
	while (chance(c, 2)) {
		c->rpcs++;
		in_and_out(RPC_PREFIX |
			   (chance(c, 2) ? OPTEE_SMC_RPC_FOREIGN_INTR : OPTEE_SMC_RPC_ALLOC));
	}
	if (msg->head.cmd == CMD_OPEN)
		msg->head.session = id;
	msg->head.ret = ret;
	in_and_out(0);
	current_ns = clock_now();
	call_end(current_ns);
	c->calls++;
	c->failed += ret != 0;
	c->opened += msg->head.cmd == CMD_OPEN && !ret;
}

static void any_call(struct caller *c)
{
	struct msg_open msg = { .head = { .num_params = 2 }, .ta = { .octets = { 1 } } };
	u32 ret = chance(c, 8) ? 0 : 0xffff0006;
	u8 class = CLASS_NORMAL;

	switch (chance(c, 2000)) {
	case 0:
		msg.head.cmd = c->id ? CMD_CLOSE : CMD_OPEN;
		msg.head.session = c->id;
		ret = c->id ? 0 : ret;
		break;
	case 1 ... 100:
		/* Of a TA that nobody ever heard of. */
		msg.head.cmd = CMD_OPEN;
		for (int i = 0; i < 16; i++)
			msg.ta.octets[i] = (u8)chance(c, 256);
		ret = 0xffff0008;
		break;
	case 101 ... 500:
		msg.head.cmd = CMD_SHM_REGISTER;
		break;
	case 501 ... 800:
		msg.head.cmd = CMD_CANCEL;
		msg.head.session = 1 + chance(c, COMMON);
		break;
	default:
		msg.head.cmd = CMD_INVOKE;
		msg.head.session = c->id && chance(c, 2) ? c->id : 1 + chance(c, COMMON);
		class = msg.head.session == 1 ? CLASS_SYSTEM : CLASS_NORMAL;
	}
	one_call(c, &msg, class, ret, c->next_id);
	if (msg.head.cmd == CMD_OPEN && !ret) {
		c->id = c->next_id;
		c->next_id += CALLERS;
	} else if (msg.head.cmd == CMD_CLOSE) {
		c->id = 0;
	}
}

static void *calls(void *arg)
{
	struct caller *c = arg;

	current_task = &tasks[c->n];
	current_cpu = (u32)c->n;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		any_call(c);
	return NULL;
}

static void open_common(struct caller *c)
{
	current_task = &tasks[0];
	for (u32 id = 1; id <= COMMON; id++) {
		struct msg_open msg = { .head = { .cmd = CMD_OPEN, .num_params = 2 },
					.ta = { .octets = { 2, (u8)id } } };

		one_call(c, &msg, CLASS_NORMAL, 0, id);
	}
}

static void compare(const struct snapshot *s, const struct caller *callers)
{
	u64 calls = 0, failed = 0, opened = 0, rpcs = 0;
	u64 counted = 0, counted_failed = 0, counted_opened = 0, counted_rpcs = 0;

	for (int i = 0; i < CALLERS; i++) {
		calls += callers[i].calls;
		failed += callers[i].failed;
		opened += callers[i].opened;
		rpcs += callers[i].rpcs;
	}
	for (int class = 0; class < NR_CLASSES; class ++) {
		counted += s->pools[0].sums[class].calls;
		counted_failed += s->pools[0].sums[class].failed;
	}
	for (u32 i = 0; i < s->nr_tas; i++) {
		counted_opened += s->tas[i].opened;
		for (int kind = 0; kind < NR_RPC_KINDS; kind++)
			counted_rpcs += s->tas[i].rpc_count[kind];
	}
	fprintf(stderr, "%llu snapshots, %llu calls, %llu sessions unread\n",
		(unsigned long long)s->seq, (unsigned long long)calls,
		(unsigned long long)s->losses.count[LOSS_SESSION_CLOSED]);
	assert_int_equal(s->pools[0].in_use_all, 0);
	assert_int_equal(s->pools[0].waiting_all, 0);
	assert_int_equal(s->nr_calls, 0);
	for (int i = 0; i < NR_LOSSES; i++)
		if (i != LOSS_SESSION_CLOSED && i != LOSS_EPISODE && i != LOSS_CALL_RECORD)
			assert_int_equal(s->losses.count[i], 0);
	assert_true(counted <= calls);
	assert_true(counted_failed <= failed);
	assert_true(counted_opened <= opened);
	assert_true(counted_rpcs <= rpcs);
	if (!s->losses.count[LOSS_SESSION_CLOSED]) { /* else the reader was kept from running */
		assert_int_equal(counted, calls);
		assert_int_equal(counted_failed, failed);
		assert_int_equal(counted_opened, opened);
		assert_int_equal(counted_rpcs, rpcs);
	}
	/* The common ones' TAs, one of them in both classes, theirs, and calls without a session. */
	assert_true(s->nr_tas <= COMMON + 3);
}

UNIT_TEST(a_reader_races_the_hooks)
{
	static struct caller callers[CALLERS];
	static struct before before;
	struct probes probes = { .shared = &shared, .rows = session_rows, .starved_ns = 1000000 };
	const char *seconds = getenv("SNAPSHOT_SECONDS");
	struct collect *collect;
	const struct snapshot *s;
	u64 end;

	ring = calloc(RING_ROOM, sizeof(*ring));
	optee = (struct optee){ .call_queue = { .total_thread_count = 3, .free_thread_count = 3 },
				.rpc_param_count = 1 };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	records_wanted = 1;
	record_calls = true;
	for (int i = 0; i < CALLERS; i++) {
		tasks[i] = (struct task_struct){
			.pid = 100 + i, .tgid = 100 + i, .group_leader = &tasks[i], .comm = "caller"
		};
		callers[i] = (struct caller){ .seed = 1 + (unsigned int)i,
					      .n = i,
					      .next_id = FIRST_ID + (u32)i };
	}
	open_common(&callers[0]);
	collect = collect_new(&probes);
	assert_non_null(collect);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&callers[i].thread, NULL, calls, &callers[i]), 0);
	end = clock_now() + (seconds ? strtoull(seconds, NULL, 10) : 3) * 1000000000;
	while (clock_now() < end) {
		s = collect_snapshot(collect);
		assert_non_null(s);
		check_snapshot(s, &before, true);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(callers[i].thread, NULL);
	s = collect_snapshot(collect);
	check_snapshot(s, &before, true);
	compare(s, callers);
	collect_free(collect);
	free(ring);
}

/* The driver's count is read before the rows: nothing is unseen because a session closed since. */
UNIT_TEST(unseen_sessions_are_so_twice)
{
	static const struct {
		int driver, open, unseen;
	} cases[] = { { 3, 2, 1 }, { 2, 2, 0 }, { 2, 1, 0 }, { 1, 1, 0 }, { 3, 1, 0 }, { 3, 1, 2 } };
	struct probes probes = { .shared = &shared, .rows = session_rows };
	struct pool *pool = &shared.pools[0];
	struct collect *collect;

	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	*pool = (struct pool){ .ready = 1, .total = 2, .driver_ns = 1 };
	pool->driver_flags = DRIVER_SYS_SESSIONS;
	shared.session_cursor = shared.session_serial = 2;
	for (u32 i = 0; i < 2; i++)
		session_rows[i] =
			(struct session){ .serial = 1 + i, .id = 1 + i, .flags = SESSION_SYSTEM };
	collect = collect_new(&probes);
	assert_non_null(collect);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pool->driver_sys_sessions = cases[i].driver;
		for (int row = 0; row < 2; row++)
			session_rows[row].state = row < cases[i].open ? SESSION_OPEN :
									SESSION_CLOSED;
		assert_int_equal(collect_snapshot(collect)->pools[0].system_sessions_unseen,
				 cases[i].unseen);
	}
	collect_free(collect);
}

static void check_unread(struct collect *collect, u32 shown, u64 calls, u64 unread)
{
	const struct snapshot *s = collect_snapshot(collect);

	assert_non_null(s);
	assert_int_equal(s->nr_sessions, shown);
	assert_int_equal(s->losses.count[LOSS_SESSION_CLOSED], unread);
	assert_int_equal(s->pools[0].sums[CLASS_NORMAL].calls, calls);
}

/* As if somebody were always accounting a call there; each second costs one. */
UNIT_TEST(who_cannot_be_read_counts)
{
	struct probes probes = { .shared = &shared, .rows = session_rows };
	struct session *row = &session_rows[0], *none = &session_rows[SLOT_NONE(0)];
	struct collect *collect;

	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	shared.pools[0] = (struct pool){ .ready = 1, .total = 2, .driver_ns = 1 };
	shared.session_cursor = shared.session_serial = 1;
	*row = (struct session){ .serial = 1, .id = 1, .state = SESSION_OPEN };
	row->sums[CLASS_NORMAL].calls = 1;
	collect = collect_new(&probes);
	assert_non_null(collect);
	check_unread(collect, 1, 0, 0); /* the row of calls without a session */
	usleep(1100000);
	check_unread(collect, 1, 0, 1);
	check_unread(collect, 1, 0, 1);
	row->accounted = 1; /* now it is read; that it was not still counts */
	none->sums[CLASS_NORMAL].calls = 3;
	check_unread(collect, 2, 1, 1);
	usleep(1100000);
	check_unread(collect, 2, 1, 2);
	none->accounted = 3;
	row->sums[CLASS_NORMAL].calls = 2;
	check_unread(collect, 2, 4, 2);
	usleep(1100000);
	check_unread(collect, 2, 4, 3);
	/* Given to another session before it was read. */
	shared.session_serial = 2;
	*row = (struct session){ .serial = 2, .id = 2, .state = SESSION_OPEN };
	check_unread(collect, 2, 4, 3);
	collect_free(collect);
}

#define PHASES 3000000

static void *starts_phases(void *arg)
{
	struct call *c = arg;

	for (u64 n = 1; !__atomic_load_n(&stop, __ATOMIC_RELAXED); n++) {
		__atomic_store_n(&c->phase_ns, n, __ATOMIC_RELEASE);
		for (unsigned int pause = n % 64; pause; pause--)
			barrier_var(pause);
		__atomic_store_n(&c->woken_ns, n, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* A copy of a call never has an old figure beside one that was written after the new one. */
UNIT_TEST(a_copy_is_of_one_moment)
{
	static struct call call = { .phase = PHASE_QUEUED }, copy;
	pthread_t writer;
	int copied = 0;

	__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
	assert_int_equal(pthread_create(&writer, NULL, starts_phases, &call), 0);
	while (__atomic_load_n(&call.phase_ns, __ATOMIC_RELAXED) < PHASES) {
		if (!call_copy(&copy, &call))
			continue;
		copied++;
		assert_true(copy.phase_ns >= copy.woken_ns);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	assert_true(copied > 0);
	call.phase = PHASE_FREE;
	assert_false(call_copy(&copy, &call));
}
