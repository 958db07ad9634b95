/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a call, one function for each thing the hooks see:
 *
 *   call_begin ─► [call_wait] ─► call_enter ─► call_exit ─► call_end
 *                                    ▲  RPC, LIMIT  │
 *                                    └──────────────┘
 *
 * Calls of one task nest strictly (an RPC handler may call the TEE again), so
 * the innermost one is always the one an event belongs to.
 */
#ifndef OPTEE_TOP_CALL_BPF_H
#define OPTEE_TOP_CALL_BPF_H

/* It no longer counts among the pool's users or waiters. */
static __always_inline void call_uncount(struct call *c, u64 now)
{
	struct pool *p = pool_at(c->pool);

	if (c->flags & CALL_TOOK_ENTRY)
		pool_leave(p, c, now);
	if (c->flags & CALL_WAITING)
		pool_wait_over(p, c);
}

/* Its end was missed: the same task begins another call. */
static __always_inline void call_abandon(struct call *c, u64 now)
{
	struct session *s = session_at(c->session_slot);

	call_uncount(c, now);
	if (s)
		add(s->in_flight, -1);
	lose(LOSS_CALL_END);
}

/* The slot for a new call of this task: its own, or one on top of the call it is nested in. */
static __always_inline struct call *call_slot(u64 task, u64 now)
{
	struct call *c = call_find(task), *inner;

	if (!c)
		return call_take(task);
	if (call_claim(c)) {
		if (c->key == task)
			return c;
		c->phase = PHASE_FREE;
		return call_take(task);
	}
	if (c->phase != PHASE_RPC && c->phase != PHASE_HOLDING) {
		call_abandon(c, now);
		return c;
	}
	c->key = task | KEY_SUSPENDED;
	inner = call_take(task);
	if (!inner) {
		c->key = task;
		return NULL;
	}
	inner->outer = call_index(c) + 1;
	return inner;
}

static __always_inline void call_release(struct call *c)
{
	u32 outer = c->outer;

	if (outer) {
		struct call *o = call_at(outer - 1);

		c->outer = 0;
		c->key = 0;
		o->key &= ~KEY_SUSPENDED;
	}
	c->phase = PHASE_FREE;
}

static __always_inline void call_begin(u64 teedev, u64 msg, u8 class, bool kernel)
{
	u64 now = bpf_ktime_get_ns(), task = bpf_get_current_task(), ids;
	u32 pool = pool_find(teedev), slot;
	struct msg_head head;
	struct session *s;
	struct call *c;
	s32 in_flight;

	if (pool >= MAX_POOLS)
		return;
	c = call_slot(task, now);
	if (!c)
		return;
	ids = bpf_get_current_pid_tgid();
	c->tid = ids;
	c->tgid = ids >> 32;
	c->start_ns = now;
	c->phase_ns = now;
	c->phase = PHASE_QUEUED;
	c->wait_ns = 0;
	c->secure_ns = 0;
	c->limit_ns = 0;
	c->limits = 0;
	c->waiter = 0;
	c->msg = msg;
	c->pool = pool;
	c->class = class;
	c->flags = 0;

	slot = SLOT_NONE(pool);
	if (bpf_probe_read_kernel(&head, sizeof(head), (void *)msg)) {
		lose(LOSS_CALL_MSG);
		c->op = CMD_UNKNOWN;
	} else {
		c->op = head.cmd <= OPTEE_MSG_CMD_LAST ? head.cmd : CMD_OTHER;
		c->func = head.func;
		c->session_id = head.session;
		if (head.cmd >= CMD_INVOKE && head.cmd <= CMD_CANCEL) {
			slot = session_find(pool, head.session);
			if (slot == SESSION_SLOTS)
				slot = session_late(pool, head.session, kernel, now);
		} else if (head.cmd == CMD_OPEN) {
			slot = session_opening(pool, msg, kernel, now);
		}
	}
	c->session_slot = slot;
	s = session_at(slot);
	if (!s)
		return;
	in_flight = __sync_fetch_and_add(&s->in_flight, 1) + 1;
	if (in_flight > s->in_flight_peak)
		raise_s32(&s->in_flight_peak, in_flight);
}

/* It is about to sleep in the queue; may be asked again for the same wait. */
static __always_inline void call_wait(u64 waiter)
{
	struct call *c = call_find(bpf_get_current_task());

	if (!c || c->flags & CALL_WAITING ||
	    (c->phase != PHASE_QUEUED && c->phase != PHASE_LIMIT))
		return;
	c->waiter = waiter;
	pool_wait(pool_at(c->pool), c);
}

/* It enters the secure world: for the first time, or again. */
static __always_inline void call_enter(void)
{
	struct call *c = call_find(bpf_get_current_task());
	u64 now = bpf_ktime_get_ns();
	struct pool *p;
	u32 phase;

	if (!c)
		return;
	phase = c->phase;
	if (phase == PHASE_RPC) {
		struct session *s = session_at(c->session_slot);
		u32 kind = c->rpc_kind;

		if (s && kind < NR_RPC_KINDS && c->phase_ns)
			add(s->rpc_ns[kind], now - c->phase_ns);
	} else if (phase == PHASE_QUEUED || phase == PHASE_LIMIT) {
		p = pool_at(c->pool);
		if (phase == PHASE_QUEUED)
			c->admit_ns = now;
		c->wait_ns += now - c->phase_ns;
		if (c->flags & CALL_WAITING)
			pool_wait_over(p, c);
		if (phase == PHASE_LIMIT)
			c->limit_ns += now - c->phase_ns;
		pool_enter(p, c, now);
	} else if (phase != PHASE_HOLDING) {
		return;
	}
	c->phase_ns = now;
	c->phase = PHASE_SECURE;
}

