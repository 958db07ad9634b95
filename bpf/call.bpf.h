/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a call, one function for each thing the hooks see:
 *
 *   [argument_wait] ─► call_begin ─► [call_wait] ─► call_enter ─► call_exit ─► call_end ─► [argument_wait]
 *                                                       ▲  RPC, LIMIT  │
 *                                                       └──────────────┘
 *
 * Calls of one task nest strictly (an RPC handler may call the TEE again), so
 * the innermost one is always the one an event belongs to.
 */
#ifndef OPTEE_TOP_CALL_BPF_H
#define OPTEE_TOP_CALL_BPF_H

static u64 exits_unseen;   /* calls that came back for good, of which no hook had seen anything */
static u64 exits_expected; /* of these, the calls that had found no slot, or were given up */

/* It no longer counts among the pool's users or waiters. */
static __always_inline void call_uncount(struct call *c, u64 now)
{
	struct pool *p = pool_at(c->pool);

	if (at_arguments(c->phase))
		return;
	if (c->flags & CALL_WAITING)
		pool_wait_over(p, c, now);
	if (c->flags & CALL_RPC_COUNTED)
		pool_rpc_ends(p, c);
	if (c->phase == PHASE_LIMIT)
		pool_limited(c, -1);
	else if (c->phase != PHASE_QUEUED)
		pool_leave(p, c, now);
}

/* An event of it was missed: what it used is not known. */
static __noinline void call_abandon(struct call *c, u64 now)
{
	struct session *s;

	if (!c)
		return;
	s = session_at(c->session_slot);
	call_uncount(c, now);
	if (has_shadows())
		shadow_uncount(c);
	if (s)
		add(s->in_flight, -1);
	session_unname(s);
	lose(LOSS_CALL_END);
}

/*
 * The slot for a new call of a task whose own slot is busy, elsewhere or gone.
 * If it has a call in an RPC, the new one is nested in that; else the end of
 * that one was missed, and it is *missed. counts: a call that finds none is lost.
 */
static __always_inline struct call *call_slot_find(u64 task, struct call **missed, bool counts)
{
	struct call *c = call_own(task), *inner;

	*missed = NULL;
	if (c && call_claim(c, task | CALL_KEY_IDLE, task))
		return c;
	if (!c || c->key != task) /* or another task has taken it just now */
		return call_take(task, counts);
	if (c->phase == PHASE_BLIND)
		return NULL;
	if (at_arguments(c->phase)) {
		argument_ends_unseen(c);
		return c;
	}
	if (c->phase != PHASE_RPC && c->phase != PHASE_HOLDING) {
		*missed = c;
		return NULL;
	}
	inner = call_take(task, counts);
	if (!inner) {
		if (counts)
			c->phase = PHASE_BLIND;
		return NULL;
	}
	c->key = task | CALL_KEY_SUSPENDED;
	inner->outer = call_index(c) + 1;
	return inner;
}

static __noinline struct call *call_slot_search(u64 task, u64 now)
{
	struct call *missed, *c = call_slot_find(task, &missed, true);

	if (!missed)
		return c;
	call_abandon(missed, now);
	return missed;
}

static __always_inline void call_release(struct call *c)
{
	u32 outer = c->outer;

	c->phase = PHASE_FREE;
	if (outer) {
		struct call *o = call_at(outer - 1);

		scmi_nested_ends(c);
		c->outer = 0;
		call_on_stack(o, o->stack);
		__sync_fetch_and_and(&o->key, ~(u64)CALL_KEY_SUSPENDED);
		c->key = CALL_KEY_IDLE;
		return;
	}
	c->key |= CALL_KEY_IDLE;
}

/* A call without a slot will come back all the same. One inside another call is told by that. */
static __noinline struct call *call_unslotted(void)
{
	if (!call_search(bpf_get_current_task()))
		inc(exits_expected);
	return NULL;
}

/* First half of call_begin(): finds it a slot. NULL: there is none. */
static __always_inline struct call *call_start(u64 teedev)
{
	u64 now = bpf_ktime_get_ns(), task = bpf_get_current_task();
	u32 pool = pool_find(teedev);
	struct call *c;

	if (pool >= MAX_POOLS)
		return call_unslotted();
	c = call_home_slot(task);
	if (!call_claim(c, task | CALL_KEY_IDLE, task)) {
		c = call_slot_search(task, now);
		if (!c)
			return call_unslotted();
	}
	/* Each time: an exec, or a new task at this address, changes them. */
	task_ids(&c->tid, &c->tgid);
	c->flags = 0; /* before the phase: see late_call_check() */
	c->start_ns = now;
	c->phase_ns = now;
	c->phase = PHASE_QUEUED;
	c->wait_ns = 0;
	c->secure_ns = 0;
	c->limit_ns = 0;
	c->waiter = 0;
	c->pool = pool;
	c->limits = 0;
	c->woken_ns = 0;
	call_on_stack(c, task_stack());
	return c;
}

