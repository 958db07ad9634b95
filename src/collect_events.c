// SPDX-License-Identifier: GPL-2.0-only
/*
 * One look at the conditions: the episodes that last are read from the pools,
 * those that ended come through the ring buffer, and what no BPF program can see
 * is found here: who waits too long now, a deadlock, a drift.
 *
 * What lasts is read before the ring: an episode that ends in between is in both,
 * one that ended before is in the ring at least.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "collect_events.h"
#include "conditions.h"
#include "deadlock.h"
#include "probes.skel.h"
#include "text.h"

#define MAX_EVENTS  512 /* between two snapshots */
#define MAX_LIVE    256 /* calls of one pool that are looked at closely */
#define DRIFT_LOOKS 20  /* so many looks in a row a drift has to last */

/* A call of a pool at this look, with its place in the table. */
struct live_call {
	struct call call;
	u32 slot;
};

/* What only the looks know of a condition. */
struct found {
	struct cond_count count; /* of deadlock and drift: episodes that ended */
	struct episode episode;  /* the last one */
	bool lasts;
	u64 lasting_since; /* of starved and count mismatch: the earliest of this look */
	u64 lasting;       /* and how many there are */
};

struct watched_pool {
	struct found found[NR_CONDS];
	u64 suspect; /* what looked like a deadlock in the look before, as a number */
	struct lock_call locks[MAX_LIVE];
	int drift, drift_run, drift_least;
	bool drift_known;
};

struct watch {
	const struct probes *probes;
	const struct shared *shared;
	const struct session *rows;
	struct ring_buffer *ring;
	struct conditions *conditions;
	u64 starved_ns;
	struct event *events;
	u32 nr_events, room;
	bool taken;
	u64 dropped;
	struct watched_pool pools[MAX_POOLS];
	struct live_call live[MAX_LIVE];
};

static u64 mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* From an episode to an event. */

static void name_party(const struct watch *w, struct event_party *to, const struct party *from)
{
	const struct session *row =
		&w->rows[from->session_slot < SESSION_SLOTS ? from->session_slot : 0];
	static const u8 none[16];
	char uuid[UUID_LEN];

	task_comm(from->tid, to->comm);
	if (from->session_slot >= SESSION_SLOTS || !from->serial || row->serial != from->serial)
		return;
	to->serial = from->serial;
	to->session = row->id;
	if (!to->comm[0])
		text_sanitise(to->comm, row->comm, COMM_LEN);
	if (memcmp(row->uuid, none, sizeof(none)))
		snprintf(to->ta, sizeof(to->ta), "%s",
			 ta_name(row->uuid) ?: uuid_format(row->uuid, uuid));
}

static void fill_party(const struct watch *w, struct event_party *to, const struct party *from)
{
	*to = (struct event_party){
		.tid = from->tid,
		.tgid = from->tgid,
		.cmd = from->op,
		.func = from->func,
		.class = from->class,
		.phase = from->phase == PHASE_BLIND ? PHASE_RPC : from->phase,
		.rpc_kind = from->rpc_kind,
		.waits = from->flags & CALL_WAITING,
		.late = from->flags & CALL_LATE,
		.since_ns = from->since_ns,
		.swallowed_ns = from->woken_ns & WOKEN_IN_VAIN ? from->woken_ns : 0,
		.behind = -1,
	};
	name_party(w, to, from);
}

/* The call that took the last wake in vain before the waiters were stranded. */
static int find_culprit(const struct event *e)
{
	int culprit = -1;
	u64 last = 0;

	if (e->condition != COND_STRANDED)
		return -1;
	for (u32 i = 0; i < e->nr_parties; i++)
		if (e->parties[i].swallowed_ns > last) {
			last = e->parties[i].swallowed_ns;
			culprit = (int)i;
		}
	return culprit;
}

