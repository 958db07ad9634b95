// SPDX-License-Identifier: GPL-2.0-only
/*
 * The detector of deadlocks: cases, and random states compared with a model that
 * knows more than it does. The model says of each way in which what is not known
 * may be: can any holder go on? The detector has to say "deadlock" if it is stuck
 * in all of them.
 */
#include <stdlib.h>
#include <string.h>
#include "unit.h"
#include "collect/deadlock.h"

/* Cases. */

#define HOLDS     .answers_for = -1, .outer = -1
#define WAITS     .waits = true, HOLDS
#define RPC       .in_rpc = true, HOLDS
#define ASKS      .supplicant = true, RPC
#define IS_SERVED .served = true, ASKS
#define FOR(request)                                                                               \
	.waits = true, .answers = true, .answers_known = true, .outer = -1, .answers_for = request
#define SYSTEM          .system = true
#define LOCKED          .lock = true, RPC
#define ANSWERS         .answers = true, HOLDS
#define FOR_SOMEBODY    .answers = true, WAITS
#define NESTED_IN(call) .waits = true, .answers_for = -1, .outer = call

#define FIND(calls, ...)                                                                           \
	deadlock_find(calls, sizeof(calls) / sizeof((calls)[0]),                                   \
		      &(struct deadlock_pool){ __VA_ARGS__ })

UNIT_TEST(a_nested_call_waits)
{
	struct deadlock_call one[] = { { RPC }, { NESTED_IN(0) } };
	struct deadlock_call two[] = {
		{ NESTED_IN(2) }, { RPC }, { RPC }, { NESTED_IN(1) }, { WAITS }
	};

	assert_true(FIND(one, .threads = 1));
	assert_int_equal(one[0].behind, 1);
	assert_int_equal(one[1].behind, -1);
	assert_false(one[0].one_of);
	assert_false(FIND(one, .threads = 2)); /* one is free */
	assert_true(FIND(one, .threads = 0));  /* who knows; but nobody will wake it */
	assert_true(FIND(two, .threads = 2));
	assert_int_equal(two[1].behind, 3);
	assert_int_equal(two[2].behind, 0);
	two[1].outer = -1;
	two[3].outer = -1; /* an RPC that the kernel does by itself */
	assert_false(FIND(two, .threads = 2));
}

/* The call that has the argument cache locked waits in the queue: who wants an argument waits, too. */
UNIT_TEST(the_argument_cache_is_locked)
{
	struct deadlock_call calls[] = {
		{ RPC },
		{ .at_arguments = true, .answers_for = -1, .outer = 0 },
		{ .has_arguments = true, WAITS },
		{ .at_arguments = true, HOLDS },
	};

	assert_true(FIND(calls, .threads = 1));
	assert_int_equal(calls[0].behind, 1);
	assert_int_equal(calls[1].behind, 2);
	assert_int_equal(calls[3].behind, 2);
	assert_true(calls[3].stuck);
	assert_false(FIND(calls, .threads = 2)); /* there is a thread for it */
	assert_int_equal(calls[1].behind, -1);
	calls[2].waits = false; /* it has got one */
	assert_false(FIND(calls, .threads = 2));
	calls[2] = (struct deadlock_call){ WAITS }; /* somebody else has it, and will unlock it */
	assert_false(FIND(calls, .threads = 1));
}

UNIT_TEST(a_reserve_is_kept)
{
	/* Both normal calls wait for a nested one, and a third thread is for system calls. */
	struct deadlock_call calls[] = { { RPC }, { NESTED_IN(0) }, { RPC }, { NESTED_IN(2) } };
	struct deadlock_call moves[] = {
		{ RPC }, { NESTED_IN(0) }, { RPC }, { NESTED_IN(2) }, { SYSTEM, HOLDS }
	};
	struct deadlock_pool pool = { .threads = 3, .reserved = 1 };

	assert_true(deadlock_find(calls, 4, &pool));
	assert_int_equal(pool.kept, 1);
	assert_int_equal(calls[0].behind, 1);
	assert_false(FIND(calls, .threads = 3)); /* nobody keeps it */
	assert_false(FIND(calls, .threads = 4, .reserved = 1));
	/* A system call has that one. It will end, but leave it to system calls. */
	assert_true(FIND(moves, .threads = 3, .reserved = 1));
	assert_false(moves[4].stuck);
	assert_int_equal(moves[4].behind, -1);
	/* It has another one than that, which normal calls may have after it. */
	assert_false(FIND(moves, .threads = 4, .reserved = 1));
}

