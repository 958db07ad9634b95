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

		if (r->key || __sync_val_compare_and_swap(&r->key, 0, REF_TAKEN))
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
	u8 uuid[16]; /* zeros: not known */
	u32 login;
	u32 flags; /* enum session_flags */
	u64 now;
	u64 task; /* the client; 0: not known */
};

/*
 * The row is given back as if it had never been. In this order, also for other CPUs: a
 * reader takes a row without a serial that is not free yet for one that is being given.
 */
static __always_inline void session_undo(struct session *s)
{
	__sync_lock_test_and_set(&s->serial, 0);
	add_in_order(shared.sessions_undone, 1);
	s->state = SESSION_FREE;
}

/*
 * What was found out about it later; nothing of the rows that count for several sessions.
 * Accepted race: two at once, and one waits for the next call.
 */
static __always_inline void session_is_known_as(struct session *s, u32 slot, u32 flags)
{
	if (slot < MAX_SESSIONS && (s->flags & flags) != flags)
		s->flags |= flags;
}

/* The row of a session without an id has served its purpose: the call that it was made for. */
static __always_inline bool session_unname(struct session *s)
{
	if (!s || !(s->flags & SESSION_UNNAMED))
		return false;
	session_undo(s);
	return true;
}

#define SESSION_COUNTER_WORDS                                                                      \
	((sizeof(struct session) - __builtin_offsetof(struct session, ops)) / 8)

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
	/* With a barrier: whoever sees anything of the new row does not see the old serial. */
	__sync_lock_test_and_set(&s->serial, 0);
	__builtin_memcpy(s->uuid, o->uuid, sizeof(s->uuid));
	s->flags = o->flags;
	s->pool = pool;
	s->id = id;
	s->login = o->login;
	s->opened_ns = o->flags & SESSION_LATE ? 0 : o->now;
	s->closed_ns = 0;
	s->tgid = 0;
	__builtin_memset(s->comm, 0, sizeof(s->comm));
	if (task) {
		s->tgid = BPF_CORE_READ(task, tgid);
		BPF_CORE_READ_INTO(&s->comm, task, group_leader, comm);
	}
	s->in_flight_peak = 0;
	s->last_failure = 0;
	s->scmi_protocols = 0;
	s->scmi_channel = 0;
	for (u32 i = 0; i < SESSION_COUNTER_WORDS; i++)
		((volatile u64 *)s->ops)[i] = 0;
	add(s->flight, -((u64)s->accounted << 32));
	s->serial = __sync_fetch_and_add(&shared.session_serial, 1) + 1;
	if (o->flags & (SESSION_OPENING | SESSION_UNNAMED) || session_publish(s, slot, id))
		return slot;
	session_undo(s);
	lose(LOSS_SESSION_SLOT);
	return SLOT_REST(pool);
}

/*
 * The row of a session that was open before we attached. Two tasks may meet it
 * at once and must not both make one; who comes second counts in the rest row.
 */
static __always_inline u32 session_adopt(u32 pool, u32 id, const struct session_origin *o)
{
	u32 slot = session_search(pool, id);

	if (slot != SESSION_SLOTS)
		return slot;
	if (__sync_val_compare_and_swap(&shared.adopting, 0, 1)) {
		lose(LOSS_SESSION_SLOT);
		return SLOT_REST(pool);
	}
	slot = session_search(pool, id);
	if (slot == SESSION_SLOTS)
		slot = session_new(pool, id, o);
	__sync_lock_test_and_set(&shared.adopting, 0);
	return slot;
}

/*
 * The row of a call whose session is not found at once: an open_session, which
 * has no id yet, a session from before we attached, whose client is whoever
 * calls, or no session at all. Off the path of an ordinary invoke.
 */
static __noinline u32 session_of_other(struct call *c, struct tee_context *tee)
{
	struct session_origin o = { .task = bpf_get_current_task() };
	struct msg_open *open;
	u32 origin = 0;

	if (!c)
		return SESSION_SLOTS;
	o.now = c->start_ns;
	if (tee) /* supp_nowait: set by the TEE core for kernel clients only */
		origin = BPF_CORE_READ(tee, supp_nowait) ? SESSION_KERNEL : SESSION_USER;
	switch (c->op) {
	case CMD_INVOKE:
	case CMD_CLOSE:
	case CMD_CANCEL:
		o.flags = SESSION_LATE | (origin & SESSION_KERNEL);
		return session_adopt(c->pool, c->session_id, &o);
	case CMD_OPEN:
		open = (void *)c->msg;
		o.flags = SESSION_OPENING | origin;
		bpf_probe_read_kernel(o.uuid, sizeof(o.uuid), open->ta.octets);
		bpf_probe_read_kernel(&o.login, sizeof(o.login), open->client.octets + 16);
		return session_new(c->pool, 0, &o);
	}
	return SLOT_NONE(c->pool);
}

/* optee_system_session() is for kernel clients only. */
static __always_inline void session_made_system(u32 pool, u32 id)
{
	struct session_origin o = { .flags = SESSION_LATE | SESSION_KERNEL,
				    .task = bpf_get_current_task() };
	u32 slot = session_adopt(pool, id, &o);
	struct session *s = session_at(slot);

	if (s)
		session_is_known_as(s, slot, SESSION_SYSTEM);
}

static __always_inline void session_close(struct session *s, u64 now)
{
	session_forget(s->pool, s->id);
	s->closed_ns = now;
	s->state = SESSION_CLOSED;
}

static __always_inline void session_opened(struct session *s, u32 slot, u32 id)
{
	u32 stale = session_search(s->pool, id);

	/* The TEE gives ids out again: the close of the former session was not seen. */
	if (stale != SESSION_SLOTS) {
		struct session *former = session_at(stale);

		if (former)
			session_close(former, bpf_ktime_get_ns());
	}
	s->flags &= ~SESSION_OPENING;
	if (session_publish(s, slot, id))
		return;
	lose(LOSS_SESSION_SLOT);
	s->closed_ns = bpf_ktime_get_ns();
	s->state = SESSION_CLOSED;
}

/*
 * The open_session failed: what it cost goes to the calls without a session. The next one
 * gets the row: opens that fail by the thousand take no closed row away before it is read.
 */
static __always_inline struct session *session_not_opened(struct session *s, u32 slot, u32 pool)
{
	struct session *none = session_at(SLOT_NONE(pool));

	if (!none)
		return s;
	for (u32 i = 0; i < NR_RPC_KINDS; i++) {
		add(none->rpc_count[i], s->rpc_count[i]);
		add(none->rpc_ns[i], s->rpc_ns[i]);
	}
	add(none->in_flight, 1);
	session_undo(s);
	add_in_order(s->in_flight, -1); /* now it may be given away */
	session_given_back = slot + 1;
	return none;
}

#endif
