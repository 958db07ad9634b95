/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state that the hooks keep: calls, sessions and pools, each found by its
 * own key in a few instructions. No BPF hash map is on the path of a call: a
 * task's call and a session's row are looked up in a short window of a plain
 * array, and nothing in flight is ever evicted. What finds no place is counted
 * (enum loss).
 */
#ifndef OPTEE_TOP_STATE_BPF_H
#define OPTEE_TOP_STATE_BPF_H

struct shared shared;

#define SESSION_REFS          2048 /* ids of open sessions; a power of two */
#define REF_WINDOW            8    /* places in which one id may lie */

#define SESSION_KEY(pool, id) (1ULL << 63 | (u64)(pool) << 32 | (id))

/* The row of an open session, by its id. */
struct session_ref {
	u64 key; /* SESSION_KEY(), 0: free */
	u64 slot;
};

static struct session_ref refs[SESSION_REFS];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SESSION_SLOTS);
	__type(key, u32);
	__type(value, struct session);
} sessions SEC(".maps");

/* The compiler knows nothing of var from here on. libbpf has it since 1.2. */
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

#define inc(counter)    ((void)__sync_fetch_and_add(&(counter), 1))
#define add(counter, n) ((void)__sync_fetch_and_add(&(counter), (n)))

/*
 * The same, but a full barrier: without a use of the old value clang emits an atomic
 * addition that other CPUs may see before or after its neighbours.
 */
#define add_in_order(counter, n)                                                                   \
	do {                                                                                       \
		typeof(counter) old__ = __sync_fetch_and_add(&(counter), (n));                     \
		barrier_var(old__);                                                                \
	} while (0)

static __always_inline void lose(enum loss what)
{
	inc(shared.loss[what]);
}

/* As a number: the verifier lets nobody compute with a pointer that it trusts. */
static __always_inline u64 address_of(const void *ptr)
{
	u64 addr = 0;

	bpf_probe_read_kernel(&addr, WORD_BYTES, &ptr);
	return addr;
}

/*
 * *max = max(*max, v). Three writers at once that all lose is the accepted race.
 * The caller compares first: a maximum seldom rises. Global functions: the
 * verifier looks at them once, not again at every call.
 */
__noinline int raise_u64(u64 *max, u64 v)
{
	for (int i = 0; max && i < 3; i++) {
		u64 old = *(volatile u64 *)max;

		if (v <= old || __sync_val_compare_and_swap(max, old, v) == old)
			break;
	}
	return 0;
}

__noinline int raise_s32(s32 *max, s32 v)
{
	for (int i = 0; max && i < 3; i++) {
		s32 old = *(volatile s32 *)max;

		if (v <= old || __sync_val_compare_and_swap(max, old, v) == old)
			break;
	}
	return 0;
}

#define peak_s32(max, v)                                                                           \
	do {                                                                                       \
		if ((v) > (max))                                                                   \
			raise_s32(&(max), v);                                                      \
	} while (0)

/* Calls */

/*
 * A slot belongs to the task in its key. The key alone decides who may write
 * to it: one compare-and-swap clears CALL_KEY_IDLE, for the task itself or for
 * another one that takes the idle slot over; none touches a slot in use but its
 * task. So the key of the innermost call in flight is just the task's address.
 *
 * Accepted race: a slot is given up with a plain store (BPF has no release
 * store before 6.15), so its last phase could in theory be seen after the next
 * user's first one. That needs a take-over within the time a store takes, and no
 * slot on the way that nobody ever used.
 */

/* A task_struct is about two pages long: the page spreads tasks better than a hash, and cheaper. */
static __always_inline u32 call_home(u64 task)
{
	return task >> TASK_BITS & (MAX_CALLS - 1);
}

static __always_inline struct call *call_at(u32 i)
{
	return &shared.calls[i & (MAX_CALLS - 1)];
}

/* Where a task's call is, but for collisions. */
static __always_inline struct call *call_home_slot(u64 task)
{
	struct call *c = &shared.calls[call_home(task)];

	barrier_var(c); /* else clang works it out anew for each member */
	return c;
}

static __always_inline u32 call_index(const struct call *c)
{
	return (u32)((u64)c - (u64)shared.calls) / sizeof(*c); /* unsigned: clang refuses sdiv */
}

/*
 * Where else a task's call may be: first the neighbours of its home; then in strides
 * of its own, so that those whose homes are crowded together do not stay together.
 */
#define CALL_NEIGHBOURS 4
#define CALL_PLACES     128 /* with 900 calls in flight less than one in a million finds none */

struct call_path {
	u32 at, stride;
};

static __always_inline struct call_path call_path(u64 task)
{
	return (struct call_path){ .at = call_home(task),
				   .stride = (u32)((task >> 6) * 0x9e3779b97f4a7c15ULL >> 40) | 1 };
}

/* The next place; i: of the one that it has been at. */
static __always_inline void call_path_on(struct call_path *p, u32 i)
{
	p->at += i < CALL_NEIGHBOURS ? 1 : p->stride;
}

#define CALL_NONE MAX_CALLS

/*
 * The searches give an index, as a global function may: the verifier looks at it once, not
 * again at every call.
 */
static __always_inline struct call *call_or_null(u32 i)
{
	if (i >= MAX_CALLS)
		return NULL;
	barrier_var(i); /* else clang leaves the mask out, which the verifier wants */
	return call_at(i);
}

