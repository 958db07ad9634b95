// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the calls of a pool tell at one look, as long as somebody waits: starved
 * calls, count mismatches, convoys, lost wakes, deadlocks.
 */
#include <string.h>
#include "collect/call_copy.h"
#include "collect/found.h"
#include "collect/watch_calls.h"
#include "collect/watch_state.h"
#include "model/class_sums.h"

static bool call_holds(const struct call *c)
{
	return !(c->flags & CALL_WAITING) && !at_arguments(c->phase);
}

/* All of them, who holds a thread first. */
static u32 read_calls(struct watch *w, u32 pool)
{
	u32 n = 0, holders = 0;

	for (u32 i = 0; i < MAX_CALLS && n < MAX_LIVE_CALLS; i++) {
		const volatile struct call *slot = &w->shared->calls[i];
		struct live_call live = { .slot = i };

		if (slot->phase == PHASE_FREE || slot->pool != pool)
			continue;
		if (!call_copy(&live.call, (const struct call *)slot) || live.call.pool != pool)
			continue;
		w->live[n++] = live;
		if (!call_holds(&live.call))
			continue;
		w->live[n - 1] = w->live[holders];
		w->live[holders++] = live;
	}
	return n;
}

static void fill_party(const struct watch *w, struct party *to, const struct call *c)
{
	u32 slot = c->session_slot;

	party_of(to, c, slot < SESSION_SLOTS ? w->rows[slot].serial : 0);
}

/* A condition of one call. */
static struct episode episode_of_call(struct watch *w, u32 pool, enum condition cond,
				      const struct call *c, u64 serial, u64 since)
{
	struct episode e = watch_episode(w, pool, cond);

	e.serial = serial;
	e.since_ns = since;
	e.nr_parties = 1;
	fill_party(w, &e.parties[0], c);
	return e;
}

/* It lasts now. */
static void call_lasts(struct watch *w, const struct episode *e, u64 now)
{
	struct found *found = &w->pools[e->pool].found[e->cond];

	if (!found->now.count || e->since_ns < found->now.since_ns)
		found->now.since_ns = e->since_ns;
	found->now.count++;
	found->now.peak = max_of(found->now.peak, e->peak);
	episodes_lasts(w->episodes, e, now);
}

static void look_at_call(struct watch *w, u32 pool, enum condition cond, const struct call *c,
			 u64 serial, u64 since, u64 now)
{
	struct episode e = episode_of_call(w, pool, cond, c, serial, since);

	call_lasts(w, &e, now);
}

static void look_at_calls(struct watch *w, u32 pool, u32 n, u64 now)
{
	bool counts = w->shared->pools[pool].total;

	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;
		u64 since = call_waits_since(c);

		/* One that tries again has no thread yet, as far as anybody knows. */
		if (!(c->flags & (CALL_WAITING | CALL_RETRIES)) || !c->phase_ns)
			continue;
		if (now > since && now - since > w->starved_ns)
			look_at_call(w, pool, COND_STARVED, c, c->start_ns, since + w->starved_ns,
				     now);
		if (c->phase == PHASE_LIMIT && counts)
			look_at_call(w, pool, COND_COUNT_MISMATCH, c, c->start_ns, c->phase_ns,
				     now);
	}
}

/* Who waits for the argument cache while this call, which has it locked, waits in the queue. */
static void look_at_convoy(struct watch *w, u32 pool, const struct call *head, u32 n, u64 now)
{
	struct episode e = episode_of_call(w, pool, COND_CONVOY, head, head->start_ns, 0);
	u64 since = now;

	e.peak = 0;
	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;

		if (!waits_at_arguments(c))
			continue;
		e.peak++;
		if (c->phase_ns < since)
			since = c->phase_ns;
		if (e.nr_parties < MAX_PARTIES)
			fill_party(w, &e.parties[e.nr_parties++], c);
	}
	if (!e.peak)
		return;
	e.since_ns = since > head->start_ns ? since : head->start_ns;
	call_lasts(w, &e, now);
}

static void look_for_convoys(struct watch *w, u32 pool, u32 n, u64 now)
{
	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;

		if (c->flags & CALL_ARGUMENT && c->flags & CALL_WAITING)
			look_at_convoy(w, pool, c, n, now);
	}
}

static void look_for_lost_wakes(struct watch *w, u32 pool, u32 n, u64 now)
{
	struct lost_wakes *lost = &w->pools[pool].lost_wakes;
	u64 since;

	for (u32 i = 0; i < n; i++) {
		if (!lost_wake_of(&w->live[i].call, &since))
			continue;
		look_at_call(w, pool, COND_LOST_WAKE, &w->live[i].call, since, since, now);
		lost_wakes_see(lost, since);
	}
	lost_wakes_looked(lost, now);
	w->pools[pool].found[COND_LOST_WAKE].count = lost->over;
}

/* Whoever only waits behind a deadlock, and may have come since, has no part in it. */
static bool has_part(const struct deadlock_call *lock)
{
	bool holds = !lock->waits && !lock->at_arguments;

	return lock->stuck && (holds || lock->answers || lock->outer >= 0 || lock->has_arguments);
}