/* What it asks for, and the slot of the row that it counts in. tee may be NULL: not known. */
static __always_inline u32 call_read_msg(struct call *c, struct tee_context *tee, u64 msg)
{
	struct msg_head head;
	u32 slot;

	c->msg = msg;
	msg_start(msg, &head);
	c->func = head.func;
	c->session_id = head.session;
	if (head.cmd == CMD_INVOKE) {
		c->op = CMD_INVOKE;
		slot = session_find(c->pool, head.session);
		if (slot == SESSION_SLOTS)
			slot = session_of_other(c, tee);
	} else {
		c->op = head.cmd <= OPTEE_MSG_CMD_LAST || head.cmd == CMD_UNKNOWN ? head.cmd :
										    CMD_OTHER;
		if (c->op == CMD_SHM_REGISTER && arguments_are_locked(c))
			c->flags |= CALL_ARGUMENT;
		slot = session_of_other(c, tee);
	}
	c->session_slot = slot;
	return slot;
}

static __always_inline void call_counts_in(struct session *s)
{
	s32 in_flight = __sync_fetch_and_add(&s->in_flight, 1) + 1;

	peak_s32(s->in_flight_peak, in_flight);
}

/* Second half of call_begin(). */
static __always_inline void call_describe(struct call *c, struct tee_context *tee, u64 msg,
					  u8 class)
{
	struct session *s;
	u32 slot;

	c->class = class;
	slot = call_read_msg(c, tee, msg);
	if (has_shadows())
		shadow_arrives(c, tee);
	s = session_at(slot);
	if (!s)
		return;
	call_counts_in(s);
	if (class == CLASS_SYSTEM) {
		session_is_known_as(s, slot, SESSION_SYSTEM);
		pool_reserve(c->pool, c->start_ns);
	}
}

static __always_inline void call_begin(struct tee_context *tee, u64 teedev, u64 msg, u8 class)
{
	struct call *c = call_start(teedev);

	if (c)
		call_describe(c, tee, msg, class);
}

/* It is about to sleep in the queue, for the first time or because it was refused. */
static __always_inline void call_wait(u64 waiter)
{
	struct call *c = call_find(bpf_get_current_task());
	struct pool *p;
	u64 now;

	if (!c || (c->phase != PHASE_QUEUED && c->phase != PHASE_LIMIT))
		return;
	p = pool_at(c->pool);
	now = bpf_ktime_get_ns();
	if (c->flags & CALL_WAITING) {
		pool_wait_on(p, c, now);
		return;
	}
	c->waiter = waiter;
	if (has_shadows())
		shadow_waits(c, now);
	pool_wait(p, c, now);
}

static __noinline void call_rpc_over(struct call *c, u64 spent)
{
	struct session *s;

	if (!c)
		return;
	c->flags &= ~CALL_SUPPLICANT;
	if (c->flags & CALL_RPC_COUNTED)
		pool_rpc_ends(pool_at(c->pool), c);
	s = session_at(c->session_slot);
	if (s && c->rpc_kind < NR_RPC_KINDS)
		add(s->rpc_ns[c->rpc_kind], spent);
}

/*
 * A waiter that was found at attach is admitted: what it hands to the secure world
 * names its message, so from here on it is a call like any other, with a wait that
 * counts from the attach. An argument that is not registered has no address here; such
 * a call stays unknown, as all do over FF-A. The message's memory tells nothing of the client:
 * calls share it.
 */
static __noinline int late_admitted(struct call *c, u64 *ctx)
{
	struct optee_rpc_param *param;
	struct tee_shm *shm;
	struct session *s;
	u32 slot;

	if (!c || !ctx || c->msg || c->flags & CALL_HELD)
		return 0;
	param = (void *)address_of((void *)ctx[0]);
	if (BPF_CORE_READ(param, a0) != OPTEE_SMC_CALL_WITH_REGD_ARG)
		return 0;
	shm = (void *)((u64)BPF_CORE_READ(param, a1) << 32 | BPF_CORE_READ(param, a2));
	s = session_at(c->session_slot);
	if (s) {
		add(s->in_flight, -1);
		session_unname(s);
	}
	slot = call_read_msg(c, NULL, (u64)BPF_CORE_READ(shm, kaddr) + BPF_CORE_READ(param, a3));
	s = session_at(slot);
	if (!s)
		return 0;
	call_counts_in(s);
	if (c->class == CLASS_SYSTEM)
		session_is_known_as(s, slot, SESSION_SYSTEM | SESSION_KERNEL);
	return 0;
}

