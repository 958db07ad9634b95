// SPDX-License-Identifier: GPL-2.0-only
/* The threads of tee-supplicant come and go; there is room for those that are there. */
#include <pthread.h>
#include "unit.h"
#include "fixtures/bpf_native.h"

#define THREADS (MAX_SUPPLICANTS + 1)

static struct task_struct threads[THREADS];

static int start(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	for (int i = 0; i < THREADS; i++)
		threads[i] = (struct task_struct){ .pid = 100 + i, .tgid = 100 };
	return 0;
}

static struct supplicant *found(int i)
{
	u32 slot = supplicant_found((u64)&threads[i], (u32)threads[i].pid);

	return slot < MAX_SUPPLICANTS ? &shared.supplicants[slot] : NULL;
}

UNIT_TEST_SETUP(each_has_a_slot, start)
{
	struct supplicant *last;

	for (int again = 0; again < 2; again++)
		for (int i = 0; i < MAX_SUPPLICANTS; i++)
			assert_ptr_equal(found(i), &shared.supplicants[i]);
	assert_int_equal(shared.loss[LOSS_SUPPLICANT], 0);
	assert_null(found(MAX_SUPPLICANTS));
	assert_int_equal(shared.loss[LOSS_SUPPLICANT], 1);

	shared.supplicants[7].request = 0x1234;
	shared.supplicants[7].taken_ns = 5;
	threads[7].exit_state = 16;
	last = found(MAX_SUPPLICANTS);
	assert_ptr_equal(last, &shared.supplicants[7]);
	assert_int_equal(last->tid, 100 + MAX_SUPPLICANTS);
	assert_int_equal(last->request, 0);
	assert_int_equal(last->taken_ns, 0);
	assert_int_equal(shared.loss[LOSS_SUPPLICANT], 1);
}

UNIT_TEST_SETUP(many_restarts, start)
{
	for (int run = 0; run < 1000; run++) {
		for (int i = 0; i < 5; i++) {
			threads[i].pid = 1000 + 5 * run + i; /* the memory is used again */
			threads[i].exit_state = 0;
			assert_int_equal(found(i)->tid, threads[i].pid);
		}
		for (int i = 0; i < 5; i++)
			threads[i].exit_state = 16;
	}
	assert_int_equal(shared.loss[LOSS_SUPPLICANT], 0);
}

/* Else a client that has the tid by now would be taken for one of them. */
UNIT_TEST_SETUP(who_is_gone_is_swept_out, start)
{
	for (int i = 0; i < 3; i++)
		found(i);
	threads[0].exit_state = 16;
	threads[1].pid = 7; /* another task's memory now */
	supplicants_sweep();
	assert_int_equal(shared.supplicants[0].task, 0);
	assert_int_equal(shared.supplicants[1].task, 0);
	assert_int_equal(shared.supplicants[2].task, (u64)&threads[2]);
	assert_ptr_equal(found(2), &shared.supplicants[2]);
}

UNIT_TEST_SETUP(a_slot_that_is_being_filled_is_left_alone, start)
{
	shared.supplicants[0] = (struct supplicant){ .task = SUPPLICANT_TAKEN, .tid = 7 };
	supplicants_sweep();
	assert_int_equal(shared.supplicants[0].task, SUPPLICANT_TAKEN);
	assert_ptr_equal(found(0), &shared.supplicants[1]);
	assert_int_equal(shared.supplicants[0].tid, 7);
}

#define ROUNDS 2000

static pthread_barrier_t barrier;
static int not_found[THREADS];

static void *finds_itself(void *arg)
{
	int i = (int)(long)arg;

	for (int round = 0; round < ROUNDS; round++) {
		struct supplicant *s;

		pthread_barrier_wait(&barrier);
		s = found(i);
		if (i == 0)
			supplicants_sweep();
		pthread_barrier_wait(&barrier);
		not_found[i] += s->task != (u64)&threads[i] || s->tid != (u32)threads[i].pid;
		pthread_barrier_wait(&barrier);
		if (i == 0)
			memset(shared.supplicants, 0, sizeof(shared.supplicants));
	}
	return NULL;
}

