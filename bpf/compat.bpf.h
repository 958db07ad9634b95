/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel variation, all of it: what differs between the kernels we run on, each
 * behind an accessor that asks the running kernel's BTF, never its version.
 * src/caps.c is the user-space half.
 */
#ifndef OPTEE_TOP_COMPAT_BPF_H
#define OPTEE_TOP_COMPAT_BPF_H

/*
 * The queue's counters came with 6.8 (system sessions). Without them Linux does
 * not count threads and T is unknown to it; so it is over FF-A, where the
 * fields exist, total_thread_count stays 0 and free_thread_count means nothing.
 * Can go when 6.6 is out of use.
 */
static __always_inline s32 queue_total(struct optee_call_queue *q)
{
	if (!bpf_core_field_exists(q->total_thread_count))
		return 0;
	return BPF_CORE_READ(q, total_thread_count);
}

static __always_inline void queue_counters(struct pool *p, struct optee_call_queue *q)
{
	struct optee_call_queue___v6 *v6 = (void *)q;
	u32 flags = 0;

	if (bpf_core_field_exists(q->free_thread_count)) {
		p->driver_total = BPF_CORE_READ(q, total_thread_count);
		p->driver_free = BPF_CORE_READ(q, free_thread_count);
		flags |= DRIVER_COUNTS;
	}
	if (bpf_core_field_exists(q->sys_thread_req_count)) {
		p->driver_sys_sessions = BPF_CORE_READ(q, sys_thread_req_count);
		flags |= DRIVER_SYS_SESSIONS;
	}
	if (bpf_core_field_exists(v6->res_sys_thread_count)) {
		p->driver_reserved = BPF_CORE_READ(v6, res_sys_thread_count);
		flags |= DRIVER_RESERVED;
	}
	p->driver_flags = flags;
}

/* System sessions came with 6.8; before, every call is a normal one. */
static __always_inline u8 waiter_class(struct optee_call_waiter *w)
{
	if (!bpf_core_field_exists(w->sys_thread))
		return CLASS_NORMAL;
	return BPF_CORE_READ(w, sys_thread) ? CLASS_SYSTEM : CLASS_NORMAL;
}

static __always_inline bool session_is_system(struct optee_session *s)
{
	return bpf_core_field_exists(s->use_sys_thread) && BPF_CORE_READ(s, use_sys_thread);
}

#endif