UNIT_TEST(a_system_call_gets_through)
{
	/* The nested call may have the reserve: so its outer one ends, and then all others. */
	struct deadlock_call calls[] = { { RPC }, { SYSTEM, NESTED_IN(0) }, { WAITS } };
	struct deadlock_call part[] = {
		{ RPC }, { SYSTEM, NESTED_IN(0) }, { RPC }, { NESTED_IN(2) }, { WAITS }
	};
	struct deadlock_call waits[] = { { RPC }, { NESTED_IN(0) }, { SYSTEM, WAITS } };

	assert_false(FIND(calls, .threads = 2, .reserved = 1));
	assert_true(FIND(calls, .threads = 1, .reserved = 1));
	assert_false(FIND(part, .threads = 3, .reserved = 1));
	assert_true(FIND(part, .threads = 2, .reserved = 1)); /* nothing is left of it */
	/* The system call is about to have its thread, and has no part in this. */
	assert_true(FIND(waits, .threads = 2, .reserved = 1));
	assert_false(waits[2].stuck);
}

UNIT_TEST(a_stuck_system_call_counts_once)
{
	/* The driver keeps one more thread than system calls have, or one less for each. */
	struct deadlock_call calls[] = {
		{ RPC }, { NESTED_IN(0) }, { .system = true, RPC }, { NESTED_IN(2) }
	};

	assert_true(FIND(calls, .threads = 3, .reserved = 1));
	assert_false(FIND(calls, .threads = 3, .reserved = 1, .reserve_is_shared = true));
	assert_true(FIND(calls, .threads = 2, .reserved = 1, .reserve_is_shared = true));
}

UNIT_TEST(a_supplicant_beside_a_reserve)
{
	struct deadlock_call calls[] = { { IS_SERVED }, { FOR(0) } };
	struct deadlock_call unknown[] = { { ASKS }, { FOR_SOMEBODY }, { SYSTEM, HOLDS } };
	struct deadlock_call two[] = { { ASKS }, { ASKS }, { FOR_SOMEBODY }, { SYSTEM, ANSWERS } };

	assert_true(FIND(calls, .threads = 2, .reserved = 1, .idle_supplicants = 1));
	assert_false(FIND(calls, .threads = 2, .idle_supplicants = 1));
	assert_true(FIND(unknown, .threads = 2, .reserved = 1, .idle_supplicants = 1));
	/* The thread with the system call comes back, and may be the one for either of them. */
	assert_false(FIND(two, .threads = 4, .reserved = 1));
	assert_false(FIND(two, .threads = 3, .reserved = 1));
	two[3].answers_known = true; /* no, for somebody who is gone */
	assert_false(FIND(two, .threads = 3, .reserved = 1, .untaken = 1));
}

UNIT_TEST(a_lock_is_waited_for)
{
	struct deadlock_call calls[] = { { RPC }, { NESTED_IN(0) }, { LOCKED } };
	struct deadlock_call three[] = {
		{ LOCKED }, { RPC }, { NESTED_IN(1) }, { LOCKED }, { WAITS }
	};
	struct deadlock_call each[] = { { LOCKED }, { LOCKED }, { WAITS } };
	struct deadlock_call alone[] = { { LOCKED }, { WAITS } };

	assert_true(FIND(calls, .threads = 2));
	assert_int_equal(calls[2].behind, 0);
	assert_false(calls[2].one_of);
	assert_false(FIND(calls, .threads = 3)); /* the nested call gets a thread */
	assert_true(FIND(calls, .threads = 3, .reserved = 1));
	assert_true(FIND(calls, .threads = 0));
	calls[2].lock = false; /* it ends by itself, at its time */
	assert_false(FIND(calls, .threads = 2));
	assert_true(FIND(three, .threads = 3));
	assert_int_equal(three[0].behind, 1);
	assert_int_equal(three[3].behind, 1);
	assert_true(three[0].one_of); /* it can be the other one's, too */
	assert_true(FIND(each, .threads = 2));
	assert_int_equal(each[0].behind, 1);
	assert_int_equal(each[1].behind, 0);
	assert_false(FIND(alone, .threads = 1)); /* whose lock is it? */
}

