/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadows: policies that are asked beside the driver, and not obeyed. When it is seen what
 * the driver did with a call, each is asked what it would have done, the queue being as it is
 * without that call, and both are counted. One step, that is: what would have become of the
 * queue under that policy is not known; its accounts of calls in flight are those of the calls
 * that the driver let in, by its own verdict on each.
 */
#ifndef OPTEE_TOP_SHADOW_BPF_H
#define OPTEE_TOP_SHADOW_BPF_H

/* Of each, set before loading: a bit for each callback, and OPTEE_ADM_STATELESS. */
const volatile u32 shadow_callbacks[MAX_SHADOWS];
const volatile u32 shadow_stateless[MAX_SHADOWS];

struct shadow_rows {
	struct pool_policy of[MAX_SHADOWS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_POOLS);
	__type(key, u32);
	__type(value, struct shadow_rows);
} shadow_rows SEC(".maps");

static __always_inline bool shadow_has(u32 n, enum policy_callback callback)
{
	return shadow_callbacks[n] >> callback & 1;
}

/* What policies are asked about. Each is handed a copy, in which it may write as it likes. */
struct shadow_question {
	struct optee_adm_call base; /* as all see it, but for what is each one's own */
	struct shadow_state *state;
	struct shadow_call *sc;
	struct shadow_pool *pool;
	struct shadow_rows *rows;
	u64 room; /* there is a thread for it */
};

/*
 * What all policies see alike. norm_in_flight has all calls in flight: shadow_ask() divides
 * them. False: there are no shadows.
 */
static __noinline bool shadow_question(struct shadow_question *q, struct shadow_call *sc, u32 pool,
				       u64 now)
{
	struct optee_adm_call *a = &q->base;
	struct pool *p = pool_at(pool);
	struct pool_state s = pool_state(*(volatile u64 *)&p->state);
	s32 in_flight = s.in_use[CLASS_NORMAL] + s.in_use[CLASS_SYSTEM] + p->limited;
	s32 reserved = queue_sys_sessions(p->queue);
	struct shadow_state *state = shadow_get();

	q->rows = bpf_map_lookup_elem(&shadow_rows, &pool);
	if (!state || !q->rows)
		return false;
	q->state = state;
	q->sc = sc;
	q->pool = shadow_pool_of(state, pool);
	__builtin_memset(a, 0, sizeof(*a));
	a->total = p->total;
	a->free = p->total > in_flight ? p->total - in_flight : 0;
	a->reserved = reserved > 0 ? reserved : 0;
	a->norm_in_flight = in_flight > 0 ? in_flight : 0;
	a->sys_in_flight = s.in_use[CLASS_SYSTEM];
	a->sys_waiting = s.waiting[CLASS_SYSTEM];
	a->norm_waiting = s.waiting[CLASS_NORMAL];
	a->seq = sc->seq;
	a->now_ns = now;
	a->client = sc->client;
	a->ta = sc->ta;
	a->session = sc->session;
	a->func = sc->func;
	a->weight = sc->weight;
	if (sc->client_at)
		a->client_in_flight = shadow_party_at(state, sc->client_at)->in_flight;
	if (sc->ta_at)
		a->ta_in_flight = shadow_party_at(state, sc->ta_at)->in_flight;
	if (sc->session_at)
		a->session_in_flight = *shadow_session_at(state, sc->session_at);
	q->room = !a->total || a->free;
	return true;
}

#define BASE_WORDS (__builtin_offsetof(struct optee_adm_call, retry_ns) / 8)

/* For policy n, with what is its own. */
static __always_inline void shadow_show(struct shadow_question *q, u32 n)
{
	struct shadow_call *sc = q->sc;
	const struct shadow_party *client = shadow_party_at(q->state, sc->client_at);
	const struct shadow_party *ta = shadow_party_at(q->state, sc->ta_at);
	struct optee_adm_call *a = &sc->asked.call;
	s32 in_flight = q->base.norm_in_flight, reserved = q->pool->reserved[n];
	bool keeps = !shadow_stateless[n];

	for (u32 i = 0; i < BASE_WORDS; i++)
		((u64 *)a)[i] = ((u64 *)&q->base)[i];
	if (reserved > in_flight)
		reserved = in_flight;
	if (reserved < 0)
		reserved = 0;
	a->resv_in_flight = reserved;
	a->norm_in_flight = in_flight - reserved;
	a->flags = sc->flags | (sc->refused >> n & 1 ? OPTEE_ADM_QUEUED : 0) |
		   (sc->reserved >> n & 1 ? OPTEE_ADM_RESERVED : 0);
	a->retry_ns = 0;
	a->priv[0] = sc->priv[n][0];
	a->priv[1] = sc->priv[n][1];
	for (u32 i = 0; i < 4; i++) {
		a->cpriv[i] = keeps && sc->client_at ? client->priv[n][i] : 0;
		a->tpriv[i] = keeps && sc->ta_at ? ta->priv[n][i] : 0;
		a->qpriv[i] = keeps ? q->pool->priv[n][i] : 0;
	}
}

