/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at the driver from outside a call: its own counters once a snapshot,
 * and at attach the sessions and calls that are there already.
 */
#ifndef OPTEE_TOP_INSPECT_BPF_H
#define OPTEE_TOP_INSPECT_BPF_H

#define TEE_PRIVILEGED_IDS  16   /* /dev/teepriv*: tee-supplicant's, without sessions */
#define MAX_SESSIONS_WALKED 8192 /* of one client */

const volatile u32 tee_major;  /* of /dev/tee*; set before loading */
const volatile u64 page_bytes; /* so too */

/* What a walk along one of the driver's lists is for. */
struct search {
	struct walk walk;
	u64 task;
	u32 pool;
};

static long session_found(u32 i, void *data)
{
	struct search *search = data;
	struct optee_session *s;
	struct session_origin o = { .flags = SESSION_LATE | SESSION_USER };
	struct session *row;
	u32 id;

	if (walk_done(&search->walk))
		return 1;
	s = (void *)(search->walk.node - bpf_core_field_offset(struct optee_session, list_node));
	id = BPF_CORE_READ(s, session_id);
	if (session_is_system(s))
		o.flags |= SESSION_SYSTEM;
	o.task = search->task;
	row = session_at(session_adopt(search->pool, id, &o));
	if (row && row->flags & SESSION_LATE)
		row->flags |= SESSION_USER; /* a call may have met it first */
	walk_on(&search->walk);
	return 0;
}

static u32 supplicant_tgids[MAX_POOLS]; /* of each TEE, found at attach */

/* One open file of one task: if it is a TEE context, its sessions get rows. */
static __always_inline int sessions_of_file(struct task_struct *task, struct file *file)
{
	struct search search = { .task = address_of(task) };
	struct optee_context_data *data;
	struct tee_context *tee;
	struct tee_device *dev;
	struct optee *optee;

	if (!file || !address_of(file) || !task || !address_of(task) ||
	    BPF_CORE_READ(file, f_inode, i_rdev) >> 20 != tee_major)
		return 0;
	if (BPF_CORE_READ(task, tgid) != BPF_CORE_READ(task, pid))
		return 0;
	tee = BPF_CORE_READ(file, private_data);
	dev = BPF_CORE_READ(tee, teedev);
	if (!dev || !device_is_optee(dev))
		return 0;
	if (BPF_CORE_READ(dev, id) >= TEE_PRIVILEGED_IDS) {
		supplicant_tgids[BPF_CORE_READ(dev, id) & (MAX_POOLS - 1)] = BPF_CORE_READ(task,
											   tgid);
		/* Its instance is there, also when nobody else uses it and we may not open it. */
		optee = BPF_CORE_READ(dev, dev.driver_data);
		pool_find((u64)BPF_CORE_READ(optee, teedev));
		return 0;
	}
	search.pool = pool_find((u64)dev);
	data = BPF_CORE_READ(tee, data);
	if (!data || search.pool >= MAX_POOLS || pool_at(search.pool)->sight != SIGHT_FOLLOWED)
		return 0; /* nobody would see such a session end */
	walk_list(&search.walk, (u64)&data->sess_list);
	bpf_loop(MAX_SESSIONS_WALKED, session_found, &search, 0);
	if (!walk_done(&search.walk))
		lose(LOSS_SESSION_SLOT);
	return 0;
}

/*
 * What an iterator gives, which is struct bpf_iter__task_file here, and __task below. Always of 64
 * bits: CO-RE would read pointers as a 32-bit kernel has them.
 */
enum { ITER_META, ITER_TASK, ITER_FD, ITER_FILE };

SEC_TYPED("iter/task_file")
int find_sessions(u64 *it)
{
	return sessions_of_file((void *)it[ITER_TASK], (void *)it[ITER_FILE]);
}

/* All stacks are of one size; the least one is assumed where they are not mapped one by one. */
static __always_inline void learn_stack_bytes(struct task_struct *task)
{
	u64 pages = 0;

	if (bpf_core_field_exists(task->stack_vm_area))
		pages = BPF_CORE_READ(task, stack_vm_area, nr_pages);
	if (pages)
		stack_bytes = pages * page_bytes;
}

/* Its owner sleeps on it: nobody else ever does. */
static __always_inline bool waiter_sleeps(struct optee_call_waiter *w)
{
	struct list_head *head = &w->c.wait.task_list;

	return BPF_CORE_READ(head, next) != head;
}

static __always_inline bool waiter_is_queued(struct optee_call_waiter *w)
{
	struct list_head *node = &w->list_node;

	return BPF_CORE_READ(node, prev, next) == node;
}

struct asking {
	struct walk walk;
	u32 id;
	bool asks;
};

static long asking_found(u32 i, void *data)
{
	struct asking *asking = data;
	struct optee_session *s;

	if (walk_done(&asking->walk))
		return 1;
	s = (void *)(asking->walk.node - bpf_core_field_offset(struct optee_session, list_node));
	walk_on(&asking->walk);
	if (BPF_CORE_READ(s, session_id) != asking->id)
		return 0;
	asking->asks = !session_is_system(s);
	return 1;
}