UNIT_TEST(who_has_no_thread_has_no_lock)
{
	/* The first task waits for the argument cache, which 4 has locked in the queue. */
	struct deadlock_call calls[] = { { .at_arguments = true, HOLDS },
					 { LOCKED },
					 { RPC },
					 { NESTED_IN(2) },
					 { .has_arguments = true, WAITS } };

	assert_true(FIND(calls, .threads = 2));
	assert_int_equal(calls[1].behind, 2);
	assert_false(calls[1].one_of);
	assert_int_equal(calls[0].behind, 4);
}

UNIT_TEST(a_lock_is_released)
{
	/* Whoever runs may have the lock, and with it the nested call gets through. */
	struct deadlock_call runs[] = { { RPC }, { NESTED_IN(0) }, { LOCKED }, { HOLDS } };
	struct deadlock_call kernel[] = { { LOCKED }, { RPC }, { WAITS } };
	struct deadlock_call system[] = { { RPC }, { NESTED_IN(0) }, { LOCKED }, { SYSTEM, HOLDS } };

	assert_false(FIND(runs, .threads = 3));
	assert_false(FIND(kernel, .threads = 2));
	assert_false(FIND(system, .threads = 3, .reserved = 1));
	/* It came when the other two were stuck already: the lock is one of theirs. */
	assert_true(FIND(system, .threads = 3, .reserved = 1, .locks_are_stuck = true));
	assert_int_equal(system[2].behind, 0);
	assert_false(system[2].one_of);
	assert_false(FIND(system, .threads = 4, .reserved = 1, .locks_are_stuck = true));
}

UNIT_TEST(a_lock_of_a_supplicants_call)
{
	/* The thread of tee-supplicant that works for 0 waits for a lock that 2 has, who waits. */
	struct deadlock_call calls[] = {
		{ IS_SERVED },
		{ .answers = true,
		  .answers_known = true,
		  .lock = true,
		  .in_rpc = true,
		  .outer = -1,
		  .answers_for = 0 },
		{ RPC },
		{ NESTED_IN(2) },
	};

	assert_true(FIND(calls, .threads = 3, .idle_supplicants = 1));
	assert_int_equal(calls[0].behind, 1);
	assert_true(calls[1].one_of);
	calls[3].outer = -1;
	assert_false(FIND(calls, .threads = 3, .idle_supplicants = 1));
}

UNIT_TEST(a_lock_behind_a_supplicant_that_is_gone)
{
	/* Nobody will ever take 0's request; but that is not the queue's fault. */
	struct deadlock_call calls[] = { { ASKS }, { LOCKED }, { WAITS } };

	assert_false(FIND(calls, .threads = 2, .untaken = 1));
	assert_false(FIND(calls, .threads = 2, .untaken = 1, .idle_supplicants = 1));
	assert_false(FIND(calls, .threads = 3, .untaken = 1, .reserved = 1));
}

UNIT_TEST(a_holder_goes_on)
{
	struct deadlock_call secure[] = { { RPC }, { NESTED_IN(0) }, { HOLDS } };
	struct deadlock_call kernel[] = { { RPC }, { NESTED_IN(0) }, { RPC } };
	struct deadlock_call inner[] = { { RPC },
					 { .in_rpc = true, .answers_for = -1, .outer = 0 },
					 { WAITS } };
	struct deadlock_call nobody[] = { { RPC }, { HOLDS } };

	assert_false(FIND(secure, .threads = 2));
	assert_false(FIND(kernel, .threads = 2));
	assert_false(FIND(inner, .threads = 2)); /* the nested one has its thread, too */
	assert_false(FIND(nobody, .threads = 2));
	assert_false(deadlock_find(nobody, 0, &(struct deadlock_pool){ .threads = 2 }));
}

UNIT_TEST(a_known_thread_serves)
{
	struct deadlock_call calls[] = { { IS_SERVED }, { FOR(3) }, { FOR(0) }, { IS_SERVED } };

	assert_true(FIND(calls, .threads = 2, .idle_supplicants = 1));
	assert_int_equal(calls[0].behind, 2);
	assert_int_equal(calls[3].behind, 1);
	assert_false(calls[0].one_of || calls[3].one_of);
	calls[1].answers_for = -1; /* revoked; and somebody without a call works for 3 */
	assert_false(FIND(calls, .threads = 2, .idle_supplicants = 1));
	assert_false(FIND(calls, .threads = 2, .idle_supplicants = 0));
}

