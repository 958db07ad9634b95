// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks: where the kernel calls us, and whom each of them calls. The fentry
 * and the kprobe twin of a hook call the same and differ in how they read their
 * arguments. src/probe/hooks.c has the table that picks one.
 *
 * No kprobe is a return hook of a function that sleeps for long: that would run
 * out of instances exactly when there is contention. The one of FF-A is around
 * the secure world alone.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "machine.bpf.h"
#include <bpf/bpf_tracing.h>
#include "optee_types.h"
#include "abi.h"
#include "state.bpf.h"
#include "compat.bpf.h"
#include "queue.bpf.h"
#include "session.bpf.h"
#include "condition.bpf.h"
#include "pool.bpf.h"
#include "argument_state.bpf.h"
#include "record.bpf.h"
#include "account.bpf.h"
#include "shadow_stubs.bpf.h"
#include "shadow_state.bpf.h"
#include "shadow.bpf.h"
#include "scmi.bpf.h"
#include "rpc.bpf.h"
#include "call.bpf.h"
#include "ffa.bpf.h"
#include "argument.bpf.h"
#include "supplicant.bpf.h"
#include "lock.bpf.h"
#include "sight.bpf.h"
#include "inspect.bpf.h"
#include "context.bpf.h"
#include "everywhere.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * A call begins. call_begin() by halves: the arguments that only the second
 * needs are read after the first, which saves the spills. Before 6.8 there is
 * no fourth one, and the verifier would refuse to load it.
 */
static __always_inline int begins(volatile u64 *ctx)
{
	struct tee_context *tee = (void *)ctx[0];
	struct call *c = call_start((u64)tee->teedev);
	struct tee_shm *shm;

	if (!c)
		return 0;
	shm = (void *)ctx[1];
	call_describe(c, (void *)ctx[0], (u64)shm->kaddr + (u32)ctx[2],
		      has_system_calls() ? ctx[3] & 1 : CLASS_NORMAL);
	return 0;
}

SEC_TYPED("fentry/optee_smc_do_call_with_arg")
int fentry__do_call_with_arg(volatile u64 *ctx)
{
	return begins(ctx);
}

SEC_TYPED("fentry/optee_ffa_do_call_with_arg")
int fentry__ffa_do_call_with_arg(volatile u64 *ctx)
{
	return begins(ctx);
}

static __always_inline int kprobe_begins(struct tee_context *tee, struct tee_shm *shm, u32 offs,
					 u64 system)
{
	call_begin(tee, (u64)BPF_CORE_READ(tee, teedev), (u64)BPF_CORE_READ(shm, kaddr) + offs,
		   has_system_calls() ? system & 1 : CLASS_NORMAL);
	return 0;
}

SEC("kprobe/optee_smc_do_call_with_arg")
int BPF_KPROBE(kprobe__do_call_with_arg, struct tee_context *tee, struct tee_shm *shm, u32 offs,
	       u64 system)
{
	return kprobe_begins(tee, shm, offs, system);
}

SEC("kprobe/optee_ffa_do_call_with_arg")
int BPF_KPROBE(kprobe__ffa_do_call_with_arg, struct tee_context *tee, struct tee_shm *shm, u32 offs,
	       u64 system)
{
	return kprobe_begins(tee, shm, offs, system);
}

/* A task begins to wait for some lock of the kernel, or has it at last. */
SEC_TYPED("tp_btf/contention_begin")
int tp_btf__contention_begin(u64 *ctx)
{
	lock_contended(ctx[0], ctx);
	return 0;
}

SEC("raw_tp/contention_begin")
int raw_tp__contention_begin(u64 *ctx)
{
	lock_contended(ctx[0], ctx);
	return 0;
}

SEC_TYPED("tp_btf/contention_end")
int tp_btf__contention_end(u64 *ctx)
{
	lock_taken(ctx[0]);
	return 0;
}

SEC("raw_tp/contention_end")
int raw_tp__contention_end(u64 *ctx)
{
	lock_taken(ctx[0]);
	return 0;
}

/* It is about to sleep. */
SEC_TYPED("fentry/optee_cq_wait_for_completion")
int BPF_PROG(fentry__cq_wait_for_completion, struct optee_call_queue *q,
	     struct optee_call_waiter *w)
{
	call_wait((u64)w);
	return 0;
}