static struct event *new_event(struct watch *w)
{
	if (w->nr_events == w->room && w->room < MAX_EVENTS) {
		u32 room = w->room ? 2 * w->room : 16;
		struct event *events = realloc(w->events, room * sizeof(*events));

		if (events) {
			w->events = events;
			w->room = room;
		}
	}
	if (w->nr_events == w->room) {
		w->dropped++;
		return NULL;
	}
	return &w->events[w->nr_events++];
}

static void report(void *arg, const struct episode *from, enum event_state state, u64 now,
		   bool end_unseen)
{
	struct watch *w = arg;
	const struct pool *pool = &w->shared->pools[from->pool];
	struct watched_pool *watched = &w->pools[from->pool];
	struct pool_state s = pool_state(from->state);
	struct event *e = new_event(w);
	bool counts = pool->driver_flags & DRIVER_COUNTS && pool->total;

	if (!e)
		return;
	*e = (struct event){
		.condition = from->cond,
		.state = state,
		.tee = pool->id,
		.episode = from->serial,
		.since_ns = from->since_ns,
		.mono_ns = now,
		.duration_ns = now > from->since_ns ? now - from->since_ns : 0,
		.end_unseen = end_unseen,
		.peak = from->peak,
		.threads = pool->total ? pool->total : -1,
		.reserved = s.reserved,
		.in_use = { s.in_use[0], s.in_use[1] },
		.waiting = { s.waiting[0], s.waiting[1] },
		.driver_free = counts ? from->driver_free : -1,
		.driver_sys_sessions =
			pool->driver_flags & DRIVER_SYS_SESSIONS ? from->driver_sys_sessions : -1,
		.drift = from->cond == COND_DRIFT ? watched->drift : 0,
		.nr_parties = from->nr_parties < MAX_PARTIES ? from->nr_parties : MAX_PARTIES,
	};
	for (u32 i = 0; i < e->nr_parties; i++) {
		fill_party(w, &e->parties[i], &from->parties[i]);
		if (from->cond != COND_DEADLOCK)
			continue;
		e->parties[i].behind = watched->locks[i].behind;
		e->parties[i].one_of = watched->locks[i].one_of;
		if (e->parties[i].behind >= (int)e->nr_parties)
			e->parties[i].behind = -1;
		if (e->parties[i].behind >= 0)
			e->parties[i].by_supplicant =
				watched->locks[e->parties[i].behind].answers &&
				watched->locks[e->parties[i].behind].outer != (int)i;
	}
	e->culprit = find_culprit(e);
}

/* The calls of a pool. */

static u32 read_calls(struct watch *w, u32 pool)
{
	u32 n = 0;

	for (u32 i = 0; i < MAX_CALLS && n < MAX_LIVE; i++) {
		const volatile struct call *slot = &w->shared->calls[i];
		struct live_call *to = &w->live[n];

		if (slot->phase == PHASE_FREE || slot->pool != pool)
			continue;
		to->call = *(const struct call *)slot;
		to->slot = i;
		if (to->call.phase != PHASE_FREE && to->call.start_ns == slot->start_ns)
			n++;
	}
	return n;
}

static struct party party_of(const struct watch *w, const struct call *c)
{
	return (struct party){
		.serial = c->session_slot < SESSION_SLOTS ? w->rows[c->session_slot].serial : 0,
		.since_ns = c->flags & CALL_WAITING ? c->phase_ns : c->admit_ns,
		.woken_ns = c->woken_ns,
		.tid = c->tid,
		.tgid = c->tgid,
		.session_slot = c->session_slot,
		.func = c->func,
		.op = c->op,
		.class = c->class,
		.phase = (u8)c->phase,
		.rpc_kind = c->rpc_kind,
		.flags = c->flags,
	};
}

static struct episode episode_of(const struct watch *w, u32 pool, enum condition cond)
{
	const struct pool *p = &w->shared->pools[pool];

	return (struct episode){
		.state = p->state,
		.driver_free = p->driver_free,
		.driver_sys_sessions = p->driver_sys_sessions,
		.peak = 1,
		.cond = (u8)cond,
		.pool = (u8)pool,
	};
}

