/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel variation, all of it: what differs between the kernels we run on, each
 * behind an accessor that asks the running kernel's BTF, never its version.
 * src/probe/mechanism.c is the user-space half.
 */
#ifndef OPTEE_TOP_COMPAT_BPF_H
#define OPTEE_TOP_COMPAT_BPF_H

/*
 * A kernel without BTF loads no program of these sections, knows no kfuncs, and no helper that
 * returns a typed pointer. For it there is an object without them: BARE (bpf/bpf.mk).
 */
#ifdef BARE
#define SEC_TYPED(name) static __attribute__((unused))
#else
#define SEC_TYPED(name) SEC(name)
#endif

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

/*
 * bpf_rdonly_cast() came with 6.2: it makes any address one that may be read
 * with plain loads, and a bad one reads as 0. A load so costs 7 instructions
 * on arm64, bpf_probe_read_kernel() about 85. Without it the branch that uses
 * it is never loaded. Can go when 6.1 is out of use.
 */
const volatile bool foreign_btf; /* --btf: its type ids are not this kernel's */

#ifdef BARE
static __always_inline bool reads_directly(void)
{
	return false;
}

static __always_inline void *bpf_rdonly_cast(const void *obj, u32 btf_id)
{
	return NULL; /* never called */
}
#else
extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;

static __always_inline bool reads_directly(void)
{
	return WORD_BYTES == sizeof(u64) && !foreign_btf && &bpf_rdonly_cast != NULL;
}
#endif

/* The process id of the task and of its thread group, in that order. */
static __always_inline void task_ids(u32 *tid, u32 *tgid)
{
#ifdef BARE
	u64 both = bpf_get_current_pid_tgid();

	*tid = both;
	*tgid = both >> 32;
#else
	struct task_struct *t = bpf_get_current_task_btf();

	*tid = t->pid;
	*tgid = t->tgid;
#endif
}

static __always_inline u64 task_stack(void)
{
#ifdef BARE
	return (u64)BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), stack);
#else
	return (u64)bpf_get_current_task_btf()->stack;
#endif
}

/*
 * Two u64 of memory, tv_sec and tv_nsec: the cast needs a type that vmlinux has,
 * and this one is just that.
 */
static __always_inline const struct timespec64 *pair_at(u64 addr)
{
	return bpf_rdonly_cast((void *)addr, bpf_core_type_id_kernel(struct timespec64));
}

/* Unreadable: 0. */
static __noinline u32 msg_word(const u32 *addr)
{
	u32 word;

	bpf_probe_read_kernel(&word, sizeof(word), addr);
	return word;
}

/*
 * What is read of a message: at the start its first words, at the end the result.
 * The driver itself has just filled it in, so it is there.
 */
static __always_inline void msg_start(u64 msg, struct msg_head *head)
{
	if (reads_directly()) {
		const struct timespec64 *pair = pair_at(msg);
		u64 cmd_func = pair->tv_sec;

		head->cmd = cmd_func;
		head->func = cmd_func >> 32;
		head->session = pair->tv_nsec;
	} else {
		struct msg_head copy;

		if (bpf_probe_read_kernel(&copy, 3 * sizeof(u32), (void *)msg)) {
			lose(LOSS_CALL_MSG);
			copy.cmd = CMD_UNKNOWN; /* the rest is zeros now */
		}
		head->cmd = copy.cmd;
		head->func = copy.func;
		head->session = copy.session;
	}
}

_Static_assert(__builtin_offsetof(struct msg_head, ret) == 16 + 4, "msg_ret() looks elsewhere");

static __always_inline u32 msg_ret(u64 msg)
{
	if (reads_directly())
		return (u64)pair_at(msg + 16)->tv_sec >> 32;
	return msg_word(&((struct msg_head *)msg)->ret);
}

/* Once a session: the id that an open_session gave. */
static __always_inline u32 msg_session(u64 msg)
{
	return msg_word(&((struct msg_head *)msg)->session);
}

/* System sessions came with 6.8; before, every call is a normal one. */
static __always_inline bool has_system_calls(void)
{
	struct optee_call_waiter *w = NULL;

	return bpf_core_field_exists(w->sys_thread);
}

/* What the driver makes its own calls with, since 5.17. Before, NULL. */
static __always_inline struct tee_context *driver_context(struct optee *optee)
{
	return bpf_core_field_exists(optee->ctx) ? BPF_CORE_READ(optee, ctx) : NULL;
}

/* The driver has a list of those whom another thread of OP-TEE has to wake, since 5.17. */
static __always_inline bool has_notifications(struct optee *optee)
{
	return bpf_core_field_exists(optee->notif.db) && bpf_core_field_exists(optee->smc.sec_caps);
}

