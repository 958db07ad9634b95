/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tee-supplicant: which of its threads works for which call. A request is known
 * by its parameters' address, which is the same for who asks and who answers.
 */
#ifndef OPTEE_TOP_SUPPLICANT_BPF_H
#define OPTEE_TOP_SUPPLICANT_BPF_H

/* The call's RPC is handed to tee-supplicant. */
static __always_inline void supplicant_asked(u64 request)
{
	struct call *c = call_find(bpf_get_current_task());

	if (!c || c->phase != PHASE_RPC)
		return;
	shared.requests[call_index(c) & (MAX_CALLS - 1)] = request;
	c->flags |= CALL_SUPPLICANT;
}

/*
 * Is the thread gone? A task_struct that is free keeps what it had until it is another
 * task's. An unreadable one reads as 0, which is no thread's tid.
 */
static __always_inline bool supplicant_is_gone(u64 task, u32 tid)
{
	struct task_struct *t = (void *)task;

	return (u32)BPF_CORE_READ(t, pid) != tid || BPF_CORE_READ(t, exit_state);
}

/* Whose slot it is. A full barrier: what is read of the slot afterwards is no older. */
static __always_inline u64 supplicant_task(struct supplicant *s)
{
	return __sync_fetch_and_add(&s->task, 0);
}

/* A new thread: it gets a slot that is unused, or that of a thread that is gone. */
static __always_inline u32 supplicant_new(u64 task, u32 tid)
{
	for (u32 i = 0; i < MAX_SUPPLICANTS; i++) {
		struct supplicant *s = &shared.supplicants[i];
		u64 old = supplicant_task(s);

		if (old == SUPPLICANT_TAKEN || (old && !supplicant_is_gone(old, s->tid)))
			continue;
		if (__sync_val_compare_and_swap(&s->task, old, SUPPLICANT_TAKEN) != old)
			continue;
		s->request = 0;
		s->taken_ns = 0;
		s->tid = tid;
		/* Last: with the tid of the thread before it, this one would look gone. */
		__sync_lock_test_and_set(&s->task, task);
		return i;
	}
	lose(LOSS_SUPPLICANT);
	return MAX_SUPPLICANTS;
}

/*
 * The task is a thread of tee-supplicant: its slot. MAX_SUPPLICANTS: there is no place for it.
 * A global function: the verifier looks at it once.
 */
__noinline u32 supplicant_found(u64 task, u32 tid)
{
	for (u32 i = 0; i < MAX_SUPPLICANTS; i++) {
		struct supplicant *s = &shared.supplicants[i];

		if (s->task == task && s->tid == tid)
			return i;
	}
	return supplicant_new(task, tid);
}

/* The slots of threads that are gone. */
static __always_inline void supplicants_sweep(void)
{
	for (u32 i = 0; i < MAX_SUPPLICANTS; i++) {
		struct supplicant *s = &shared.supplicants[i];
		u64 task = supplicant_task(s);

		if (task > SUPPLICANT_TAKEN && supplicant_is_gone(task, s->tid))
			__sync_val_compare_and_swap(&s->task, task, 0);
	}
}

#define IDR_LEVELS 4 /* 64 ids each */
#define NO_ID      (~0U)

/*
 * What the id stands for; 0: nothing. next: the first id after it that may stand for
 * something, or NO_ID. The low bits of an entry tell a node.
 */
LOOKED_AT_ONCE u64 idr_entry(u64 address, u32 id, u32 *next)
{
	struct idr *idr = (void *)address;
	u64 entry = (u64)BPF_CORE_READ(idr, idr_rt.xa_head);
	u32 base = BPF_CORE_READ(idr, idr_base), shift = 0, top = 0, at;

	if (!next)
		return 0;
	id -= base;
	*next = NO_ID;
	if ((entry & 3) != 2)
		return id ? 0 : entry;
	for (u32 i = 0; i < IDR_LEVELS && (entry & 3) == 2; i++) {
		struct xa_node *node = (void *)(entry - 2);

		shift = BPF_CORE_READ(node, shift) & 31;
		if (!i)
			top = shift;
		if (id >> top > 63)
			return 0; /* beyond the highest */
		at = bpf_core_field_offset(struct xa_node, slots) + (id >> shift & 63) * WORD_BYTES;
		entry = word_at((u64)node + at);
	}
	id = ((id >> shift) + 1) << shift; /* a node that is missing is skipped */
	if (id >> top <= 63)
		*next = base + id;
	return (entry & 3) == 2 ? 0 : entry;
}

