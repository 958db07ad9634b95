/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a session's row: opened by a successful open_session, or met in
 * the middle of its life; closed by close_session; reused much later.
 */
#ifndef OPTEE_TOP_SESSION_BPF_H
#define OPTEE_TOP_SESSION_BPF_H

static __always_inline bool session_publish(struct session *s, u32 slot, u32 id)
{
	u64 key = SESSION_KEY(s->pool, id);

	for (u32 i = 0; i < REF_WINDOW; i++) {
		struct session_ref *r = ref_at(id + i);

		if (r->key || __sync_val_compare_and_swap(&r->key, 0, KEY_TAKEN))
			continue;
		r->slot = slot;
		s->id = id;
		s->state = SESSION_OPEN;
		__sync_lock_test_and_set(&r->key, key);
		return true;
	}
	return false;
}

/* What is known about a new row besides its id. */
struct session_origin {
	u8 uuid[16];		/* zeros: not known */
	u32 login;
	u32 flags;		/* enum session_flags */
	u64 now;
	u64 task;		/* the client */
};

#define SESSION_COUNTER_WORDS	((sizeof(struct session) - __builtin_offsetof(struct session, ops)) / 8)

/*
 * Off the path of an ordinary call. A global function: the verifier looks at it
 * once, not again in every loop that calls it.
 */
__noinline u32 session_new(u32 pool, u32 id, const struct session_origin *o)
{
	struct task_struct *task;
	struct session *s;
	u32 slot;

	if (!o)
		return SESSION_SLOTS;
	task = (void *)o->task;
	slot = session_claim();
	s = session_at(slot);

	if (!s) {
		lose(LOSS_SESSION_SLOT);
		return SLOT_REST(pool);
	}
	s->serial = 0;
	__builtin_memcpy(s->uuid, o->uuid, sizeof(s->uuid));
	s->flags = o->flags;
	s->pool = pool;
	s->id = id;
	s->login = o->login;
	s->opened_ns = o->flags & SESSION_LATE ? 0 : o->now;
	s->closed_ns = 0;
	s->tgid = BPF_CORE_READ(task, tgid);
	BPF_CORE_READ_INTO(&s->comm, task, group_leader, comm);
	s->in_flight_peak = 0;
	s->last_failure = 0;
	for (u32 i = 0; i < SESSION_COUNTER_WORDS; i++)
		((volatile u64 *)s->ops)[i] = 0;
	s->serial = __sync_fetch_and_add(&shared.session_serial, 1) + 1;
	if (o->flags & SESSION_OPENING || session_publish(s, slot, id))
		return slot;
	s->state = SESSION_FREE;
	lose(LOSS_SESSION_SLOT);
	return SLOT_REST(pool);
}

/* A row for a session that was open before we attached; its client is whoever calls. */
static __always_inline u32 session_late(u32 pool, u32 id, bool kernel, u64 now)
{
	struct session_origin o = {
		.flags = SESSION_LATE | (kernel ? SESSION_KERNEL : 0),
		.now = now,
		.task = bpf_get_current_task(),
	};

	return session_new(pool, id, &o);
}

/* The row of an open_session: it has no id yet. */
static __noinline u32 session_opening(u32 pool, u64 msg, bool kernel, u64 now)
{
	struct msg_open *open = (void *)msg;
	struct session_origin o = {
		.flags = SESSION_OPENING | (kernel ? SESSION_KERNEL : SESSION_USER),
		.now = now,
		.task = bpf_get_current_task(),
	};

	bpf_probe_read_kernel(o.uuid, sizeof(o.uuid), open->ta.octets);
	bpf_probe_read_kernel(&o.login, sizeof(o.login), open->client.octets + 16);
	return session_new(pool, 0, &o);
}

static __always_inline void session_opened(struct session *s, u32 slot, u32 id)
{
	s->flags &= ~SESSION_OPENING;
	if (session_publish(s, slot, id))
		return;
	lose(LOSS_SESSION_SLOT);
	s->closed_ns = bpf_ktime_get_ns();
	s->state = SESSION_CLOSED;
}

/* The open_session failed: what it cost goes to the calls without a session. */
static __always_inline struct session *session_not_opened(struct session *s, u32 pool)
{
	struct session *none = session_at(SLOT_NONE(pool));

	if (!none)
		return s;
	for (u32 i = 0; i < NR_RPC_KINDS; i++) {
		add(none->rpc_count[i], s->rpc_count[i]);
		add(none->rpc_ns[i], s->rpc_ns[i]);
	}
	s->serial = 0;
	s->state = SESSION_FREE;
	return none;
}

static __always_inline void session_close(struct session *s, u64 now)
{
	session_forget(s->pool, s->id);
	s->closed_ns = now;
	s->state = SESSION_CLOSED;
}

#endif
