/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What shadows need to know of calls, and what they keep: who makes a call, for which TA, and
 * what each policy has noted of the call, its client, its TA and its queue. All of it is in
 * one map, which is there only when there are shadows.
 *
 * Accepted races, on several CPUs: a client that makes its first two calls at once may get two
 * places; what a policy notes of a client, TA or queue is read and written back without a
 * lock, so of two notes made at once one is lost. The driver's own hook has its mutex there.
 */
#ifndef OPTEE_TOP_SHADOW_STATE_BPF_H
#define OPTEE_TOP_SHADOW_STATE_BPF_H

const volatile u32 nr_shadows; /* set before loading: 0 and all of this is left out */

/* To put programs of others into ours takes BTF. */
static __always_inline bool has_shadows(void)
{
#ifdef BARE
	return false;
#else
	return nr_shadows;
#endif
}

#define SHADOW_PARTIES 128 /* clients that have a place, and TAs; a power of two */
#define SHADOW_WINDOW  8   /* places in which one of them may be */

/* A client or a TA, and what each policy keeps of it. */
struct shadow_party {
	u64 key; /* 0: the place is unused */
	u64 used_ns;
	s32 in_flight, pad;
	u64 priv[MAX_SHADOWS][4];
};

enum shadow_stage { SHADOW_UNKNOWN, SHADOW_ARRIVED, SHADOW_ASKED, SHADOW_IN_FLIGHT };

struct shadow_call {
	struct optee_adm_asked asked; /* what the policy that is asked now has in hand */
	u64 seq, client, ta;          /* as in struct optee_adm_call; */
	u32 session, func, flags, weight;
	u32 client_at, ta_at, session_at; /* places; 0: it has none */
	u32 stage;
	u32 refused, reserved; /* a bit a policy: refused it; charged it to its reserved account */
	u64 priv[MAX_SHADOWS][2];
};

struct shadow_pool {
	u64 seq;
	u64 priv[MAX_SHADOWS][4];
	s32 reserved[MAX_SHADOWS]; /* calls in flight that are charged so */
};

struct shadow_state {
	struct shadow_call calls[MAX_CALLS + 1]; /* the last one: who asks for a reservation */
	struct shadow_party parties[2 * SHADOW_PARTIES]; /* clients, and TAs; 0 is nobody's */
	s32 sessions[MAX_SESSIONS];                      /* calls in flight */
	struct shadow_pool pools[MAX_POOLS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct shadow_state);
} shadow_state SEC(".maps");

static __always_inline struct shadow_state *shadow_get(void)
{
	u32 only = 0;

	return bpf_map_lookup_elem(&shadow_state, &only);
}

static __always_inline struct shadow_call *shadow_call_of(struct shadow_state *state,
							  const struct call *c)
{
	return &state->calls[call_index(c) & (MAX_CALLS - 1)];
}

static __always_inline struct shadow_pool *shadow_pool_of(struct shadow_state *state, u32 pool)
{
	return &state->pools[pool & (MAX_POOLS - 1)];
}

static __always_inline struct shadow_party *shadow_party_at(struct shadow_state *state, u32 at)
{
	return &state->parties[at & (2 * SHADOW_PARTIES - 1)];
}

/* How many calls of it are in flight: where at is not 0. */
static __always_inline s32 *shadow_session_at(struct shadow_state *state, u32 at)
{
	return &state->sessions[(at - 1) & (MAX_SESSIONS - 1)];
}

/* Where it may be: the one or the other half of the places, from its key on. */
static __always_inline u32 shadow_place(u64 key, u32 half, u32 i)
{
	u32 home = key * 0x9e3779b97f4a7c15ULL >> 40;

	return half + ((home + i) & (SHADOW_PARTIES - 1));
}

/*
 * A place for who has none: an unused one, or that of whoever has no call in flight and has
 * made none for longest. What policies kept of him is lost then, if they did. A global
 * function, as the next one: the verifier looks at it once.
 */
__noinline u32 shadow_party_take(struct shadow_state *state, u32 half, u64 key)
{
	struct shadow_party *p;
	u64 oldest = ~0ULL;
	u32 place = 0, kept = 0;

	if (!state)
		return 0;
	for (u32 i = 0; i < SHADOW_WINDOW; i++) {
		u32 at = shadow_place(key, half, i);

		p = shadow_party_at(state, at);
		if (at && p->in_flight <= 0 && p->used_ns < oldest) {
			oldest = p->used_ns;
			place = at;
		}
	}
	if (!place) {
		lose(LOSS_SHADOW_STATE);
		return 0;
	}
	p = shadow_party_at(state, place);
	p->key = key;
	for (u32 i = 0; i < MAX_SHADOWS * 4; i++) {
		kept |= ((volatile u64 *)p->priv)[i] != 0;
		((volatile u64 *)p->priv)[i] = 0;
	}
	if (kept)
		lose(LOSS_SHADOW_STATE);
	return place;
}

__noinline u32 shadow_party_find(struct shadow_state *state, u32 half, u64 key, u64 now)
{
	u32 at = 0;

	if (!state)
		return 0;
	for (u32 i = 0; i < SHADOW_WINDOW && !at; i++) {
		at = shadow_place(key, half, i);
		if (shadow_party_at(state, at)->key != key)
			at = 0;
	}
	if (!at)
		at = shadow_party_take(state, half, key);
	if (at)
		shadow_party_at(state, at)->used_ns = now;
	return at;
}