/* The end of a system session is told: optee_cq_complete_one() is hooked. */
const volatile bool sees_reserve_end = true;

/* spent: since the start of its phase. */
static __always_inline void call_admitted(struct call *c, u64 spent, u64 now, u64 *ctx)
{
	bool waited = c->flags & CALL_WAITING;

	if (waited && spent > starved_ns)
		episode_of_call(c, COND_STARVED, c->phase_ns + starved_ns, now, 1);
	if (waited && c->flags & CALL_ARGUMENT)
		convoy_over(c, now);
	c->phase = PHASE_SECURE;
	/* Nobody is accused of a reserve that has ended since somebody looked. */
	if (!sees_reserve_end && pool_at(c->pool)->state >> STATE_RESERVED)
		pool_reserve(c->pool, now);
	pool_enter(pool_at(c->pool), c, now);
	if (waited && c->flags & CALL_LATE)
		late_admitted(c, ctx);
}

/* A call in an RPC of this one has come to nothing: it is this one that enters again. NULL: it is not. */
static __noinline struct call *argument_in_vain(struct call *c, u64 now)
{
	struct call *outer;

	if (!c || !c->outer)
		return NULL;
	outer = call_at(c->outer - 1);
	argument_ends_unseen(c);
	call_release(c);
	call_rpc_over(outer, now - outer->phase_ns);
	return outer;
}

/*
 * Linux admitted it by its count of threads, and OP-TEE refused it. v6 does not count system
 * calls: there only those beyond the reserve can take what a normal call was promised.
 */
static __always_inline bool limit_is_odd(const struct call *c)
{
	struct pool *p = pool_at(c->pool);
	struct pool_state s = pool_state(p->state);

	if (!p->total || !knows_rule)
		return false;
	return !driver_is_v6() ||
	       (c->class == CLASS_NORMAL && s.in_use[CLASS_SYSTEM] <= s.reserved);
}

/* It enters the secure world: for the first time, or again. ctx: of the tracepoint, or NULL. */
static __always_inline void call_goes_in(struct call *c, u64 *ctx)
{
	u64 now = bpf_ktime_get_ns(), spent = now - c->phase_ns;

	switch (c->phase) {
	case PHASE_QUEUED:
		c->admit_ns = now;
		c->wait_ns = spent;
		if (has_shadows())
			shadow_enters(c, now);
		call_admitted(c, spent, now, ctx);
		break;
	case PHASE_LIMIT:
		c->limit_ns += spent;
		c->wait_ns += spent;
		pool_limited(c, -1);
		if (limit_is_odd(c))
			episode_of_call(c, COND_COUNT_MISMATCH, c->phase_ns, now, 1);
		call_admitted(c, c->flags & CALL_RETRIES ? 0 : spent, now, ctx);
		break;
	case PHASE_RPC:
		call_rpc_over(c, spent);
		break;
	case PHASE_HOLDING:
		break;
	case PHASE_ARGUMENT:
		c = argument_in_vain(c, now);
		if (!c)
			return;
		break;
	default:
		return;
	}
	c->phase_ns = now;
	c->phase = PHASE_SECURE;
}

static __always_inline void call_enter(u64 *ctx)
{
	struct call *c = call_find(bpf_get_current_task());

	if (c)
		call_goes_in(c, ctx);
}

/* Of a0: OPTEE_SMC_RETURN_RPC_PREFIX_MASK, OPTEE_SMC_RETURN_UNKNOWN_FUNCTION. */
#define RPC_PREFIX       0xffff0000
#define UNKNOWN_FUNCTION 0xffffffff

static __noinline void call_rpc(struct call *c, u64 a0, struct arm_smccc_res *res)
{
	struct session *s;

	if (!c)
		return;
	c->rpc_kind = rpc_kind(c, a0, res);
	c->phase = PHASE_RPC;
	if (!pool_at(c->pool)->total)
		pool_rpc_begins(pool_at(c->pool), c);
	s = session_at(c->session_slot);
	if (s && c->rpc_kind < NR_RPC_KINDS)
		inc(s->rpc_count[c->rpc_kind]);
}

/* A late call was in the secure world, then: from here on its phase is known. */
static __noinline bool call_resumes(struct call *c)
{
	if (!c || c->phase != PHASE_HOLDING)
		return false;
	c->phase_ns = bpf_ktime_get_ns();
	return true;
}

static __always_inline bool is_rpc(u64 a0)
{
	return (u32)a0 >= RPC_PREFIX && (u32)a0 != UNKNOWN_FUNCTION;
}

static bool blind; /* bpf/sight.bpf.h */