SEC("kprobe/optee_cq_wait_for_completion")
int BPF_KPROBE(kprobe__cq_wait_for_completion, struct optee_call_queue *q,
	       struct optee_call_waiter *w)
{
	call_wait((u64)w);
	return 0;
}

/*
 * Where that is a part of its caller, or may be, the kernel's own function is left: any task
 * may come here, but while a call is queued its task waits for nothing else.
 */
static __always_inline void waits_for(u64 completion)
{
	call_wait(completion - bpf_core_field_offset(struct optee_call_waiter, c));
}

SEC_TYPED("fentry/wait_for_completion")
int BPF_PROG(fentry__wait_for_completion, struct completion *c)
{
	waits_for(address_of(c));
	return 0;
}

SEC("kprobe/wait_for_completion")
int BPF_KPROBE(kprobe__wait_for_completion, struct completion *c)
{
	waits_for((u64)c);
	return 0;
}

/* The same, of a driver that has trace events of its queue: its lock is held. */
SEC_TYPED("tp_btf/optee_cq_wait_begin")
int BPF_PROG(tp_btf__cq_wait_begin, struct optee_call_queue *q, struct optee_call_waiter *w)
{
	call_wait((u64)w);
	return 0;
}

SEC("raw_tp/optee_cq_wait_begin")
int BPF_PROG(raw_tp__cq_wait_begin, struct optee_call_queue *q, struct optee_call_waiter *w)
{
	call_wait((u64)w);
	return 0;
}

/* It enters and leaves the secure world. */
SEC_TYPED("tp_btf/optee_invoke_fn_begin")
int BPF_PROG(tp_btf__invoke_fn_begin)
{
	call_enter(ctx);
	return 0;
}

SEC("raw_tp/optee_invoke_fn_begin")
int BPF_PROG(raw_tp__invoke_fn_begin)
{
	call_enter(ctx);
	return 0;
}

SEC_TYPED("tp_btf/optee_invoke_fn_end")
int BPF_PROG(tp_btf__invoke_fn_end, struct optee_rpc_param *param, struct arm_smccc_res *res)
{
	if (res) /* a tracepoint's argument may be NULL, for all the verifier knows */
		call_exit(res->a0, res);
	return 0;
}

SEC("raw_tp/optee_invoke_fn_end")
int BPF_PROG(raw_tp__invoke_fn_end, struct optee_rpc_param *param, struct arm_smccc_res *res)
{
	call_exit(BPF_CORE_READ(res, a0), res);
	return 0;
}

/* The same by FF-A. */
SEC_TYPED("fentry/ffa_sync_send_receive")
int BPF_PROG(fentry__ffa_sync_send_receive, struct ffa_device *device,
	     struct ffa_send_direct_data *data)
{
	ffa_sends((u64)device, data->data0);
	return 0;
}

SEC("kprobe/ffa_sync_send_receive")
int BPF_KPROBE(kprobe__ffa_sync_send_receive, struct ffa_device *device,
	       struct ffa_send_direct_data *data)
{
	kprobe_ffa_sends((u64)device, data);
	return 0;
}

SEC_TYPED("fexit/ffa_sync_send_receive")
int BPF_PROG(fexit__ffa_sync_send_receive, struct ffa_device *device,
	     struct ffa_send_direct_data *data, int err)
{
	ffa_answered(call_find(bpf_get_current_task()), err, data->data0, data->data1);
	return 0;
}

SEC("kretprobe/ffa_sync_send_receive")
int BPF_KRETPROBE(kretprobe__ffa_sync_send_receive, int err)
{
	kretprobe_ffa_answered(err);
	return 0;
}

/*
 * It ends. optee_cq_complete_one() is called under the queue's lock, when the
 * thread is free again and before anybody is woken: there the whole queue can
 * be judged. Where the compiler has inlined it, optee_cq_wait_final() gives the
 * end of a call, and nothing tells whom the wake reaches.
 */
SEC_TYPED("fentry/optee_cq_complete_one")
int BPF_PROG(fentry__cq_complete_one, struct optee_call_queue *q)
{
	call_ends_and_wakes((u64)q);
	return 0;
}

SEC("kprobe/optee_cq_complete_one")
int BPF_KPROBE(kprobe__cq_complete_one, struct optee_call_queue *q)
{
	call_ends_and_wakes((u64)q);
	return 0;
}

SEC_TYPED("fentry/optee_cq_wait_final")
int BPF_PROG(fentry__cq_wait_final)
{
	call_end(bpf_ktime_get_ns());
	return 0;
}