/* Is it a session that the driver will consider: its client's own, and with no reservation? */
static __always_inline bool session_asks(struct tee_context *tee, u32 id, u32 pool)
{
	struct optee_context_data *data = BPF_CORE_READ(tee, data);
	struct asking asking = { .id = id };

	if (!data || pool_at(pool)->total <= 1)
		return false;
	walk_list(&asking.walk, (u64)&data->sess_list);
	bpf_loop(MAX_SESSIONS_WALKED, asking_found, &asking, 0);
	return asking.asks;
}

static u32 late_calls; /* there may be some that were in flight when we attached */

/*
 * A session that makes a system call is a kernel client's, and its calls come through no
 * file. It gets a row for as long as that call lasts: its id is not known. Not inlined:
 * 6.1 counts its stack into every call chain of find_calls(), 512 bytes at most.
 */
static __noinline void late_system_call(struct call *c, u64 task)
{
	struct session_origin o = { .flags = SESSION_LATE | SESSION_SYSTEM | SESSION_KERNEL |
					     SESSION_UNNAMED,
				    .task = task };
	u32 slot = session_new(c->pool, 0, &o);
	struct session *s = session_at(slot);

	if (!s || slot >= MAX_SESSIONS)
		return;
	c->session_slot = slot;
	add(s->in_flight, 1);
	s->in_flight_peak = 1;
}

static __always_inline void late_uncount(struct call *c)
{
	struct session *s = session_at(c->session_slot);

	call_uncount(c, bpf_ktime_get_ns());
	if (session_unname(s))
		add(s->in_flight, -1);
}

/*
 * A call that began before we attached. Two of one task are nested: the stack
 * grows down, so the inner one has the lower waiter.
 */
LOOKED_AT_ONCE int call_found(u64 task, u64 waiter, u32 pool)
{
	struct optee_call_waiter *w = (void *)waiter;
	struct task_struct *t = (void *)task;
	struct call *known = call_find(task), *c;
	struct pool *p = pool_at(pool);
	bool sleeps = waiter_sleeps(w);
	u64 now = bpf_ktime_get_ns();

	if (known && (!(known->flags & CALL_LATE) || known->waiter == waiter))
		return 0;
	c = known ? NULL : call_own(task);
	if (!c || !call_claim(c, task | CALL_KEY_IDLE, task))
		c = call_take(task, true);
	if (!c) {
		inc(exits_expected);
		return 0;
	}
	c->tid = BPF_CORE_READ(t, pid);
	c->tgid = BPF_CORE_READ(t, tgid);
	c->start_ns = now;
	c->admit_ns = sleeps ? 0 : now;
	c->phase_ns = now;
	c->wait_ns = 0;
	c->secure_ns = 0;
	c->limit_ns = 0;
	c->limits = 0;
	c->session_id = 0;
	c->func = 0;
	c->waiter = waiter;
	c->msg = 0;
	c->session_slot = SESSION_SLOTS;
	c->pool = pool;
	c->op = CMD_UNKNOWN;
	c->woken_ns = 0;
	call_on_stack(c, (u64)BPF_CORE_READ(t, stack));
	c->class = waiter_class(w);
	c->flags = sleeps ? CALL_LATE : CALL_LATE | CALL_HELD;
	c->outer = 0;
	if (known && waiter < known->waiter) {
		known->key |= CALL_KEY_SUSPENDED;
		c->outer = call_index(known) + 1;
	} else if (known) {
		c->key |= CALL_KEY_SUSPENDED;
		c->outer = known->outer;
		known->outer = call_index(c) + 1;
	}
	if (c->class == CLASS_SYSTEM)
		late_system_call(c, task);
	if (sleeps) {
		c->phase = PHASE_QUEUED;
		pool_wait(p, c, now);
	} else {
		pool_enter(p, c, now);
		c->phase = PHASE_HOLDING;
	}
	lose(LOSS_LATE_CALLS);
	late_calls++;
	if (!waiter_is_queued(w)) { /* it ended meanwhile */
		late_uncount(c);
		call_release(c);
	}
	return 0;
}

/* The queue entries on the stack of one task. */
struct call_search {
	struct walk walk;
	u64 task, stack;
	u32 pool, next_pool;
};

/* Not on the stack: the chain of calls below it needs all of that. */
static struct call_search call_searched __attribute__((used)); /* else clang takes it apart */

/* False: that was the last one. */
static __always_inline bool next_queue(struct call_search *search)
{
	struct pool *p;

	if (search->next_pool >= MAX_POOLS)
		return false;
	search->pool = search->next_pool++;
	p = pool_at(search->pool);
	if (p->queue && p->sight == SIGHT_FOLLOWED)
		walk_queue(&search->walk, p->queue);
	return true;
}