/* The order in which they are listed: those with a part in it, who waits behind them, the others. */
static int rank_of(const struct deadlock_call *lock)
{
	return has_part(lock) ? 0 : lock->stuck ? 1 : 2;
}

/* Which calls they are and where each stands: the same number, the same deadlock. */
static u64 fingerprint(const struct watch *w, const struct deadlock_call *locks, u32 n)
{
	u64 sum = 0;

	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;
		const u64 parts[] = { w->live[i].slot, c->start_ns, c->phase_ns, c->phase };
		u64 hash = 0xcbf29ce484222325;

		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
			hash = (hash ^ parts[p]) * 0x100000001b3;
		if (has_part(&locks[i]))
			sum += hash; /* their order means nothing */
	}
	return sum;
}

static int index_of_slot(const struct watch *w, u32 n, u32 slot)
{
	for (u32 i = 0; i < n; i++)
		if (w->live[i].slot == slot)
			return (int)i;
	return -1;
}

/* An RPC of a kind that tee-supplicant serves, for when its hook is missing. */
static bool served_by_supplicant(enum rpc_kind kind)
{
	return kind == RPC_LOAD_TA || kind == RPC_FS || kind == RPC_SOCKET || kind == RPC_PLUGIN ||
	       kind == RPC_RPMB;
}

static bool is_served(const struct watch *w, const struct call *c)
{
	if (w->probes->sees_requests)
		return c->flags & CALL_SUPPLICANT;
	return !at_arguments(c->phase) && served_by_supplicant(c->rpc_kind);
}

void watch_add_requests(struct watch *w, u32 pool, struct episode *e)
{
	u32 n = read_calls(w, pool);

	for (u32 i = 0; i < n && e->nr_parties < MAX_PARTIES; i++)
		if (w->live[i].call.phase == PHASE_RPC && is_served(w, &w->live[i].call))
			fill_party(w, &e->parties[e->nr_parties++], &w->live[i].call);
}

/* Whom the threads of tee-supplicant work for. A request's address may be used again later. */
static void link_supplicants(const struct watch *w, u32 n, struct deadlock_call *locks,
			     struct deadlock_pool *state)
{
	for (int s = 0; s < MAX_SUPPLICANTS; s++) {
		const struct supplicant *from = &w->shared->supplicants[s];
		int request = -1;
		bool has_call = false;

		if (from->task <= SUPPLICANT_TAKEN)
			continue;
		for (u32 i = 0; from->request && i < n; i++)
			if (locks[i].supplicant && !locks[i].waits &&
			    w->shared->requests[w->live[i].slot] == from->request &&
			    from->taken_ns >= w->live[i].call.phase_ns)
				request = (int)i;
		if (request >= 0)
			locks[request].served = true;
		for (u32 i = 0; i < n; i++) {
			if (w->live[i].call.tid != from->tid)
				continue;
			has_call = true;
			locks[i].answers = true;
			locks[i].answers_known = from->taken_ns;
			locks[i].answers_for = request;
		}
		state->idle_supplicants += !has_call;
		if (has_call && from->request && request < 0 && state->revoked > 0)
			state->revoked--; /* that is the one */
	}
}

/* Who is there, those first that have part in it, and who waits for whom. */
static void describe_deadlock(struct watch *w, u32 pool, u32 n, const struct deadlock_call *locks,
			      struct episode *e)
{
	struct deadlock_call *links = w->pools[pool].links;
	int party[MAX_LIVE_CALLS];

	for (int rank = 0; rank <= 2; rank++)
		for (u32 i = 0; i < n; i++) {
			if (rank_of(&locks[i]) != rank)
				continue;
			party[i] = e->nr_parties < MAX_PARTIES ? e->nr_parties++ : -1;
			if (party[i] < 0)
				continue;
			fill_party(w, &e->parties[party[i]], &w->live[i].call);
			if (locks[i].lock)
				e->parties[party[i]].rpc_kind = RPC_NOTIFICATION;
			links[party[i]] = locks[i];
		}
	for (int i = 0; i < e->nr_parties; i++) {
		links[i].behind = links[i].behind >= 0 ? party[links[i].behind] : -1;
		links[i].outer = links[i].outer >= 0 ? party[links[i].outer] : -1;
	}
}

/* The driver's rule for normal calls, if it is known. That of a policy is not. */
static void read_rule(const struct pool *p, bool known, struct deadlock_pool *state)
{
	if (!known || p->policy.name[0])
		return;
	if (p->driver_flags & DRIVER_RESERVED)
		state->reserved = p->driver_reserved;
	else if (p->driver_flags & DRIVER_SYS_SESSIONS)
		state->reserved = p->driver_sys_sessions > 0;
	state->reserve_is_shared = p->driver_flags & (DRIVER_RESERVED | DRIVER_SHARES_RESERVE);
}