SEC("kprobe/optee_cq_wait_final")
int BPF_KPROBE(kprobe__cq_wait_final)
{
	call_end(bpf_ktime_get_ns());
	return 0;
}

/*
 * Where the queue has trace events, these do: one at the end of each call, at the same moment
 * as optee_cq_complete_one(), and one for each wake.
 */
SEC_TYPED("tp_btf/optee_cq_release")
int BPF_PROG(tp_btf__cq_release, struct optee_call_queue *q)
{
	call_ends_and_wakes((u64)q);
	return 0;
}

SEC("raw_tp/optee_cq_release")
int BPF_PROG(raw_tp__cq_release, struct optee_call_queue *q)
{
	call_ends_and_wakes((u64)q);
	return 0;
}

SEC_TYPED("tp_btf/optee_cq_wake")
int BPF_PROG(tp_btf__cq_wake, struct optee_call_queue *q, struct optee_call_waiter *w)
{
	call_woken(address_of(w));
	return 0;
}

SEC("raw_tp/optee_cq_wake")
int BPF_PROG(raw_tp__cq_wake, struct optee_call_queue *q, struct optee_call_waiter *w)
{
	call_woken((u64)w);
	return 0;
}

/*
 * A transfer of SCMI begins, and ends: with OP-TEE as its transport it has made a call then.
 * Only these arguments are the same in all kernels.
 */
SEC_TYPED("tp_btf/scmi_xfer_begin")
int BPF_PROG(tp_btf__scmi_xfer_begin)
{
	scmi_begins();
	return 0;
}

SEC("raw_tp/scmi_xfer_begin")
int BPF_PROG(raw_tp__scmi_xfer_begin)
{
	scmi_begins();
	return 0;
}

SEC_TYPED("tp_btf/scmi_xfer_end")
int BPF_PROG(tp_btf__scmi_xfer_end, int id, u8 message, u8 protocol, u16 seq, int status)
{
	scmi_ends(protocol, message, status);
	return 0;
}

SEC("raw_tp/scmi_xfer_end")
int BPF_PROG(raw_tp__scmi_xfer_end, int id, u8 message, u8 protocol, u16 seq, int status)
{
	scmi_ends(protocol, message, status);
	return 0;
}

/* A session has become a system session: there may be a reserve now. */
SEC_TYPED("fexit/optee_system_session")
int BPF_PROG(fexit__system_session, struct tee_context *tee, u32 session, int ret)
{
	u32 pool = pool_find((u64)tee->teedev);

	if (pool < MAX_POOLS) {
		pool_reserve(pool, bpf_ktime_get_ns());
		if (!ret)
			session_made_system(pool, session);
	}
	return 0;
}

/* It asks to become one; only with shadows, which are asked here what they would say. */
SEC("kprobe/optee_system_session")
int BPF_KPROBE(kprobe__system_session, struct tee_context *tee, u32 session)
{
	u32 pool = pool_find((u64)BPF_CORE_READ(tee, teedev));

	if (has_shadows() && pool < MAX_POOLS && session_asks(tee, session, pool))
		shadow_asks(tee, session, pool);
	return 0;
}

/* tee-supplicant: who asks it, and which of its threads answers. */
SEC_TYPED("fentry/optee_supp_thrd_req")
int BPF_PROG(fentry__supp_thrd_req, struct tee_context *tee, u32 func, size_t num_params,
	     struct tee_param *param)
{
	supplicant_asked((u64)param);
	return 0;
}

SEC("kprobe/optee_supp_thrd_req")
int BPF_KPROBE(kprobe__supp_thrd_req, struct tee_context *tee, u32 func, size_t num_params,
	       struct tee_param *param)
{
	supplicant_asked((u64)param);
	return 0;
}

/*
 * At its return, for only there is it known which request was taken. It sleeps,
 * but there are few threads that do, and fexit has no limit to them.
 */
SEC_TYPED("fexit/optee_supp_recv")
int BPF_PROG(fexit__supp_recv, struct tee_context *tee, u32 *func, u32 *num_params,
	     struct tee_param *param, int ret)
{
	if (!ret)
		supplicant_took(tee, param);
	return 0;
}

SEC("kprobe/optee_supp_recv")
int BPF_KPROBE(kprobe__supp_recv)
{
	u32 tid, tgid;

	task_ids(&tid, &tgid);
	(void)supplicant_found(bpf_get_current_task(), tid);
	return 0;
}