/* It has taken a request: params tell which. */
static __always_inline void supplicant_took(struct tee_context *ctx, struct tee_param *params)
{
	u32 slot = supplicant_found(bpf_get_current_task(), bpf_get_current_task_btf()->pid);
	struct supplicant *s = &shared.supplicants[slot & (MAX_SUPPLICANTS - 1)];
	struct optee *optee = (void *)BPF_CORE_READ(ctx, teedev, dev.driver_data);
	struct optee_supp_req *req;
	u32 next;

	if (slot >= MAX_SUPPLICANTS)
		return;
	req = (void *)idr_entry((u64)&optee->supp.idr, BPF_CORE_READ(params, u.value.a), &next);
	s->request = (u64)BPF_CORE_READ(req, param); /* 0 if there is none */
	s->taken_ns = bpf_ktime_get_ns();
}

#define MAX_REQUESTS                 4096 /* more than there are threads */
#define MAX_IDS                      8192 /* free ones among them */
#define MAX_ERRNO                    4095

#define entry_of(node, type, member) ((type *)((void *)(node)-bpf_core_field_offset(type, member)))

/* A walk along the requests that nobody has taken, or along all by their ids. */
struct requests {
	struct walk walk;
	struct optee_supp *supp;
	u32 id; /* that is looked at next */
	s32 found;
};

static long untaken_found(u32 i, void *data)
{
	struct requests *requests = data;

	if (walk_done(&requests->walk))
		return 1;
	requests->found++;
	walk_on(&requests->walk);
	return 0;
}

/* Who sleeps on a request made the call; of a late one we have missed the hook. */
static __always_inline void request_of_late_call(struct optee_supp_req *req)
{
	struct swait_queue *sleeper = entry_of(BPF_CORE_READ(req, c.wait.task_list.next),
					       struct swait_queue, task_list);
	struct call *c = call_find((u64)BPF_CORE_READ(sleeper, task));
	u32 func;

	if (!c || !(c->flags & CALL_LATE) || c->phase != PHASE_RPC)
		return;
	func = BPF_CORE_READ(req, func);
	if (func < RPC_CMDS)
		c->rpc_kind = rpc_cmd_kinds[func] ?: RPC_OTHER;
	shared.requests[call_index(c) & (MAX_CALLS - 1)] = (u64)BPF_CORE_READ(req, param);
	__sync_fetch_and_or(&c->flags, CALL_SUPPLICANT); /* its own task may set others just now */
}

/*
 * Instead of a taken request whose caller was killed there is an error number, until it is
 * answered.
 */
static long request_found(u32 i, void *data)
{
	struct requests *requests = data;
	u64 entry;

	if (requests->id == NO_ID)
		return 1;
	entry = idr_entry((u64)&requests->supp->idr, requests->id, &requests->id);
	if (entry > WORD_MAX - MAX_ERRNO)
		requests->found++;
	else if (entry)
		request_of_late_call((void *)entry);
	return 0;
}

/*
 * What matters only while normal calls, or all, get no thread: is it tee-supplicant's fault? Not inlined:
 * 6.1 counts its stack into every call chain of inspect(), 512 bytes at most.
 */
static __noinline void inspect_requests(struct pool *p)
{
	struct optee_supp *supp = entry_of(p->requests, struct optee_supp, reqs);
	struct requests requests = { .supp = supp };

	supplicants_sweep();
	walk_list(&requests.walk, p->requests);
	bpf_loop(MAX_REQUESTS, untaken_found, &requests, 0);
	p->driver_requests = walk_done(&requests.walk) ? requests.found : -1;
	requests.found = 0;
	requests.id = BPF_CORE_READ(supp, idr.idr_base);
	bpf_loop(MAX_IDS, request_found, &requests, 0);
	p->driver_revoked = requests.id == NO_ID ? requests.found : -1;
	if (p->driver_requests < 0 || p->driver_revoked < 0)
		lose(LOSS_SUPPLICANT);
}

#endif
