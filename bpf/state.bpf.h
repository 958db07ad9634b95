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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SESSION_SLOTS);
	__type(key, u32);
	__type(value, struct session);
} sessions SEC(".maps");

#define inc(counter)		((void)__sync_fetch_and_add(&(counter), 1))
#define add(counter, n)		((void)__sync_fetch_and_add(&(counter), (n)))

static __always_inline void lose(enum loss what)
{
	inc(shared.loss[what]);
}

/* *max = max(*max, v). Three writers at once that all lose is the accepted race. */
static __always_inline void raise_u64(u64 *max, u64 v)
{
	for (int i = 0; i < 3; i++) {
		u64 old = *(volatile u64 *)max;

		if (v <= old || __sync_val_compare_and_swap(max, old, v) == old)
			return;
	}
}

static __always_inline void raise_s32(s32 *max, s32 v)
{
	for (int i = 0; i < 3; i++) {
		s32 old = *(volatile s32 *)max;

		if (v <= old || __sync_val_compare_and_swap(max, old, v) == old)
			return;
	}
}

/* Calls */

#define KEY_SUSPENDED	1ULL	/* a bit: a nested call of the same task is on top */
#define KEY_TAKEN	2ULL	/* the slot is changing hands */

static __always_inline u32 call_home(u64 task)
{
	return ((u32)(task >> 6) * 0x9e3779b1u) >> 16;
}

static __always_inline struct call *call_at(u32 i)
{
	return &shared.calls[i & (MAX_CALLS - 1)];
}

static __always_inline u32 call_index(const struct call *c)
{
	return (u32)((u64)c - (u64)shared.calls) / sizeof(*c);	/* unsigned: clang refuses sdiv */
}

/* The innermost call of the task, or the slot it used last. */
static __always_inline struct call *call_find(u64 task)
{
	u32 home = call_home(task);

	for (u32 i = 0; i < CALL_WINDOW; i++) {
		struct call *c = call_at(home + i);

		if (c->key == task)
			return c;
	}
	return NULL;
}

static __always_inline bool call_claim(struct call *c)
{
	return __sync_val_compare_and_swap(&c->phase, PHASE_FREE, PHASE_QUEUED) == PHASE_FREE;
}

/*
 * A slot for a task that has none. Whoever takes over an idle slot changes its
 * key before its phase, and its owner claims the phase before it looks at the
 * key again: one of the two sees the other and steps back.
 */
static __always_inline bool call_take_slot(struct call *c, u64 owner, u64 task)
{
	if (c->phase != PHASE_FREE || __sync_val_compare_and_swap(&c->key, owner, KEY_TAKEN) != owner)
		return false;
	if (call_claim(c)) {
		c->key = task;
		return true;
	}
	c->key = owner;
	return false;
}

static __noinline struct call *call_take(u64 task)
{
	u32 home = call_home(task);

	for (u32 i = 0; i < CALL_WINDOW; i++) {
		struct call *c = call_at(home + i);

		if (!c->key && call_take_slot(c, 0, task))
			return c;
	}
	for (u32 i = 0; i < CALL_WINDOW; i++) {
		struct call *c = call_at(home + i);

		if (call_take_slot(c, c->key, task))
			return c;
	}
	lose(LOSS_CALL_SLOT);
	return NULL;
}

/* Sessions */

static __always_inline struct session *session_at(u32 slot)
{
	return bpf_map_lookup_elem(&sessions, &slot);
}

static __always_inline struct session_ref *ref_at(u32 i)
{
	return &shared.refs[i & (SESSION_REFS - 1)];
}

/* The slot of an open session; SESSION_SLOTS: not known. */
static __always_inline u32 session_find(u8 pool, u32 id)
{
	u64 key = SESSION_KEY(pool, id);

	for (u32 i = 0; i < REF_WINDOW; i++) {
		struct session_ref *r = ref_at(id + i);

		if (r->key == key)
			return r->slot;
	}
	return SESSION_SLOTS;
}

#define SESSION_TRIES	64

/* Takes a free row, or the one closed longest ago: rows are handed out in turn. */
static __always_inline u32 session_claim(void)
{
	for (u32 i = 0; i < SESSION_TRIES; i++) {
		u32 slot = __sync_fetch_and_add(&shared.session_cursor, 1) & (MAX_SESSIONS - 1);
		struct session *s = session_at(slot);
		u32 state;

		if (!s)
			break;
		state = s->state;
		if ((state != SESSION_FREE && state != SESSION_CLOSED) || s->in_flight)
			continue;
		if (__sync_val_compare_and_swap(&s->state, state, SESSION_CLAIMED) != state)
			continue;
		if (state == SESSION_CLOSED && s->closed_ns > shared.inspected_ns)
			lose(LOSS_SESSION_CLOSED);
		return slot;
	}
	return SESSION_SLOTS;
}

static __always_inline void session_forget(u8 pool, u32 id)
{
	u64 key = SESSION_KEY(pool, id);

	for (u32 i = 0; i < REF_WINDOW; i++) {
		struct session_ref *r = ref_at(id + i);

		if (r->key == key)
			__sync_val_compare_and_swap(&r->key, key, 0);
	}
}

#endif