/* A condition of one call that lasts now. */
static void look_at_call(struct watch *w, u32 pool, enum condition cond, const struct call *c,
			 u64 since, u64 now)
{
	struct found *found = &w->pools[pool].found[cond];
	struct episode e = episode_of(w, pool, cond);

	e.serial = c->start_ns;
	e.since_ns = since;
	e.nr_parties = 1;
	e.parties[0] = party_of(w, c);
	found->lasting++;
	if (!found->lasting_since || since < found->lasting_since)
		found->lasting_since = since;
	conditions_lasts(w->conditions, &e, now);
}

static void look_at_calls(struct watch *w, u32 pool, u32 n, u64 now)
{
	bool counts = w->shared->pools[pool].total;

	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;

		if (!(c->flags & CALL_WAITING) || !c->phase_ns)
			continue;
		if (now > c->phase_ns && now - c->phase_ns > w->starved_ns)
			look_at_call(w, pool, COND_STARVED, c, c->phase_ns + w->starved_ns, now);
		if (c->phase == PHASE_LIMIT && counts)
			look_at_call(w, pool, COND_COUNT_MISMATCH, c, c->phase_ns, now);
	}
}

/* Deadlock and drift: from one look to the next. */

static void found_lasts(struct watch *w, u32 pool, struct episode *e, u64 now)
{
	struct found *f = &w->pools[pool].found[e->cond];

	if (!f->lasts) {
		e->serial = f->episode.serial + 1;
		f->episode = *e;
		f->lasts = true;
	}
	if (e->peak > f->episode.peak)
		f->episode.peak = e->peak;
	conditions_lasts(w->conditions, &f->episode, now);
}

static void found_over(struct watch *w, u32 pool, enum condition cond, u64 now)
{
	struct found *f = &w->pools[pool].found[cond];
	u64 ns = now - f->episode.since_ns;

	if (!f->lasts)
		return;
	f->lasts = false;
	f->count.count++;
	f->count.ns += ns;
	if (ns > f->count.longest_ns)
		f->count.longest_ns = ns;
	if (f->episode.peak > f->count.peak)
		f->count.peak = f->episode.peak;
}

/* Which calls they are and where each stands: the same number, the same deadlock. */
static u64 fingerprint(const struct watch *w, u32 n)
{
	u64 hash = 0xcbf29ce484222325;

	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;
		const u64 parts[] = { w->live[i].slot, c->start_ns, c->phase_ns, c->phase };

		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
			hash = (hash ^ parts[p]) * 0x100000001b3;
	}
	return hash;
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

/* Whom the threads of tee-supplicant work for. A request's address may be used again later. */
static void link_supplicants(const struct watch *w, u32 n, struct lock_call *locks,
			     struct lock_pool *state)
{
	for (int s = 0; s < MAX_SUPPLICANTS && w->shared->supplicants[s].tid; s++) {
		const struct supplicant *from = &w->shared->supplicants[s];
		int request = -1;
		bool has_call = false;

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
	}
}