UNIT_TEST(an_unknown_thread_serves)
{
	struct deadlock_call calls[] = { { ASKS }, { ASKS }, { FOR_SOMEBODY }, { FOR_SOMEBODY } };
	struct deadlock_call one[] = { { ASKS }, { RPC }, { NESTED_IN(1) }, { FOR_SOMEBODY } };

	assert_true(FIND(calls, .threads = 2, .idle_supplicants = 1));
	assert_int_equal(calls[0].behind, 2);
	assert_true(calls[0].one_of && calls[1].one_of);
	/* One of the two may work for a call that is gone, and a third one for ours. */
	assert_false(FIND(calls, .threads = 2, .idle_supplicants = 2, .revoked = 1));
	calls[3].answers = false;
	assert_false(FIND(calls, .threads = 2, .idle_supplicants = 1));
	assert_true(FIND(one, .threads = 2, .idle_supplicants = 1));
	assert_int_equal(one[0].behind, 3);
	assert_false(one[0].one_of);
}

UNIT_TEST(nobody_takes_a_request)
{
	struct deadlock_call calls[] = { { ASKS }, { IS_SERVED }, { FOR(1) } };
	struct deadlock_call alone[] = { { ASKS }, { ASKS }, { WAITS } };
	struct deadlock_call more[] = { { ASKS }, { ASKS }, { FOR_SOMEBODY } };

	assert_true(FIND(calls, .threads = 2, .untaken = 1)); /* there is but one thread */
	assert_int_equal(calls[0].behind, 2);
	assert_false(FIND(calls, .threads = 2, .untaken = 1, .idle_supplicants = 1));
	/* tee-supplicant does not run: nothing in the queue is to blame. */
	assert_false(FIND(alone, .threads = 2, .untaken = 2));
	assert_true(FIND(more, .threads = 2, .untaken = 1));
	assert_false(FIND(more, .threads = 2, .untaken = 1, .idle_supplicants = 1));
}

UNIT_TEST(requests_that_were_not_seen)
{
	struct deadlock_call calls[] = { { ASKS }, { ASKS }, { FOR_SOMEBODY }, { FOR_SOMEBODY } };

	assert_true(FIND(calls, .threads = 2));
	assert_false(FIND(calls, .threads = 2, .untaken = -1));
	assert_false(FIND(calls, .threads = 2, .revoked = -1));
}

UNIT_TEST(a_chain_of_threads)
{
	/* 0 waits for a thread of tee-supplicant whose call, 1, holds a thread and waits for 2's. */
	struct deadlock_call calls[] = {
		{ IS_SERVED },
		{ .in_rpc = true,
		  .supplicant = true,
		  .served = true,
		  .answers = true,
		  .answers_known = true,
		  .answers_for = 0,
		  .outer = -1 },
		{ FOR(1) },
	};
	struct deadlock_call cycle[] = {
		{ .in_rpc = true,
		  .supplicant = true,
		  .served = true,
		  .answers = true,
		  .answers_known = true,
		  .answers_for = 1,
		  .outer = -1 },
		{ .in_rpc = true,
		  .supplicant = true,
		  .served = true,
		  .answers = true,
		  .answers_known = true,
		  .answers_for = 0,
		  .outer = -1 },
	};

	assert_true(FIND(calls, .threads = 2));
	assert_int_equal(calls[0].behind, 1);
	assert_int_equal(calls[1].behind, 2);
	calls[1].in_rpc = false;
	assert_false(FIND(calls, .threads = 2));
	assert_false(FIND(cycle, .threads = 2)); /* nobody waits in the queue */
}

/* The model: everything about a state, of which the detector is told a part. */

#define CALLS   8
#define THREADS 4
#define STATES  100000

enum place { SECURE, KERNEL, NESTED, SUPPLICANT, LOCK, QUEUE };
enum work { IDLE = -1, REVOKED = -2 }; /* else a call's number */