/* enum rpc_kind by OPTEE_RPC_CMD_*; a command without an entry is RPC_OTHER. */
#define RPC_CMDS	32
static const volatile u8 rpc_cmd_kinds[RPC_CMDS] = {
	[OPTEE_RPC_CMD_LOAD_TA] = RPC_LOAD_TA,
	[OPTEE_RPC_CMD_RPMB] = RPC_RPMB,
	[OPTEE_RPC_CMD_FS] = RPC_FS,
	[OPTEE_RPC_CMD_GET_TIME] = RPC_GET_TIME,
	[OPTEE_RPC_CMD_NOTIFICATION] = RPC_NOTIFICATION,
	[OPTEE_RPC_CMD_SUSPEND] = RPC_SUSPEND,
	[OPTEE_RPC_CMD_SHM_ALLOC] = RPC_SHM_ALLOC,
	[OPTEE_RPC_CMD_SHM_FREE] = RPC_SHM_FREE,
	[OPTEE_RPC_CMD_SOCKET] = RPC_SOCKET,
	[OPTEE_RPC_CMD_PLUGIN] = RPC_PLUGIN,
	[OPTEE_RPC_CMD_I2C] = RPC_I2C,
	[OPTEE_RPC_CMD_RPMB_PROBE_RESET] = RPC_RPMB,
	[OPTEE_RPC_CMD_RPMB_PROBE_NEXT] = RPC_RPMB,
	[OPTEE_RPC_CMD_RPMB_FRAMES] = RPC_RPMB,
};

/* The command lies behind the call's own message, or in a message that a1:a2 names. */
static __always_inline u8 rpc_command(struct call *c, u64 a1, u64 a2)
{
	struct msg_head *rpc;
	u32 cmd = RPC_CMDS, params;

	if (pool_at(c->pool)->rpc_appended) {
		if (bpf_probe_read_kernel(&params, sizeof(params),
					  &((struct msg_head *)c->msg)->num_params))
			return RPC_OTHER;
		rpc = (void *)(c->msg + sizeof(*rpc) + params * sizeof(struct msg_param));
	} else {
		rpc = BPF_CORE_READ((struct tee_shm *)(a1 << 32 | (u32)a2), kaddr);
	}
	bpf_probe_read_kernel(&cmd, sizeof(cmd), &rpc->cmd);
	if (cmd >= RPC_CMDS)
		return RPC_OTHER;
	return rpc_cmd_kinds[cmd] ?: RPC_OTHER;
}

static __always_inline u8 rpc_kind(struct call *c, u64 a0, u64 a1, u64 a2)
{
	switch (a0 & 0xffff) {
	case OPTEE_SMC_RPC_FOREIGN_INTR:
		return RPC_FOREIGN_INTR;
	case OPTEE_SMC_RPC_CMD:
		return c->msg ? rpc_command(c, a1, a2) : RPC_OTHER;
	case OPTEE_SMC_RPC_ALLOC:
		return RPC_ALLOC;
	case OPTEE_SMC_RPC_FREE:
		return RPC_FREE;
	}
	return RPC_OTHER;
}

/* It comes back from the secure world: for good, with an RPC, or because no thread was free. */
static __always_inline void call_exit(u64 a0, u64 a1, u64 a2)
{
	struct call *c = call_find(bpf_get_current_task());
	u64 now = bpf_ktime_get_ns();
	struct session *s;

	if (!c || (c->phase != PHASE_SECURE && c->phase != PHASE_HOLDING))
		return;
	if (c->phase_ns)
		c->secure_ns += now - c->phase_ns;
	c->phase_ns = now;
	if ((a0 & 0xffff0000) == 0xffff0000 && (u32)a0 != 0xffffffff) {
		c->rpc_kind = rpc_kind(c, a0, a1, a2);
		c->phase = PHASE_RPC;
		s = session_at(c->session_slot);
		if (s && c->rpc_kind < NR_RPC_KINDS)
			inc(s->rpc_count[c->rpc_kind]);
	} else if (a0 == OPTEE_SMC_RETURN_ETHREAD_LIMIT) {
		struct pool *p = pool_at(c->pool);

		c->phase = PHASE_LIMIT;
		c->limits++;
		pool_leave(p, c, now);
		if (p->total)
			inc(p->mismatches);
	} else {
		c->phase = PHASE_DONE;
	}
}

/* It leaves the queue. */
static __always_inline void call_end(void)
{
	struct call *c = call_find(bpf_get_current_task());
	u64 now;

	if (!c || c->phase == PHASE_FREE)
		return;
	now = bpf_ktime_get_ns();
	call_uncount(c, now);
	if (!(c->flags & CALL_LATE))
		account(c, now);
	call_release(c);
}

#endif