static void look_for_deadlock(struct watch *w, u32 pool, u32 n, u64 now)
{
	const struct pool *p = &w->shared->pools[pool];
	struct watched_pool *watched = &w->pools[pool];
	struct lock_call locks[MAX_LIVE];
	struct lock_pool state = { .threads = p->total, .untaken = p->driver_requests };
	struct episode e = episode_of(w, pool, COND_DEADLOCK);
	u64 suspect;

	for (u32 i = 0; i < n; i++) {
		const struct call *c = &w->live[i].call;

		locks[i] = (struct lock_call){
			.waits = c->flags & CALL_WAITING,
			.in_rpc = c->phase == PHASE_RPC || c->phase == PHASE_BLIND,
			.supplicant = w->probes->sees_requests ? c->flags & CALL_SUPPLICANT :
								 served_by_supplicant(c->rpc_kind),
			.outer = c->outer ? index_of_slot(w, n, c->outer - 1) : -1,
			.answers_for = -1,
		};
	}
	link_supplicants(w, n, locks, &state);
	suspect = deadlock_find(locks, n, &state) ? fingerprint(w, n) : 0;
	if (!suspect || suspect != watched->suspect) {
		watched->suspect = suspect;
		found_over(w, pool, COND_DEADLOCK, now);
		return;
	}
	e.peak = n;
	e.nr_parties = n < MAX_PARTIES ? (u8)n : MAX_PARTIES;
	for (u32 i = 0; i < n; i++) {
		if (i < MAX_PARTIES)
			e.parties[i] = party_of(w, &w->live[i].call);
		if (w->live[i].call.phase_ns > e.since_ns)
			e.since_ns = w->live[i].call.phase_ns;
	}
	memcpy(watched->locks, locks, n * sizeof(locks[0]));
	found_lasts(w, pool, &e, now);
}

/*
 * A call that is between the driver's counter and our hook counts on one side
 * only, but never for long, and not at every look. So a drift is what stays, at
 * its least, for a second.
 */
static void look_for_drift(struct watch *w, u32 pool, u64 now)
{
	const struct pool *p = &w->shared->pools[pool];
	struct watched_pool *watched = &w->pools[pool];
	int drift = p->driver_total - p->driver_free - p->driver_in_use;
	struct episode e = episode_of(w, pool, COND_DRIFT);

	if (!p->total)
		return;
	if (!drift || (long)drift * watched->drift_least < 0) {
		watched->drift_run = 0;
		watched->drift_least = 0;
	}
	if (!drift) {
		watched->drift = 0;
		watched->drift_known = true;
		found_over(w, pool, COND_DRIFT, now);
		return;
	}
	if (!watched->drift_run++ || abs(drift) < abs(watched->drift_least))
		watched->drift_least = drift;
	if (watched->drift_run < DRIFT_LOOKS)
		return;
	watched->drift = watched->drift_least;
	watched->drift_known = true;
	e.since_ns = now;
	e.peak = (u32)abs(watched->drift);
	found_lasts(w, pool, &e, now);
}

/* The kernel's own. */

static u64 report_from(enum condition cond)
{
	return cond == COND_EXHAUSTED ? REPORT_EXHAUSTED_NS :
	       cond == COND_STRANDED  ? REPORT_STRANDED_NS :
					0;
}

/* A copy of the episode that lasts; false: none does. */
static bool read_lasting(const struct lasting *from, struct episode *to)
{
	const volatile struct lasting *l = from;
	u64 serial = l->serial;

	if (!serial || serial == EPISODE_ENDED)
		return false;
	*to = from->episodes[serial & 1];
	return l->serial == serial && to->serial == serial;
}

static void look_at_pool(struct watch *w, u32 pool, u64 now)
{
	const struct pool *p = &w->shared->pools[pool];
	struct pool_state s = pool_state(p->state);
	struct episode e;
	u32 n = 0;

	for (int cond = 0; cond < NR_POOL_CONDS; cond++)
		if (read_lasting(&p->lasting[cond], &e) && now > e.since_ns &&
		    now - e.since_ns >= report_from(cond))
			conditions_lasts(w->conditions, &e, now);
	for (int cond = NR_POOL_CONDS; cond < NR_COUNTED_CONDS; cond++)
		w->pools[pool].found[cond].lasting = w->pools[pool].found[cond].lasting_since = 0;
	if (s.waiting[CLASS_NORMAL] || s.waiting[CLASS_SYSTEM])
		n = read_calls(w, pool);
	look_at_calls(w, pool, n, now);
	look_for_deadlock(w, pool, n, now);
	look_for_drift(w, pool, now);
}