struct world {
	int n, threads;
	enum place place[CALLS];
	bool system[CALLS];
	int inner[CALLS];
	int owner[CALLS];    /* of the lock that it waits for */
	int serves[THREADS]; /* of tee-supplicant: enum work */
	int call[THREADS];   /* that it makes, or -1 */
	bool known[THREADS]; /* for whom it works was seen */
};

static int server_of(const struct world *w, int call)
{
	for (int t = 0; t < w->threads; t++)
		if (w->serves[t] == call)
			return t;
	return -1;
}

/* A holder that nothing keeps from its end, given those that have ended. */
static bool can_end(const struct world *w, const bool *ended, int call)
{
	int server;

	switch (w->place[call]) {
	case SECURE:
	case KERNEL:
		return true;
	case NESTED:
		return ended[w->inner[call]];
	case LOCK:
		return ended[w->owner[call]];
	case SUPPLICANT:
		server = server_of(w, call);
		if (server >= 0)
			return w->call[server] < 0 || ended[w->call[server]];
		/* Whoever comes back takes it; without any it waits, but not for a call. */
		for (int t = 0; t < w->threads; t++)
			if (w->call[t] < 0 || ended[w->call[t]])
				return true;
		return !w->threads;
	case QUEUE:
		break;
	}
	return false;
}

/* The driver's rule, with so many threads free and so many system calls in flight. */
static bool admits(const struct world *w, const struct deadlock_pool *pool, int call, int free,
		   int system)
{
	int kept = pool->reserve_is_shared && system < pool->reserved ? pool->reserved - system :
		   pool->reserve_is_shared                            ? 0 :
									pool->reserved;

	return free > (w->system[call] ? 0 : kept);
}

/*
 * All holders that can end do, and whoever is admitted then runs and ends at once, again and
 * again. Stuck: somebody still waits, because of somebody who still holds a thread.
 */
static bool is_stuck(const struct world *w, const struct deadlock_pool *pool)
{
	int holders = 0, system = 0, waiters = 0;
	bool ended[CALLS] = {}, moved = true, any = false;

	for (int c = 0; c < w->n; c++) {
		waiters += w->place[c] == QUEUE;
		holders += w->place[c] != QUEUE;
		system += w->place[c] != QUEUE && w->system[c];
	}
	while (moved) {
		moved = false;
		for (int c = 0; c < w->n; c++) {
			bool waits = w->place[c] == QUEUE;

			if (ended[c])
				continue;
			if (waits &&
			    !(pool->threads ? admits(w, pool, c, pool->threads - holders, system) :
					      any))
				continue;
			if (!waits && !can_end(w, ended, c))
				continue;
			ended[c] = moved = true;
			waiters -= waits;
			holders -= !waits;
			system -= !waits && w->system[c];
			any |= !waits;
		}
	}
	return waiters && holders;
}

/* Stuck whichever other holder has the lock that a call waits for, from the given one on. */
static bool stuck_by_any_owner(struct world *w, const struct deadlock_pool *pool, int call)
{
	while (call < w->n && w->place[call] != LOCK)
		call++;
	if (call == w->n)
		return is_stuck(w, pool);
	for (int c = 0; c < w->n; c++) {
		w->owner[call] = c;
		if (c != call && w->place[c] != QUEUE && !stuck_by_any_owner(w, pool, call + 1))
			return false;
	}
	return true;
}

/* Stuck however the threads from the given one on serve the requests that are left. */
static bool always_stuck(struct world *w, const struct deadlock_pool *pool, int thread, int untaken,
			 int revoked)
{
	int left = 0;
	bool stuck = true;

	while (thread < w->threads && w->known[thread])
		thread++;
	if (thread == w->threads) {
		for (int c = 0; c < w->n; c++)
			left += w->place[c] == SUPPLICANT && server_of(w, c) < 0;
		return left != untaken || revoked ||
		       stuck_by_any_owner(w, pool, 0); /* else it cannot be so */
	}
	for (int c = 0; c < w->n && stuck; c++)
		if (w->place[c] == SUPPLICANT && server_of(w, c) < 0) {
			w->serves[thread] = c;
			stuck = always_stuck(w, pool, thread + 1, untaken, revoked);
			w->serves[thread] = IDLE;
		}
	if (stuck && revoked) {
		w->serves[thread] = REVOKED;
		stuck = always_stuck(w, pool, thread + 1, untaken, revoked - 1);
		w->serves[thread] = IDLE;
	}
	if (stuck && w->call[thread] < 0)
		stuck = always_stuck(w, pool, thread + 1, untaken, revoked);
	return stuck;
}