#define KERNEL_CLIENT (1ULL << 32)
#define KEY_USER      4 /* an address has the low bits clear: there the pool is, too */

/*
 * A process is known by its id; a client in the kernel by its context's address, and called
 * KERNEL_CLIENT and its place.
 */
static __always_inline void shadow_client(struct shadow_state *state, struct shadow_call *sc,
					  struct tee_context *tee, u32 tgid, u32 pool, u64 now)
{
	bool kernel = BPF_CORE_READ(tee, supp_nowait);
	u64 key = kernel ? address_of(tee) : (u64)tgid << 3 | KEY_USER;

	sc->client_at = shadow_party_find(state, 0, key | pool, now);
	if (!kernel)
		sc->client = tgid;
	else
		sc->client = sc->client_at ? KERNEL_CLIENT + sc->client_at : 0;
}

/* Its session's, where that is known. */
static __always_inline void shadow_ta(struct shadow_state *state, struct shadow_call *sc, u32 slot,
				      u32 pool, u64 now)
{
	struct session *s = session_at(slot);

	sc->ta = sc->ta_at = sc->session_at = 0;
	if (!s || slot >= MAX_SESSIONS)
		return;
	sc->session_at = slot + 1;
	for (u32 i = 0; i < 8; i++)
		sc->ta = sc->ta << 8 | s->uuid[i];
	if (sc->ta)
		sc->ta_at = shadow_party_find(state, SHADOW_PARTIES, sc->ta + pool, now);
}

static const volatile u32 weights[] = OPTEE_ADM_WEIGHTS;

#define NR_WEIGHTS  (sizeof(weights) / sizeof(weights[0]))
#define LOWEST_PRIO 100 /* static_prio of nice -20 */

static __always_inline u32 shadow_weight(struct task_struct *task)
{
	u32 nice = (u32)task->static_prio - LOWEST_PRIO;

	return weights[nice < NR_WEIGHTS ? nice : OPTEE_ADM_NICE_0];
}

/* As is_drivers_own() of kernel/adm_call.c. */
static __always_inline bool shadow_is_internal(struct tee_context *tee, u32 op)
{
	struct optee *optee = (void *)BPF_CORE_READ(tee, teedev, dev.driver_data);

	if (!tee || BPF_CORE_READ(tee, teedev) == BPF_CORE_READ(optee, supp_teedev))
		return true;
	return tee == driver_context(optee) && op != CMD_OTHER;
}

/* A call begins: what it is, as far as it is known now. */
static __noinline void shadow_arrives(struct call *c, struct tee_context *tee)
{
	struct shadow_state *state = shadow_get();
	struct shadow_call *sc;
	bool named = true;

	if (!state || !c)
		return;
	sc = shadow_call_of(state, c);
	for (u32 i = 0; i < sizeof(sc->priv) / 8; i++)
		((volatile u64 *)sc->priv)[i] = 0;
	sc->seq = __sync_fetch_and_add(&shadow_pool_of(state, c->pool)->seq, 1) + 1;
	sc->flags = c->class == CLASS_SYSTEM ? OPTEE_ADM_SYS : 0;
	sc->func = sc->session = sc->refused = sc->reserved = 0;
	sc->weight = shadow_weight(bpf_get_current_task_btf());
	switch (c->op) {
	case CMD_INVOKE:
		sc->func = c->func;
		break;
	case CMD_CLOSE:
		sc->flags |= OPTEE_ADM_CLOSE;
		break;
	case CMD_CANCEL:
		sc->flags |= OPTEE_ADM_CANCEL;
		break;
	case CMD_OPEN:
		sc->flags |= OPTEE_ADM_OPEN;
		named = false;
		break;
	case CMD_SHM_REGISTER:
	case CMD_SHM_UNREGISTER:
		sc->flags |= OPTEE_ADM_SHM;
		named = false;
		break;
	default:
		named = false;
	}
	if (shadow_is_internal(tee, c->op))
		sc->flags |= OPTEE_ADM_INTERNAL;
	shadow_client(state, sc, tee, c->tgid, c->pool, c->start_ns);
	shadow_ta(state, sc, named ? c->session_slot : SESSION_SLOTS, c->pool, c->start_ns);
	if (named)
		sc->session = c->session_id;
	sc->stage = SHADOW_ARRIVED;
}

static __always_inline void shadow_add(struct shadow_state *state, const struct shadow_call *sc,
				       s32 n)
{
	if (sc->client_at)
		add(shadow_party_at(state, sc->client_at)->in_flight, n);
	if (sc->ta_at)
		add(shadow_party_at(state, sc->ta_at)->in_flight, n);
	if (sc->session_at)
		add(*shadow_session_at(state, sc->session_at), n);
}

/* It is in no account any more. True: it was. */
static __noinline bool shadow_uncount(struct call *c)
{
	struct shadow_state *state = shadow_get();
	struct shadow_call *sc;
	bool was;

	if (!state || !c)
		return false;
	sc = shadow_call_of(state, c);
	was = sc->stage == SHADOW_IN_FLIGHT;
	sc->stage = SHADOW_UNKNOWN;
	if (!was)
		return false;
	shadow_add(state, sc, -1);
	for (u32 n = 0; n < MAX_SHADOWS; n++)
		if (sc->reserved >> n & 1)
			add(shadow_pool_of(state, c->pool)->reserved[n], -1);
	return true;
}

#endif