static __always_inline void shadow_keep(struct shadow_question *q, u32 n)
{
	struct shadow_party *client = shadow_party_at(q->state, q->sc->client_at);
	struct shadow_party *ta = shadow_party_at(q->state, q->sc->ta_at);
	const struct optee_adm_call *a = &q->sc->asked.call;

	q->sc->priv[n][0] = a->priv[0];
	q->sc->priv[n][1] = a->priv[1];
	if (shadow_stateless[n])
		return;
	for (u32 i = 0; i < 4; i++) {
		if (q->sc->client_at)
			client->priv[n][i] = a->cpriv[i];
		if (q->sc->ta_at)
			ta->priv[n][i] = a->tpriv[i];
		q->pool->priv[n][i] = a->qpriv[i];
	}
}

/* One callback of policy n. */
static __noinline u64 shadow_ask(struct shadow_question *q, u32 n, enum policy_callback callback)
{
	if (n >= MAX_SHADOWS)
		return 0;
	q->sc->asked.answer = 0;
	shadow_show(q, n);
	switch (callback) {
	case POLICY_RESERVE:
		shadow_reserve(n, &q->sc->asked);
		break;
	case POLICY_ADMIT:
		shadow_admit(n, &q->sc->asked);
		break;
	case POLICY_RANK:
		shadow_rank(n, &q->sc->asked);
		break;
	case POLICY_ENTER:
		shadow_enter(n, &q->sc->asked);
		break;
	default:
		shadow_leave(n, &q->sc->asked);
	}
	shadow_keep(q, n);
	return q->sc->asked.answer;
}

/* Of all that have the callback, whose answer does not matter. */
static __always_inline void shadow_tell(struct shadow_question *q, enum policy_callback callback)
{
	for (u32 n = 0; n < nr_shadows; n++)
		if (shadow_has(n, callback))
			shadow_ask(q, n, callback);
}

/* The rule of the driver since Linux 6.8: of a policy without one, or without an answer. */
static __always_inline u32 default_verdict(const struct shadow_question *q)
{
	u32 kept = !(q->sc->flags & OPTEE_ADM_SYS) && q->base.reserved ? 1 : 0;

	return !q->base.total || q->base.free > kept ? OPTEE_ADM_ENTER : OPTEE_ADM_WAIT;
}

static __always_inline u32 shadow_verdict(struct shadow_question *q, u32 n)
{
	u64 answer;

	q->sc->asked.call.retry_ns = 0;
	if (!shadow_has(n, POLICY_ADMIT))
		return default_verdict(q);
	answer = shadow_ask(q, n, POLICY_ADMIT);
	if (answer < OPTEE_ADM_VERDICTS)
		return answer;
	lose(LOSS_SHADOW_ANSWER);
	q->sc->asked.call.retry_ns = 0;
	return default_verdict(q);
}

/* Once a call. */
static __noinline void shadow_count(struct shadow_question *q, u32 n, u32 verdict, bool waits)
{
	struct policy_counts *to;

	if (n >= MAX_SHADOWS)
		return;
	to = &q->rows->of[n].counts[q->sc->flags & OPTEE_ADM_SYS ? CLASS_SYSTEM : CLASS_NORMAL];
	inc(to->calls);
	if (!q->room) {
		inc(to->wait_no_thread);
		return;
	}
	if (verdict == OPTEE_ADM_WAIT && q->sc->asked.call.retry_ns) {
		inc(to->wait_rate);
		if (!waits)
			inc(to->stricter_rate);
	} else if (verdict == OPTEE_ADM_WAIT) {
		inc(to->wait_kept);
		if (!waits)
			inc(to->stricter_kept);
	} else {
		if (verdict == OPTEE_ADM_ENTER_RESERVED)
			inc(to->enter_reserved);
		else
			inc(to->enter);
		if (waits)
			inc(to->looser);
	}
}

/*
 * The driver makes the call wait, for the first time; there nobody is asked who has no thread
 * to give, as in the driver's own hook.
 */