static int below(int n)
{
	return rand() / 7 % n;
}

/* The call can be a thread's: nobody else's, and not nested in another one. */
static bool is_free(const struct world *w, int call)
{
	for (int t = 0; t < w->threads; t++)
		if (w->call[t] == call)
			return false;
	for (int c = 0; c < w->n; c++)
		if (w->place[c] == NESTED && w->inner[c] == call)
			return false;
	return true;
}

/* A thread of tee-supplicant makes calls only while it serves a request. */
static void make_threads(struct world *w)
{
	w->threads = below(THREADS + 1);
	for (int t = 0; t < w->threads; t++) {
		w->serves[t] = IDLE;
		w->call[t] = -1;
		w->known[t] = below(3);
	}
	for (int t = 0; t < w->threads; t++) {
		int request = below(w->n), call = below(w->n);

		if (w->place[request] == SUPPLICANT && server_of(w, request) < 0)
			w->serves[t] = request;
		else if (!below(3))
			w->serves[t] = REVOKED;
		if (w->serves[t] != IDLE && below(5) && is_free(w, call))
			w->call[t] = call;
		else if (w->serves[t] == REVOKED)
			w->known[t] = false; /* it looks idle */
	}
}

/* If another call has a thread, that may have the lock. */
static void wait_for_lock(struct world *w, int call)
{
	if (w->place[call] == NESTED)
		return;
	for (int c = below(2) * call; c < w->n; c++)
		if (c != call && w->place[c] != QUEUE) {
			w->place[call] = LOCK;
			w->owner[call] = c;
			return;
		}
}

/* Mostly such that many are stuck: else there is nothing to compare. */
static void make_world(struct world *w)
{
	static const enum place places[] = { SUPPLICANT, SUPPLICANT, SUPPLICANT, QUEUE, QUEUE,
					     QUEUE,      NESTED,     NESTED,     KERNEL };

	memset(w, 0, sizeof(*w));
	w->n = 1 + below(CALLS);
	for (int c = 0; c < w->n; c++) {
		w->place[c] = below(12) ? places[below(8 + !below(3))] : SECURE;
		w->system[c] = !below(4);
	}
	for (int c = 0; c < w->n; c++) {
		/* The inner call began later: no cycles among the nested. */
		w->inner[c] = c + 1 + below(2);
		if (w->place[c] == NESTED &&
		    (w->inner[c] >= w->n || (c && w->place[c - 1] == NESTED)))
			w->place[c] = QUEUE;
	}
	for (int i = below(5) - 2; i > 0; i--)
		wait_for_lock(w, below(w->n));
	make_threads(w);
}

/* What the detector is told of it. */
static void tell(const struct world *w, struct deadlock_call *calls, struct deadlock_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
	for (int c = 0; c < w->n; c++) {
		int server = server_of(w, c);

		calls[c] = (struct deadlock_call){
			.waits = w->place[c] == QUEUE,
			.system = w->system[c],
			.in_rpc = w->place[c] != QUEUE && w->place[c] != SECURE,
			.supplicant = w->place[c] == SUPPLICANT,
			.lock = w->place[c] == LOCK,
			.served = server >= 0 && w->known[server],
			.answers_for = -1,
			.outer = -1,
		};
		pool->untaken += w->place[c] == SUPPLICANT && server < 0;
	}
	for (int c = 0; c < w->n; c++)
		if (w->place[c] == NESTED)
			calls[w->inner[c]].outer = c;
	for (int t = 0; t < w->threads; t++) {
		pool->idle_supplicants += w->call[t] < 0;
		pool->revoked += w->serves[t] == REVOKED && !w->known[t];
		/* The thread's task has those that are nested in its call, too. */
		for (int c = w->call[t]; c >= 0; c = w->place[c] == NESTED ? w->inner[c] : -1) {
			calls[c].answers = true;
			calls[c].answers_known = w->known[t];
			calls[c].answers_for = w->known[t] && w->serves[t] >= 0 ? w->serves[t] : -1;
		}
	}
}