/* Interrupts, or the FF-A, bring events from OP-TEE. Over FF-A since 6.7. */
static __always_inline bool has_events(struct optee *optee, bool ffa)
{
	if (!ffa)
		return BPF_CORE_READ(optee, smc.sec_caps) & OPTEE_SMC_SEC_CAP_ASYNC_NOTIF;
	return bpf_core_field_exists(optee->ffa.bottom_half_value) &&
	       BPF_CORE_READ(optee, ffa.bottom_half_value) != ~0U;
}

/* And one of the memory that has the calls' messages, since 5.19. */
static __always_inline bool has_arg_cache(struct optee *optee)
{
	return bpf_core_field_exists(optee->shm_arg_cache.shm_args);
}

/* A word of the kernel's memory; unreadable: 0. */
static __always_inline u64 word_at(u64 addr)
{
	u64 word;

	if (reads_directly())
		return pair_at(addr)->tv_sec;
	if (WORD_BYTES < sizeof(word))
		word = 0;
	bpf_probe_read_kernel(&word, WORD_BYTES, (void *)addr);
	return word;
}

/* v5 to v7 of the patches: system calls are not counted, and not held back. */
static __always_inline bool driver_is_v6(void)
{
	return bpf_core_field_exists(struct optee_call_queue___v6, res_sys_thread_count);
}

/* v8: the first system call uses the reserve up, and the next is treated as a normal one. */
static __always_inline bool driver_is_single(void)
{
	return bpf_core_field_exists(struct optee_call_queue___single, res_thread_busy);
}

/*
 * The queue's own figures, as it has them now. Without the first of them there is
 * nothing to be stranded on; T is 0 then. Of v6 it is what is free for normal calls.
 */
static __always_inline s32 queue_free(u64 queue)
{
	if (bpf_core_field_exists(struct optee_call_queue___v6, free_normal_thread_count))
		return (u32)word_at(queue + bpf_core_field_offset(struct optee_call_queue___v6,
								  free_normal_thread_count));
	if (!bpf_core_field_exists(struct optee_call_queue, free_thread_count))
		return 0;
	return (u32)word_at(queue +
			    bpf_core_field_offset(struct optee_call_queue, free_thread_count));
}

static __always_inline s32 queue_sys_sessions(u64 queue)
{
	if (!bpf_core_field_exists(struct optee_call_queue, sys_thread_req_count))
		return 0;
	return (u32)word_at(queue +
			    bpf_core_field_offset(struct optee_call_queue, sys_thread_req_count));
}

/*
 * The reserve in force. The merged driver keeps one entry while there is any
 * system session, the patches before it one for each.
 */
static __always_inline s32 queue_reserved(u64 queue)
{
	if (driver_is_v6())
		return (u32)word_at(queue + bpf_core_field_offset(struct optee_call_queue___v6,
								  res_sys_thread_count));
	return queue_sys_sessions(queue) > 0;
}

/* So many of the threads that it counts as free the driver keeps from normal calls. */
static __always_inline s32 queue_keeps(u64 queue)
{
	if (driver_is_v6())
		return 0; /* those are not among them */
	if (driver_is_single() &&
	    (u8)word_at(queue +
			bpf_core_field_offset(struct optee_call_queue___single, res_thread_busy)))
		return 0;
	return queue_reserved(queue);
}

/* An admission policy decides, by a rule that is not known here. */
static __always_inline bool queue_has_policy(u64 queue)
{
	if (!bpf_core_field_exists(struct optee_call_queue___adm, adm.ops))
		return false;
	return word_at(queue + bpf_core_field_offset(struct optee_call_queue___adm, adm.ops));
}

static __noinline int policy_counts(struct policy_counts *to, struct optee_adm_counts___adm *from)
{
	if (!to)
		return 0;
	to->calls = BPF_CORE_READ(from, calls);
	to->enter = BPF_CORE_READ(from, enter);
	to->enter_reserved = BPF_CORE_READ(from, enter_reserved);
	to->wait_kept = BPF_CORE_READ(from, wait_kept);
	to->wait_rate = BPF_CORE_READ(from, wait_rate);
	to->waited = BPF_CORE_READ(from, waited);
	to->wait_ns = BPF_CORE_READ(from, wait_ns);
	to->wait_max_ns = BPF_CORE_READ(from, wait_max_ns);
	return 0;
}

/* The driver of kernel/: which policy it has, what that decided, what became of the last. */
static __always_inline void queue_policy(struct pool *p, struct optee_call_queue___adm *q)
{
	struct optee_admission_ops___adm *ops = BPF_CORE_READ(q, adm.ops);

	if (!ops ||
	    bpf_probe_read_kernel_str(p->policy.name, sizeof(p->policy.name), &ops->name) < 0)
		p->policy.name[0] = 0;
	p->policy.reserve_yes = BPF_CORE_READ(q, adm.stats.reserve_yes);
	p->policy.reserve_no = BPF_CORE_READ(q, adm.stats.reserve_no);
	policy_counts(&p->policy.counts[CLASS_NORMAL], &q->adm.stats.class[CLASS_NORMAL]);
	policy_counts(&p->policy.counts[CLASS_SYSTEM], &q->adm.stats.class[CLASS_SYSTEM]);
	bpf_probe_read_kernel_str(p->policy_left, sizeof(p->policy_left), &q->adm.left.name);
	p->policy_reason = BPF_CORE_READ(q, adm.left.exit.reason);
	p->policies_attached = BPF_CORE_READ(q, adm.attached);
	p->policies_ejected = BPF_CORE_READ(q, adm.ejected);
}