__noinline u32 call_search_index(u64 task)
{
	struct call_path p = call_path(task);

	for (u32 i = 0; i < CALL_PLACES; i++) {
		struct call *c = call_at(p.at);
		u64 there = c->key;

		if (there == task)
			return call_index(c);
		if (!there) /* its task would have taken this one */
			break;
		call_path_on(&p, i);
	}
	return CALL_NONE;
}

static __always_inline struct call *call_search(u64 task)
{
	return call_or_null(call_search_index(task));
}

/* The call in flight of the task, the innermost if there are several. */
static __always_inline struct call *call_find(u64 task)
{
	struct call *c = call_home_slot(task);

	/* Nearly always: the search stays out of the straight line. */
	if (c->key == task)
		return c;
	return call_search(task);
}

/* Makes the slot, while its key is still this one, the task's and not idle. */
static __always_inline bool call_claim(struct call *c, u64 key, u64 task)
{
	u64 was = __sync_val_compare_and_swap(&c->key, key, task);

	barrier_var(was); /* one compare and branch; else clang makes a bool of it first */
	return was == key;
}

/*
 * The slot of a task: of its call in flight, the innermost if there are several; between
 * calls, the one that it had last. A task without any pays for all places.
 */
__noinline u32 call_own_index(u64 task)
{
	struct call_path p = call_path(task);

	for (u32 i = 0; i < CALL_PLACES; i++) {
		struct call *c = call_at(p.at);
		u64 there = c->key;

		if ((there & ~(u64)CALL_KEY_IDLE) == task)
			return call_index(c);
		if (!there)
			break;
		call_path_on(&p, i);
	}
	return CALL_NONE;
}

static __always_inline struct call *call_own(u64 task)
{
	return call_or_null(call_own_index(task));
}

#define CALL_NEAR                                                                                  \
	8 /* so far it looks for a slot that is nobody's, before it takes another task's */

/*
 * A slot for a task that has none: one that is nobody's, or that of a task between calls.
 * It is never behind one that was never used: see call_search().
 */
__noinline u32 call_take_index(u64 task)
{
	struct call_path p = call_path(task);

	for (u32 i = 0; i < CALL_NEAR; i++) {
		struct call *c = call_at(p.at);
		u64 key = c->key;

		if (!(key & ~(u64)CALL_KEY_IDLE) && call_claim(c, key, task))
			return call_index(c);
		call_path_on(&p, i);
	}
	p = call_path(task);
	for (u32 i = 0; i < CALL_PLACES; i++) {
		struct call *c = call_at(p.at);
		u64 key = c->key;

		if ((!key || key & CALL_KEY_IDLE) && call_claim(c, key, task))
			return call_index(c);
		call_path_on(&p, i);
	}
	return CALL_NONE;
}

/* counts: it is for a call, which is lost if there is none. */
static __always_inline struct call *call_take(u64 task, bool counts)
{
	struct call *c = call_or_null(call_take_index(task));

	if (!c && counts)
		lose(LOSS_CALL_SLOT);
	if (c && c->argument_ns) { /* another task's, or of a nested call */
		c->argument_ns = 0;
		lose(LOSS_ARGUMENT);
	}
	return c;
}

/* Sessions */

static __always_inline struct session *session_at(u32 slot)
{
	return bpf_map_lookup_elem(&sessions, &slot);
}

#define REF_TAKEN 1ULL /* a key: the place is being filled */

static __always_inline struct session_ref *ref_at(u32 i)
{
	return &refs[i & (SESSION_REFS - 1)];
}

/* The slot of an open session; SESSION_SLOTS: not known. */
__noinline u32 session_search(u32 pool, u32 id)
{
	u64 key = SESSION_KEY(pool, id);

	for (u32 i = 0; i < REF_WINDOW; i++) {
		struct session_ref *r = ref_at(id + i);

		if (r->key == key)
			return r->slot;
	}
	return SESSION_SLOTS;
}

static __always_inline u32 session_find(u32 pool, u32 id)
{
	struct session_ref *r = ref_at(id);

	if (r->key == SESSION_KEY(pool, id))
		return r->slot;
	return session_search(pool, id);
}

#define SESSION_TRIES 64

static u32 session_given_back; /* a row + 1 that was taken for nothing; 0: none */

/* Takes the row, if it is free; or, with closed, if its session is closed. */
static __always_inline bool session_claim_at(u32 slot, bool closed)
{
	struct session *s = session_at(slot);
	u32 state;

	if (!s)
		return false;
	state = s->state;
	if ((state != SESSION_FREE && !(closed && state == SESSION_CLOSED)) || s->in_flight)
		return false;
	return __sync_val_compare_and_swap(&s->state, state, SESSION_CLAIMED) == state;
}

/* Takes a free row, or the one closed longest ago: rows are handed out in turn. */
static __always_inline u32 session_claim(void)
{
	u32 back = __sync_lock_test_and_set(&session_given_back, 0);

	if (back && session_claim_at(back - 1, false))
		return back - 1;
	for (u32 i = 0; i < SESSION_TRIES; i++) {
		u32 slot = __sync_fetch_and_add(&shared.session_cursor, 1) & (MAX_SESSIONS - 1);

		if (session_claim_at(slot, true))
			return slot;
	}
	return SESSION_SLOTS;
}

static __always_inline void session_forget(u32 pool, u32 id)
{
	u64 key = SESSION_KEY(pool, id);

	for (u32 i = 0; i < REF_WINDOW; i++) {
		struct session_ref *r = ref_at(id + i);

		if (r->key == key)
			__sync_val_compare_and_swap(&r->key, key, 0);
	}
}

#endif