static int holders_of(const struct world *w)
{
	int holders = 0;

	for (int c = 0; c < w->n; c++)
		holders += w->place[c] != QUEUE;
	return holders;
}

/* The link of one that is stuck leads to the call that the model has there, if it is certain. */
static void check_links(const struct world *w, const struct deadlock_call *calls)
{
	for (int c = 0; c < w->n; c++) {
		int server = server_of(w, c);

		if (w->place[c] == QUEUE || !calls[c].stuck) {
			assert_int_equal(calls[c].behind, -1);
			continue;
		}
		assert_in_range(calls[c].behind, 0, w->n - 1);
		if (w->place[c] == NESTED)
			assert_int_equal(calls[c].behind, w->inner[c]);
		else if (w->place[c] == LOCK)
			assert_true(calls[calls[c].behind].stuck &&
				    w->place[calls[c].behind] != QUEUE && calls[c].behind != c);
		else if (server >= 0 && !calls[c].one_of)
			assert_int_equal(calls[c].behind, w->call[server]);
		else
			assert_true(calls[calls[c].behind].answers);
	}
}

/* The pool of a world: what of it does not follow from the calls. */
static void make_pool(const struct world *w, struct deadlock_pool *pool)
{
	pool->reserved = below(3);
	pool->reserve_is_shared = below(2);
	pool->threads = below(5) ? holders_of(w) + below(pool->reserved + 2) : 0;
}

/* One that is left out may be one too many: which thread serves whom is not known. */
static bool is_known(const struct world *w)
{
	for (int t = 0; t < w->threads; t++)
		if (!w->known[t])
			return false;
	return true;
}

static void print_state(const struct world *w, const struct deadlock_call *calls,
			const struct deadlock_pool *pool)
{
	print_error("T %d, reserved %d%s, untaken %d, revoked %d, idle %d\n", pool->threads,
		    pool->reserved, pool->reserve_is_shared ? " shared" : "", pool->untaken,
		    pool->revoked, pool->idle_supplicants);
	for (int c = 0; c < w->n; c++)
		print_error("call %d: place %d inner %d system %d served %d answers %d %d for %d\n",
			    c, w->place[c], w->inner[c], w->system[c], calls[c].served,
			    calls[c].answers, calls[c].answers_known, calls[c].answers_for);
}

UNIT_TEST(random_states)
{
	int stuck = 0, missed = 0, unknown = 0, beside = 0, moves = 0, locked = 0;

	srand(1);
	for (int i = 0; i < STATES; i++) {
		struct deadlock_call calls[CALLS];
		struct deadlock_pool pool;
		struct world w, any;
		bool want, have, one_of = false, goes = false, lock = false;

		make_world(&w);
		tell(&w, calls, &pool);
		make_pool(&w, &pool);
		any = w;
		for (int t = 0; t < w.threads; t++)
			if (!w.known[t])
				any.serves[t] = IDLE;
		want = always_stuck(&any, &pool, 0, pool.untaken, pool.revoked);
		have = deadlock_find(calls, (size_t)w.n, &pool);
		if ((have && !want) || (want && !have && is_known(&w))) {
			print_error("state %d: the model says %d, the detector %d\n", i, want,
				    have);
			print_state(&w, calls, &pool);
		}
		assert_true(want || !have); /* no cry of wolf */
		assert_true(have || !want || !is_known(&w));
		stuck += want;
		missed += want && !have;
		if (!have)
			continue;
		check_links(&w, calls);
		for (int c = 0; c < w.n; c++) {
			one_of |= calls[c].one_of && w.place[c] == SUPPLICANT;
			lock |= calls[c].stuck && calls[c].lock;
			goes |= !calls[c].stuck;
		}
		unknown += one_of;
		beside += pool.kept > 0;
		moves += goes;
		locked += lock;
	}
	print_message("%d stuck, %d missed, %d unknown, %d beside a reserve, %d with others, "
		      "%d for a lock\n",
		      stuck, missed, unknown, beside, moves, locked);
	/* Else it has compared nothing. */
	assert_true(stuck > STATES / 50);
	assert_true(unknown > STATES / 1000);
	assert_true(beside > STATES / 200);
	assert_true(moves > STATES / 200);
	assert_true(locked > STATES / 200);
	/* Where two requests may be with one thread, and it is not known with which. */
	assert_true(missed < stuck / 100);
}
