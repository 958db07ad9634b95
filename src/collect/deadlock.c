// SPDX-License-Identifier: GPL-2.0-only
/*
 * The detector of deadlocks: every holder must be blocked by a call that is
 * blocked itself or waits in the queue. That is the one nested in its RPC, or the
 * one made by the thread of tee-supplicant that works for it. A single holder
 * that is not blocked will give its thread back, and then there is none.
 *
 * Which thread works for which call is not known of those that had begun to wait
 * for a request before we attached, nor with kprobes. Of them it is enough that
 * there are as many blocked threads as taken requests, those included that
 * threads go on with although the caller was killed. A request that nobody has
 * taken is blocked if all threads are; if there are none, then not by a call.
 */
#include "collect/deadlock.h"

static int nested_in(const struct deadlock_call *calls, size_t n, size_t outer)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i].outer == (int)outer)
			return (int)i;
	return -1;
}

/* What a request waits for of which it is not known who has taken it. */
struct unknown {
	bool blocked;
	bool any; /* it can be any thread of tee-supplicant, those included that are known */
	int answers, first; /* how many calls it can be, and one of them */
};

static struct unknown look_at_unknown(const struct deadlock_call *calls, size_t n,
				      const struct deadlock_pool *pool)
{
	struct unknown u = { .any = pool->untaken, .first = -1 };
	int requests = 0, unknown = 0, taken;

	for (size_t i = 0; i < n; i++) {
		const struct deadlock_call *c = &calls[i];

		if (!c->waits && c->supplicant && !c->served && nested_in(calls, n, i) < 0)
			requests++;
		if (!c->answers || c->outer >= 0)
			continue;
		unknown += !c->answers_known;
		if (c->answers_known && !u.any)
			continue;
		u.answers++;
		if (u.first < 0)
			u.first = (int)i;
	}
	taken = requests - pool->untaken;
	u.blocked = u.answers && (!pool->untaken || !pool->idle_supplicants) &&
		    (taken <= 0 || unknown >= taken + pool->revoked);
	return u;
}

static int answer_to(const struct deadlock_call *calls, size_t n, size_t request)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i].answers_for == (int)request && calls[i].outer < 0)
			return (int)i;
	return -1;
}

/* Fills in what a holder waits for; false: it is not blocked, as far as is known. */
static bool is_blocked(struct deadlock_call *calls, size_t n, size_t i, const struct unknown *u)
{
	struct deadlock_call *c = &calls[i];

	if (!c->in_rpc)
		return false;
	c->behind = nested_in(calls, n, i);
	if (c->behind >= 0)
		return true;
	if (!c->supplicant)
		return false;
	if (c->served) {
		c->behind = answer_to(calls, n, i);
		return c->behind >= 0;
	}
	if (!u->blocked)
		return false;
	c->behind = u->first;
	c->one_of = u->answers > 1;
	return true;
}

bool deadlock_find(struct deadlock_call *calls, size_t n, const struct deadlock_pool *pool)
{
	struct unknown unknown = look_at_unknown(calls, n, pool);
	int holders = 0, waiters = 0;

	if (pool->untaken < 0 || pool->revoked < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		calls[i].behind = -1;
		calls[i].one_of = false;
		waiters += calls[i].waits;
		holders += !calls[i].waits;
		if (!calls[i].waits && !is_blocked(calls, n, i, &unknown))
			return false;
	}
	return waiters && holders && (!pool->threads || holders >= pool->threads);
}