static __always_inline void queue_counters(struct pool *p, struct optee_call_queue *q)
{
	struct optee_call_queue___v6 *v6 = (void *)q;
	u32 flags = 0;

	if (bpf_core_field_exists(q->total_thread_count)) {
		p->driver_total = BPF_CORE_READ(q, total_thread_count);
		p->driver_free = queue_free((u64)q);
		flags |= DRIVER_COUNTS;
	}
	if (bpf_core_field_exists(q->sys_thread_req_count)) {
		p->driver_sys_sessions = BPF_CORE_READ(q, sys_thread_req_count);
		flags |= DRIVER_SYS_SESSIONS;
	}
	if (driver_is_v6()) {
		p->driver_reserved = BPF_CORE_READ(v6, res_sys_thread_count);
		flags |= DRIVER_RESERVED;
	}
	if (driver_is_single())
		flags |= DRIVER_SHARES_RESERVE;
	if (bpf_core_field_exists(struct optee_call_queue___adm, adm.ops)) {
		queue_policy(p, (void *)q);
		flags |= DRIVER_POLICIES;
	}
	p->driver_flags = flags;
}

static __always_inline bool waiter_is_done(u64 waiter)
{
	return (u32)word_at(waiter + bpf_core_field_offset(struct optee_call_waiter, c.done)) != 0;
}

/* Its task is in wait_for_completion(), and nobody has woken it: who wakes it takes it off. */
static __always_inline bool waiter_is_asleep(u64 waiter)
{
	u64 sleepers = waiter + bpf_core_field_offset(struct optee_call_waiter, c.wait.task_list);

	return word_at(sleepers) != sleepers && !waiter_is_done(waiter);
}

#define MUTEX_WAITERS 1ULL
#define MUTEX_FLAGS   7ULL

/* Who has the lock, with flags in the lowest bits; 0: nobody. PREEMPT_RT has it elsewhere. */
static __always_inline u64 mutex_word(u64 mutex)
{
	if (bpf_core_field_exists(struct mutex, owner))
		return word_at(mutex + bpf_core_field_offset(struct mutex, owner));
	if (bpf_core_field_exists(struct mutex___rt, rtmutex.owner))
		return word_at(mutex + bpf_core_field_offset(struct mutex___rt, rtmutex.owner));
	return MUTEX_FLAGS; /* somebody may have it */
}

/* Somebody has the queue's lock, or is about to. */
static __always_inline bool queue_is_locked(u64 queue)
{
	return mutex_word(queue + bpf_core_field_offset(struct optee_call_queue, mutex));
}

/* The lock of the argument cache, which came with 5.19. */
static __always_inline u64 argument_lock(struct optee *optee)
{
	return bpf_core_field_exists(optee->shm_arg_cache) ? (u64)&optee->shm_arg_cache.mutex : 0;
}

static __always_inline bool waiter_is_system(u64 waiter)
{
	return (u8)word_at(waiter + bpf_core_field_offset(struct optee_call_waiter, sys_thread));
}

static __always_inline u8 waiter_class(struct optee_call_waiter *w)
{
	if (!has_system_calls())
		return CLASS_NORMAL;
	return BPF_CORE_READ(w, sys_thread) ? CLASS_SYSTEM : CLASS_NORMAL;
}

static __always_inline bool session_is_system(struct optee_session *s)
{
	return bpf_core_field_exists(s->use_sys_thread) && BPF_CORE_READ(s, use_sys_thread);
}

/* By name: "optee-ffa-clnt". */
static __always_inline bool device_is_ffa(struct tee_device *dev)
{
	char name[8] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dev, desc, name));
	return name[5] == '-' && name[6] == 'f';
}

/* The device that the driver sends its FF-A messages to. 0: it is called by SMC. */
static __always_inline u64 device_ffa(struct tee_device *dev, struct optee *optee)
{
	if (!bpf_core_field_exists(optee->ffa.ffa_dev) || !device_is_ffa(dev))
		return 0;
	return (u64)BPF_CORE_READ(optee, ffa.ffa_dev);
}

/* By which the driver calls OP-TEE; 0: by the only one that it has. 5.16. */
static __always_inline u64 device_function(struct optee *optee)
{
	return bpf_core_field_exists(optee->ops) ?
		       (u64)BPF_CORE_READ(optee, ops, do_call_with_arg) :
		       0;
}

#endif