/* How the calls stand, but for what tee-supplicant has to do with them. */
static void read_locks(const struct watch *w, u32 pool, u32 n, struct deadlock_call *locks)
{
	const struct pool *p = &w->shared->pools[pool];
	u32 threads = (u32)p->total;

	/* Where Linux does not know T there are at least as many threads as holders. */
	for (u32 i = 0; !p->total && i < n; i++)
		threads += call_holds(&w->live[i].call);
	for (u32 i = 0; i < n; i++) {
		const struct lock_wait *wait = &w->shared->lock_waits[w->live[i].slot];
		const struct call *c = &w->live[i].call;

		locks[i] = (struct deadlock_call){
			.waits = c->flags & CALL_WAITING,
			.at_arguments = waits_at_arguments(c),
			.has_arguments = c->flags & CALL_ARGUMENT,
			.system = c->class == CLASS_SYSTEM,
			.in_rpc = c->phase == PHASE_RPC || c->phase == PHASE_BLIND,
			.supplicant = is_served(w, c),
			/* It is still in the RPC that it was in then. */
			.lock = c->phase == PHASE_RPC && wait->seen_ns == p->driver_ns &&
				c->phase_ns < p->driver_ns && wait->rank <= threads,
			.outer = c->outer ? index_of_slot(w, n, c->outer - 1) : -1,
			.answers_for = -1,
		};
	}
}

/* A call that we do not see may hold a thread, or have a lock. */
static bool sees_enough(const struct pool *p, const struct deadlock_pool *state)
{
	return !p->driver_unseen || (state->threads && !state->kept);
}

/*
 * What looks like a deadlock, as a number; 0: nothing does. One that was there before
 * is still there if all of it is, whoever else has come.
 */
static u64 find_suspect(const struct watch *w, u32 pool, u32 n, struct deadlock_call *locks,
			struct deadlock_pool *state)
{
	const struct watched_pool *watched = &w->pools[pool];
	u64 suspect;

	if (deadlock_find(locks, n, state)) {
		suspect = fingerprint(w, locks, n);
		if (suspect == watched->suspect || sees_enough(&w->shared->pools[pool], state))
			return suspect;
		return 0;
	}
	if (!watched->suspect)
		return 0;
	state->locks_are_stuck = true;
	if (!deadlock_find(locks, n, state))
		return 0;
	suspect = fingerprint(w, locks, n);
	return suspect == watched->suspect ? suspect : 0;
}

/* A reserve ends with the system sessions, and some kernel client may have one for a moment. */
#define KEPT_NS 1000000000

/* Has it been there, just as it is, for so long that nothing but a deadlock explains it? */
static bool is_settled(struct watched_pool *watched, u64 suspect, bool kept, u64 now)
{
	if (!suspect || suspect != watched->suspect) {
		watched->suspect = suspect;
		watched->suspect_ns = now;
		return false;
	}
	return !kept || now - watched->suspect_ns >= KEPT_NS;
}

static void look_for_deadlock(struct watch *w, u32 pool, u32 n, u64 now)
{
	const struct pool *p = &w->shared->pools[pool];
	struct watched_pool *watched = &w->pools[pool];
	struct deadlock_call locks[MAX_LIVE_CALLS];
	struct deadlock_pool state = { .threads = p->total,
				       .untaken = p->driver_requests,
				       .revoked = p->driver_revoked };
	struct episode e = watch_episode(w, pool, COND_DEADLOCK);
	u64 suspect;

	read_rule(p, w->probes->knows_rule, &state);
	read_locks(w, pool, n, locks);
	link_supplicants(w, n, locks, &state);
	suspect = find_suspect(w, pool, n, locks, &state);
	if (!is_settled(watched, suspect, state.kept, now)) {
		watch_found_over(w, pool, COND_DEADLOCK, now);
		return;
	}
	e.peak = 0;
	for (u32 i = 0; i < n; i++) {
		e.peak += locks[i].stuck;
		if (has_part(&locks[i]) && w->live[i].call.phase_ns > e.since_ns)
			e.since_ns = w->live[i].call.phase_ns;
	}
	if (!e.since_ns) /* it was there before us */
		e.since_ns = now;
	if (!watched->found[COND_DEADLOCK].lasts) /* who is reported is who was there first */
		describe_deadlock(w, pool, n, locks, &e);
	watch_found(w, pool, &e, now);
}

/* Before the calls: one that ends while they are read may count as lasting, but not as both. */
static void read_ended(struct watch *w, u32 pool)
{
	for (int cond = NR_POOL_CONDS; cond < NR_COUNTED_CONDS; cond++)
		w->pools[pool].found[cond].count = w->shared->pools[pool].conds[cond];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

void watch_calls(struct watch *w, u32 pool, u64 now)
{
	struct pool_state s = pool_state(w->shared->pools[pool].state);
	u32 n = 0;

	read_ended(w, pool);
	for (int cond = NR_POOL_CONDS; cond < NR_CONDS; cond++)
		memset(&w->pools[pool].found[cond].now, 0, sizeof(w->pools[pool].found[cond].now));
	if (s.waiting[CLASS_NORMAL] || s.waiting[CLASS_SYSTEM])
		n = read_calls(w, pool);
	look_at_calls(w, pool, n, now);
	look_for_convoys(w, pool, n, now);
	look_for_lost_wakes(w, pool, n, now);
	look_for_deadlock(w, pool, n, now);
}