/* Nobody takes a slot away from a thread that is still filling it. */
UNIT_TEST_SETUP(all_at_once, start)
{
	pthread_t finders[4];
	const int nr = sizeof(finders) / sizeof(finders[0]);

	assert_int_equal(pthread_barrier_init(&barrier, NULL, nr), 0);
	for (int i = 0; i < nr; i++)
		assert_int_equal(pthread_create(&finders[i], NULL, finds_itself, (void *)(long)i),
				 0);
	for (int i = 0; i < nr; i++)
		pthread_join(finders[i], NULL);
	pthread_barrier_destroy(&barrier);
	for (int i = 0; i < nr; i++)
		assert_int_equal(not_found[i], 0);
}

/* Requests, as the driver keeps them: all by id, and in a list those that nobody has taken. */

#define LEAVES 64

static struct optee optee;
static struct xa_node root, top, leaves[LEAVES];
static struct list_head waiting[MAX_REQUESTS + 1];
#define KILLED ((void *)-9L) /* stands for a request whose caller was */

static struct pool *requests_start(int nr_waiting)
{
	struct list_head *last = &optee.supp.reqs;
	struct pool *pool = &shared.pools[0];

	for (int i = 0; i < nr_waiting; i++)
		last = last->next = &waiting[i];
	last->next = &optee.supp.reqs;
	memset(&top, 0, sizeof(top));
	memset(leaves, 0, sizeof(leaves));
	memset(&optee.supp.idr, 0, sizeof(optee.supp.idr));
	pool->requests = (u64)&optee.supp.reqs;
	return pool;
}

static void *node(struct xa_node *n)
{
	return (char *)n + 2;
}

/* With one level if that is enough, as the kernel does it. */
static void request_has_id(int id, void *request)
{
	if (id < 64 && optee.supp.idr.idr_rt.xa_head != node(&top)) {
		optee.supp.idr.idr_rt.xa_head = node(&leaves[0]);
	} else {
		top.shift = 6;
		if (optee.supp.idr.idr_rt.xa_head)
			top.slots[0] = node(&leaves[0]);
		top.slots[id / 64] = node(&leaves[id / 64]);
		optee.supp.idr.idr_rt.xa_head = node(&top);
	}
	leaves[id / 64].slots[id % 64] = request;
}

static void check_requests(struct pool *pool, int want_waiting, int want_revoked, u64 lost)
{
	inspect_requests(pool);
	assert_int_equal(pool->driver_requests, want_waiting);
	assert_int_equal(pool->driver_revoked, want_revoked);
	assert_int_equal(shared.loss[LOSS_SUPPLICANT], lost);
}

UNIT_TEST_SETUP(every_request_is_seen, start)
{
	struct tee_param params[2];
	struct optee_supp_req late = { .func = 0, .param = params };
	struct swait_queue sleeper = { .task = &threads[3] };
	struct pool *pool = requests_start(0);
	struct call *c = call_take((u64)&threads[3], true);

	check_requests(pool, 0, 0, 0);
	pool = requests_start(200);
	request_has_id(1, KILLED);
	request_has_id(63, KILLED);
	check_requests(pool, 200, 2, 0);
	request_has_id(64, KILLED);
	request_has_id(4095, KILLED);
	check_requests(pool, 200, 4, 0);

	/* Of a call from before we attached. */
	late.c.wait.task_list.next = &sleeper.task_list;
	c->flags = CALL_LATE;
	c->phase = PHASE_RPC;
	request_has_id(777, &late);
	check_requests(pool, 200, 4, 0);
	assert_true(c->flags & CALL_SUPPLICANT);
	assert_ptr_equal(shared.requests[call_index(c)], params);
}

/* Then nobody is accused: see deadlock_find(). */
UNIT_TEST_SETUP(requests_that_are_not_seen_count, start)
{
	struct pool *pool = requests_start(MAX_REQUESTS + 1);

	check_requests(pool, -1, 0, 1);
	pool = requests_start(MAX_REQUESTS);
	check_requests(pool, MAX_REQUESTS, 0, 1);
	pool = requests_start(0);
	for (int leaf = 0; leaf < LEAVES; leaf++)
		request_has_id(64 * leaf, KILLED);
	check_requests(pool, 0, LEAVES, 1);
	root.shift = 12;
	root.slots[0] = root.slots[1] = node(&top); /* with 4096 ids each */
	optee.supp.idr.idr_rt.xa_head = node(&root);
	check_requests(pool, 0, -1, 2);
}
