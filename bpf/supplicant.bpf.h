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

/* What the id stands for; 0: nothing. The low bits of an entry tell a node. */
static __always_inline u64 idr_entry(struct idr *idr, u32 id)
{
	u64 entry = (u64)BPF_CORE_READ(idr, idr_rt.xa_head);

	id -= BPF_CORE_READ(idr, idr_base);
	for (u32 i = 0; i < IDR_LEVELS && (entry & 3) == 2; i++) {
		struct xa_node *node = (void *)(entry - 2);
		u64 *slot = (u64 *)&node->slots[id >> BPF_CORE_READ(node, shift) & 63];

		bpf_probe_read_kernel(&entry, sizeof(entry), slot);
	}
	return (entry & 3) == 2 ? 0 : entry;
}

/* It has taken a request: params tell which. */
static __always_inline void supplicant_took(struct tee_context *ctx, struct tee_param *params)
{
	u32 slot = supplicant_found(bpf_get_current_task(), bpf_get_current_task_btf()->pid);
	struct supplicant *s = &shared.supplicants[slot & (MAX_SUPPLICANTS - 1)];
	struct optee *optee = (void *)BPF_CORE_READ(ctx, teedev, dev.driver_data);
	struct optee_supp_req *req;

	if (slot >= MAX_SUPPLICANTS)
		return;
	req = (void *)idr_entry(&optee->supp.idr, BPF_CORE_READ(params, u.value.a));
	s->request = (u64)BPF_CORE_READ(req, param); /* 0 if there is none */
	s->taken_ns = bpf_ktime_get_ns();
}

#endif
