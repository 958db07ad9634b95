// SPDX-License-Identifier: GPL-2.0-only
/*
 * The detector of deadlocks. At first all calls count as stuck. Those that can go on are
 * taken out one after another: a holder that is not blocked, a waiter for whom there will
 * be a thread once all holders that go on have ended, and whoever waits for one of these.
 * What is left never goes on. In doubt a call goes on.
 *
 * A holder is blocked by a call that is nested in its RPC, or by the one that the thread
 * of tee-supplicant makes that works for it, or by whoever has the lock that it waits for.
 * Who waits for the driver's argument cache is blocked by the call that has it locked.
 *
 * OP-TEE's locks, and all else that one of its threads waits for until another one wakes it,
 * belong to calls that hold a thread: a call has released all that it took before it gives
 * its thread back. Which call has a lock Linux does not learn, so it can be any. But
 * if ever all that there are were stuck, whoever came later changes nothing.
 *
 * Which thread works for which call is not known of those that had begun to wait
 * for a request before we attached, nor with kprobes. Of them it is enough that
 * there are as many blocked threads as taken requests, those included that
 * threads go on with although the caller was killed. A request that nobody has
 * taken is blocked if all threads are; if there are none, then not by a call.
 */
#include "collect/deadlock.h"

/* All that is to be known of the others when one call is judged. */
struct view {
	struct deadlock_call *calls;
	size_t n;
	const struct deadlock_pool *pool;
	int stuck_holders, stuck_system, going_holders;
	/* What a request waits for of which it is not known who has taken it. */
	bool unknown_blocked;
	int unknown_answers, unknown_first; /* how many calls it can be, and one of them */
};

/* Whom each waits for who is not in the queue, where that is certain. */
static void link_known(struct deadlock_call *calls, size_t n)
{
	int locker = -1;

	for (size_t i = 0; i < n; i++) {
		calls[i].stuck = true;
		calls[i].behind = -1;
		calls[i].one_of = false;
		if (calls[i].has_arguments)
			locker = (int)i;
	}
	for (size_t i = 0; i < n; i++)
		if (calls[i].answers && calls[i].outer < 0 && calls[i].answers_for >= 0 &&
		    calls[calls[i].answers_for].served)
			calls[calls[i].answers_for].behind = (int)i;
	for (size_t i = 0; i < n; i++)
		if (calls[i].at_arguments)
			calls[i].behind = locker;
	for (size_t i = 0; i < n; i++) /* whoever has a nested call waits for that */
		if (calls[i].outer >= 0)
			calls[calls[i].outer].behind = (int)i;
}

static bool holds_thread(const struct deadlock_call *c)
{
	return !c->waits && !c->at_arguments;
}

static bool request_is_unknown(const struct deadlock_call *c)
{
	return !c->waits && c->supplicant && !c->served && c->behind < 0;
}

static void look_at_unknown(struct view *v)
{
	const struct deadlock_pool *pool = v->pool;
	bool untaken = pool->untaken, comes_back = pool->idle_supplicants, unknown_goes = false;
	int requests = 0, unknown = 0, taken;

	v->unknown_answers = 0;
	v->unknown_first = -1;
	for (size_t i = 0; i < v->n; i++) {
		const struct deadlock_call *c = &v->calls[i];

		requests += request_is_unknown(c);
		if (!c->answers || c->outer >= 0)
			continue;
		unknown += !c->answers_known;
		comes_back |= !c->stuck;
		unknown_goes |= !c->answers_known && !c->stuck;
		if (c->answers_known && !untaken) /* else it can be any thread */
			continue;
		v->unknown_answers++;
		if (v->unknown_first < 0)
			v->unknown_first = (int)i;
	}
	taken = requests - pool->untaken;
	v->unknown_blocked = v->unknown_answers && (!untaken || !comes_back) &&
			     (taken <= 0 || (!unknown_goes && unknown >= taken + pool->revoked));
}

static void look_at_all(struct view *v)
{
	v->stuck_holders = v->stuck_system = v->going_holders = 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct deadlock_call *c = &v->calls[i];

		if (!holds_thread(c))
			continue;
		v->stuck_holders += c->stuck;
		v->stuck_system += c->stuck && c->system;
		v->going_holders += !c->stuck;
	}
	look_at_unknown(v);
}

/* How many threads of those that nobody is stuck with a normal call has to leave free. */
static int kept_from_normal(const struct view *v)
{
	const struct deadlock_pool *pool = v->pool;
	int used_up = pool->reserve_is_shared ? v->stuck_system : 0;

	return pool->reserved > used_up ? pool->reserved - used_up : 0;
}

static bool waiter_goes_on(const struct view *v, const struct deadlock_call *c)
{
	if (!v->pool->threads) /* whoever ends wakes somebody */
		return v->going_holders;
	return v->pool->threads - v->stuck_holders > (c->system ? 0 : kept_from_normal(v));
}

static bool goes_on(const struct view *v, const struct deadlock_call *c)
{
	if (c->waits)
		return waiter_goes_on(v, c);
	if (!c->in_rpc && !c->at_arguments)
		return true;
	if (c->behind >= 0)
		return !v->calls[c->behind].stuck;
	if (c->lock) /* if there is only itself, it is not known what it waits for */
		return v->stuck_holders + v->going_holders < 2 ||
		       (v->going_holders && !v->pool->locks_are_stuck);
	return !request_is_unknown(c) || !v->unknown_blocked;
}

/* Of the holders that may have the lock that it waits for; rather one that waits for none. */
static int likely_owner(const struct view *v, const struct deadlock_call *c)
{
	int owner = -1;

	for (size_t i = 0; i < v->n; i++) {
		const struct deadlock_call *o = &v->calls[i];

		if (o != c && holds_thread(o) && o->stuck &&
		    (owner < 0 || (v->calls[owner].lock && !o->lock)))
			owner = (int)i;
	}
	return owner;
}

/* Whom it waits for, if it does for ever. */
static void name_blocker(const struct view *v, struct deadlock_call *c)
{
	if (!c->stuck)
		c->behind = -1;
	if (c->waits || !c->stuck || c->behind >= 0)
		return;
	if (c->lock) {
		c->behind = likely_owner(v, c);
		c->one_of = v->stuck_holders > 2;
		return;
	}
	c->behind = v->unknown_first;
	c->one_of = v->unknown_answers > 1;
}

bool deadlock_find(struct deadlock_call *calls, size_t n, struct deadlock_pool *pool)
{
	struct view v = { .calls = calls, .n = n, .pool = pool };
	int stuck_waiters = 0;
	bool changed;

	link_known(calls, n);
	do {
		changed = false;
		look_at_all(&v);
		for (size_t i = 0; i < n; i++)
			if (calls[i].stuck && goes_on(&v, &calls[i])) {
				calls[i].stuck = false;
				changed = true;
			}
	} while (changed);
	for (size_t i = 0; i < n; i++) {
		name_blocker(&v, &calls[i]);
		stuck_waiters += calls[i].waits && calls[i].stuck;
	}
	pool->kept = pool->threads > v.stuck_holders ? pool->threads - v.stuck_holders : 0;
	return stuck_waiters && v.stuck_holders && pool->untaken >= 0 && pool->revoked >= 0;
}