/* A call comes back that we do not follow; or its task's former one, whose end was missed. */
static __noinline int call_exit_unseen(struct call *c, u64 a0)
{
	if ((!unsettled || blind) && (!c || c->phase == PHASE_DONE) && !is_rpc(a0) &&
	    a0 != OPTEE_SMC_RETURN_ETHREAD_LIMIT)
		inc(exits_unseen);
	return 0;
}

/* It was refused before, and has a thread now: since it entered the last time. */
static __noinline int call_got_in(struct call *c, u64 entered)
{
	u64 since;

	if (!c)
		return 0;
	since = call_waits_since(c);
	c->flags &= ~CALL_RETRIES;
	if (entered > since && entered - since > starved_ns)
		episode_of_call(c, COND_STARVED, since + starved_ns, entered, 1);
	return 0;
}

/*
 * It comes back from the secure world: for good, with an RPC, or because no thread was free.
 * res: where an RPC may say more; or NULL.
 */
static __always_inline void call_comes_out(struct call *c, u64 a0, struct arm_smccc_res *res)
{
	u64 now = bpf_ktime_get_ns();

	if (c->flags & CALL_RETRIES && a0 != OPTEE_SMC_RETURN_ETHREAD_LIMIT)
		call_got_in(c, c->phase_ns);
	c->secure_ns += now - c->phase_ns;
	c->phase_ns = now;
	if (is_rpc(a0)) {
		call_rpc(c, a0, res);
	} else if (a0 == OPTEE_SMC_RETURN_ETHREAD_LIMIT) {
		c->phase = PHASE_LIMIT;
		c->limits++;
		if (!pool_at(c->pool)->total)
			c->flags |= CALL_RETRIES;
		pool_limited(c, 1);
		pool_leave(pool_at(c->pool), c, now);
	} else {
		c->phase = PHASE_DONE;
	}
}

static __always_inline void call_exit(u64 a0, struct arm_smccc_res *res)
{
	struct call *c = call_find(bpf_get_current_task());

	if (c && (c->phase == PHASE_SECURE || call_resumes(c)))
		call_comes_out(c, a0, res);
	else
		call_exit_unseen(c, a0);
}

/* True: it has not ended at all. */
static __noinline bool call_ends_oddly(struct call *c, u64 now)
{
	if (c && c->phase == PHASE_BLIND) {
		c->phase = PHASE_RPC; /* that was the nested call that has no slot */
		return true;
	}
	if (c && at_arguments(c->phase))
		argument_ends_unseen(c); /* it has never been in the queue: that was another call */
	else if (c)
		call_abandon(c, now);
	return false;
}

/* It leaves the queue. */
static __always_inline void call_end(u64 now)
{
	struct call *c = call_find(bpf_get_current_task());

	if (!c)
		return;
	if (c->phase == PHASE_DONE) {
		pool_leave(pool_at(c->pool), c, now);
		if (has_shadows())
			shadow_leaves(c, now);
		/*
		 * Its hold ended when it came back: what the task waited since then, for
		 * its CPU or the queue's lock, did not keep the secure world's thread.
		 * A late call that held a thread has no session and is not accounted.
		 */
		account(c, c->phase_ns);
		if (c->argument_ns || c->flags & CALL_ARGUMENT)
			argument_carry(c, now);
	} else if (call_ends_oddly(c, now)) {
		return;
	}
	call_release(c);
}

/*
 * The driver is about to wake somebody: in optee_cq_wait_final(), whose call is
 * out of the queue by now and its thread free; once more there, when the call
 * passes a wake on that it had swallowed; and after a system session's end.
 */
static __always_inline void call_ends_and_wakes(u64 queue)
{
	struct call *c = call_find(bpf_get_current_task());
	u64 now = bpf_ktime_get_ns();
	bool again = false;
	u32 pool;

	if (c && c->phase != PHASE_RPC && c->phase != PHASE_HOLDING) {
		pool = c->pool;
		again = c->woken_ns & WOKEN_IN_VAIN;
		call_end(now);
	} else {
		pool = pool_of_queue(queue);
		if (pool == MAX_POOLS)
			return;
		pool_reserve(pool, now);
	}
	if (pool_waits(pool_at(pool)->state))
		pool_wake(pool, now, again);
}

/*
 * Of a driver with trace events: it wakes this one. The end of a call has told so before,
 * that of a system session has not.
 */
static __always_inline void call_woken(u64 waiter)
{
	struct call *c = call_of_waiter(waiter);
	u64 woken = c ? *(volatile u64 *)&c->woken_ns : 0, now;

	if (!c || !(c->flags & CALL_WAITING) || woken & WOKEN_COUNTED)
		return;
	now = bpf_ktime_get_ns();
	pool_reserve(c->pool, now);
	pool_promise(pool_at(c->pool), c, woken, now & ~WOKEN_FLAGS);
	pool_strands(c->pool, now);
}

#endif