/* One loop, not one in another: the verifier looks at it once. */
static long waiter_found(u32 i, void *data)
{
	struct call_search *search = &call_searched;
	u64 waiter;

	if (walk_done(&search->walk))
		return !next_queue(search);
	waiter = walk_waiter(&search->walk);
	if (waiter - search->stack < stack_bytes)
		call_found(search->task, waiter, search->pool);
	walk_on(&search->walk);
	return 0;
}

static __always_inline bool serves_a_pool(u32 tgid)
{
	for (u32 i = 0; i < MAX_POOLS; i++)
		if (supplicant_tgids[i] == tgid)
			return true;
	return false;
}

/* One task: the queue entries that lie on its stack are its calls. */
static __always_inline int calls_of_task(struct task_struct *task)
{
	if (!task || !address_of(task))
		return 0;
	learn_stack_bytes(task);
	if (serves_a_pool(BPF_CORE_READ(task, tgid)))
		supplicant_found(address_of(task), BPF_CORE_READ(task, pid));
	call_searched = (struct call_search){ .task = address_of(task),
					      .stack = (u64)BPF_CORE_READ(task, stack) };
	bpf_loop(MAX_POOLS * MAX_WALK, waiter_found, NULL, 0);
	return 0;
}

SEC_TYPED("iter/task")
int find_calls(u64 *it)
{
	return calls_of_task((void *)it[ITER_TASK]);
}

static __always_inline bool task_sleeps(u64 task)
{
	return BPF_CORE_READ((struct task_struct *)task, __state) != 0;
}

/*
 * A call that ended just as it was found would stand for ever: its end was seen
 * before it had a slot. It is recognised by its waiter, which is in no queue.
 * One that has begun since is none of ours: the flag is gone before it has a phase.
 * Accepted race: its task begins another call in the same instant.
 *
 * A holder whose task sleeps, or has another call, is in an RPC: the secure world
 * lets no task sleep.
 */
LOOKED_AT_ONCE int late_call_look(u32 i)
{
	struct call *c = call_at(i);
	u64 key = c->key, task = key & ~(u64)(CALL_KEY_IDLE | CALL_KEY_SUSPENDED);

	if (!(c->flags & CALL_LATE) || !task || key & CALL_KEY_IDLE)
		return 0;
	late_calls++;
	if (c->phase == PHASE_FREE || at_arguments(c->phase) ||
	    !(*(volatile u32 *)&c->flags & CALL_LATE))
		return 0;
	if (c->phase == PHASE_HOLDING && (key & CALL_KEY_SUSPENDED || task_sleeps(task))) {
		c->rpc_kind = RPC_OTHER;
		__sync_val_compare_and_swap(&c->phase, PHASE_HOLDING, PHASE_RPC);
	}
	if (key & CALL_KEY_SUSPENDED || waiter_is_queued((void *)c->waiter))
		return 0;
	if (!call_claim(c, task, CALL_KEY_SUSPENDED))
		return 0;
	late_uncount(c);
	c->key = task;
	call_release(c);
	return 0;
}

static long late_call_check(u32 i, void *data)
{
	return late_call_look(i);
}

/* A global function: the verifier looks at it once. */
__noinline int inspect_pool(u32 pool, u64 now)
{
	struct pool *p = pool_at(pool);
	struct pool_state s;

	if (!p->ready)
		return 0;
	queue_counters(p, (void *)p->queue);
	if (p->arguments_late && !(mutex_word(p->arguments) & MUTEX_WAITERS))
		p->arguments_late = 0; /* they came in turn: all of them are gone */
	s = pool_state(p->state);
	p->driver_in_use = pool_taken(p, &s);
	if (p->sight == SIGHT_FOLLOWED) {
		if (sight_differs(pool))
			ends_missed = true;
		pool_reserve(pool, now);
		pool_look(pool, now);
		if (pool_waits(p->state) &&
		    p->driver_in_use + queue_reserved(p->queue) >= p->total) {
			inspect_requests(p);
			inspect_locks(p, now);
		}
	}
	p->driver_ns = now;
	return 0;
}

/*
 * At every look: the driver's counters, with ours of the same moment beside
 * them, and what no call tells: that the reserve changed, that a strand ended,
 * that a wake was lost.
 */
SEC("syscall")
int inspect(void *ctx)
{
	u64 now = bpf_ktime_get_ns();

	learn_stack_bytes((void *)bpf_get_current_task()); /* where nobody has looked for tasks */
	for (u32 i = 0; i < MAX_POOLS; i++)
		inspect_pool(i, now);
	if (late_calls) {
		late_calls = 0; /* counted anew */
		each_call(1, late_call_check, NULL);
	}
	if (!unsettled || blind)
		return 0;
	unsettled = false;
	for (u32 i = 0; i < MAX_POOLS; i++) {
		u64 state = shared.pools[i].state;

		pool_changed(i, state, state, now);
		pool_strands(i, now);
	}
	return 0;
}

#endif