static __noinline void shadow_waits(struct call *c, u64 now)
{
	struct shadow_state *state = shadow_get();
	struct shadow_question q;
	struct shadow_call *sc;

	if (!state || !c)
		return;
	sc = shadow_call_of(state, c);
	if (sc->stage != SHADOW_ARRIVED)
		return;
	sc->stage = SHADOW_ASKED;
	if (sc->flags & OPTEE_ADM_INTERNAL || !shadow_question(&q, sc, c->pool, now))
		return;
	for (u32 n = 0; n < nr_shadows; n++) {
		u32 verdict = q.room ? shadow_verdict(&q, n) : OPTEE_ADM_WAIT;

		shadow_count(&q, n, verdict, true);
		if (q.room && verdict == OPTEE_ADM_WAIT)
			sc->refused |= 1U << n;
	}
	shadow_tell(&q, POLICY_RANK);
}

/* Let in: each policy charges it by its own verdict. */
static __always_inline void shadow_charge(struct shadow_question *q, u32 n, u32 verdict)
{
	if (verdict != OPTEE_ADM_ENTER_RESERVED)
		return;
	q->sc->reserved |= 1U << n;
	add(q->pool->reserved[n], 1);
}

/* The driver has let the call in, at once or after a wait, of which it was asked before. */
static __noinline void shadow_enters(struct call *c, u64 now)
{
	struct shadow_state *state = shadow_get();
	struct shadow_question q;
	struct optee_adm_call *a = &q.base;
	struct shadow_call *sc;
	bool first;

	if (!state || !c)
		return;
	sc = shadow_call_of(state, c);
	first = sc->stage == SHADOW_ARRIVED;
	if (!first && sc->stage != SHADOW_ASKED)
		return;
	if (!shadow_question(&q, sc, c->pool, now))
		return;
	sc->stage = SHADOW_IN_FLIGHT;
	shadow_add(state, sc, 1);
	if (sc->flags & OPTEE_ADM_INTERNAL)
		return;
	if (!first) { /* it is among those that wait */
		if (c->class == CLASS_SYSTEM)
			a->sys_waiting -= a->sys_waiting > 0;
		else
			a->norm_waiting -= a->norm_waiting > 0;
		a->wait_ns = now - c->start_ns;
	}
	for (u32 n = 0; n < nr_shadows; n++) {
		u32 verdict = shadow_verdict(&q, n);

		if (first)
			shadow_count(&q, n, verdict, false);
		shadow_charge(&q, n, verdict);
	}
	/* From here on with it. */
	a->free -= a->free > 0;
	a->norm_in_flight++;
	a->sys_in_flight += c->class == CLASS_SYSTEM;
	a->client_in_flight += sc->client_at != 0;
	a->ta_in_flight += sc->ta_at != 0;
	a->session_in_flight += sc->session_at != 0;
	shadow_tell(&q, POLICY_ENTER);
}

/* It has given its thread back, and is out of all counts. */
static __noinline void shadow_leaves(struct call *c, u64 now)
{
	struct shadow_state *state = shadow_get();
	struct shadow_question q;
	struct shadow_call *sc;

	if (!shadow_uncount(c) || !state || !c)
		return;
	sc = shadow_call_of(state, c);
	if (sc->flags & OPTEE_ADM_INTERNAL || !shadow_question(&q, sc, c->pool, now))
		return;
	q.base.wait_ns = c->flags & CALL_WAITED ? c->wait_ns : 0;
	q.base.held_ns = now - c->admit_ns;
	shadow_tell(&q, POLICY_LEAVE);
}

/* The driver is asked for a reservation, for a session that has none. */
static __noinline void shadow_asks(struct tee_context *tee, u32 session, u32 pool)
{
	struct shadow_state *state = shadow_get();
	u64 now = bpf_ktime_get_ns();
	struct shadow_question q;
	struct shadow_call *sc;

	if (!state)
		return;
	/* Accepted race: of two at once one may be taken for the other. */
	sc = &state->calls[MAX_CALLS];
	for (u32 i = 0; i < sizeof(*sc) / 8; i++)
		((volatile u64 *)sc)[i] = 0;
	sc->session = session;
	shadow_client(state, sc, tee, bpf_get_current_task_btf()->tgid, pool, now);
	shadow_ta(state, sc, session_find(pool, session), pool, now);
	if (!shadow_question(&q, sc, pool, now))
		return;
	for (u32 n = 0; n < nr_shadows; n++) {
		s32 answer = shadow_has(n, POLICY_RESERVE) ? shadow_ask(&q, n, POLICY_RESERVE) : 0;

		if (answer > 0)
			lose(LOSS_SHADOW_ANSWER);
		if (answer < 0)
			inc(q.rows->of[n].reserve_no);
		else
			inc(q.rows->of[n].reserve_yes);
	}
}

#endif