static int on_ended(void *arg, void *data, size_t len)
{
	struct watch *w = arg;
	struct episode e = {};

	memcpy(&e, data, len < sizeof(e) ? len : sizeof(e));
	if (e.pool < MAX_POOLS && e.cond < NR_COUNTED_CONDS)
		conditions_ended(w->conditions, &e);
	return 0;
}

/* By time; the begin of an episode before its end. */
static int event_order(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	if (a->mono_ns != b->mono_ns)
		return a->mono_ns < b->mono_ns ? -1 : 1;
	return (a->state > b->state) - (a->state < b->state);
}

u32 watch_look(struct watch *w)
{
	u64 now;
	u32 before;

	if (w->taken)
		w->nr_events = 0;
	w->taken = false;
	before = w->nr_events;
	if (probes_inspect(w->probes))
		return 0;
	now = mono_now();
	for (u32 pool = 0; pool < MAX_POOLS && w->shared->pools[pool].ready; pool++)
		look_at_pool(w, pool, now);
	ring_buffer__consume(w->ring);
	conditions_looked(w->conditions, now);
	if (w->nr_events > before)
		qsort(w->events + before, w->nr_events - before, sizeof(*w->events), event_order);
	return w->nr_events - before;
}

const struct event *watch_events(const struct watch *w, u32 *n)
{
	*n = w->nr_events;
	return w->events;
}

void watch_take(struct watch *w)
{
	w->taken = true;
}

u64 watch_dropped(const struct watch *w)
{
	return w->dropped;
}

bool watch_drift(const struct watch *w, u32 pool, int *drift)
{
	*drift = w->pools[pool].drift;
	return w->pools[pool].drift_known;
}

void watch_condition(const struct watch *w, u32 pool, enum condition cond, struct snap_cond *to)
{
	const struct pool *p = &w->shared->pools[pool];
	const struct found *f = &w->pools[pool].found[cond];
	const struct cond_count *ended = cond < NR_COUNTED_CONDS ? &p->conds[cond] : &f->count;
	struct episode e;
	u64 ns = 0, peak = 0, now = mono_now();

	*to = (struct snap_cond){ .known = true };
	if (cond < NR_POOL_CONDS && read_lasting(&p->lasting[cond], &e)) {
		to->lasting = 1;
		to->since_ns = e.since_ns;
		peak = e.peak;
	} else if (cond >= NR_POOL_CONDS && cond < NR_COUNTED_CONDS && f->lasting) {
		to->lasting = f->lasting;
		to->since_ns = f->lasting_since;
		peak = 1;
	} else if (cond >= NR_COUNTED_CONDS && f->lasts) {
		to->lasting = 1;
		to->since_ns = f->episode.since_ns;
		peak = f->episode.peak;
	}
	if (to->lasting && now > to->since_ns)
		ns = now - to->since_ns;
	to->count = ended->count + to->lasting;
	to->ns = ended->ns + ns;
	to->longest_ns = ns > ended->longest_ns ? ns : ended->longest_ns;
	to->peak = peak > ended->peak ? peak : ended->peak;
	if (cond == COND_STRANDED)
		to->known = w->probes->sees_wakes && p->total;
	else if (cond == COND_RESERVE_BREACH || cond == COND_RESERVE_IDLE ||
		 cond == COND_EXHAUSTED || cond == COND_COUNT_MISMATCH)
		to->known = p->total;
	else if (cond == COND_DRIFT)
		to->known = w->pools[pool].drift_known;
}

struct watch *watch_new(struct probes *probes, const struct session *rows)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->probes = probes;
	w->shared = (const struct shared *)&probes->skel->bss->shared;
	w->rows = rows;
	w->starved_ns = probes->skel->rodata->starved_ns;
	w->conditions = conditions_new(report, w);
	w->ring = ring_buffer__new(bpf_map__fd(probes->skel->maps.ended), on_ended, w, NULL);
	if (w->conditions && w->ring)
		return w;
	watch_free(w);
	return NULL;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	ring_buffer__free(w->ring);
	conditions_free(w->conditions);
	free(w->events);
	free(w);
}
