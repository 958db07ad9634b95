/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls by FF-A, told as if they were SMCs: what is sent is the entry into the secure world, what
 * is answered the way back. The function that does both serves other calls and other secure
 * partitions, too: ours are known by the device, and by the bit that all yielding calls have.
 */
#ifndef OPTEE_TOP_FFA_BPF_H
#define OPTEE_TOP_FFA_BPF_H

/* The call that a message is of, by the message's first word. NULL: it is of none. */
static __always_inline struct call *ffa_call(u64 device, u32 first)
{
	struct call *c = NULL;

	if (first & OPTEE_FFA_YIELDING_CALL)
		c = call_find(bpf_get_current_task());
	return c && pool_at(c->pool)->ffa == device ? c : NULL;
}

/* Linux sends a message. */
static __always_inline void ffa_sends(u64 device, u32 first)
{
	struct call *c = ffa_call(device, first);

	if (c)
		call_goes_in(c, NULL);
}

/* A kretprobe has no arguments: of calls in the secure world, where their messages are. */
static u64 ffa_messages[MAX_CALLS];

static __always_inline void kprobe_ffa_sends(u64 device, struct ffa_send_direct_data *data)
{
	struct call *c = ffa_call(device, BPF_CORE_READ(data, data0));

	if (!c)
		return;
	ffa_messages[call_index(c) & (MAX_CALLS - 1)] = (u64)data;
	call_goes_in(c, NULL);
}

#define OPTEE_SMC_RPC_UNKNOWN 1 /* no function of the SMC ABI: the driver goes on with it */

/* What OP-TEE would have returned to an SMC. The driver ends a call that has failed. */
static __always_inline u64 ffa_as_smc(s64 err, u32 result, u32 what)
{
	if (err || result != TEEC_SUCCESS)
		return !err && result == TEEC_ERROR_BUSY ? OPTEE_SMC_RETURN_ETHREAD_LIMIT : 0;
	switch (what) {
	case OPTEE_FFA_RETURN_DONE:
		return 0;
	case OPTEE_FFA_RETURN_RPC_CMD:
		return RPC_PREFIX | OPTEE_SMC_RPC_CMD;
	case OPTEE_FFA_RETURN_INTERRUPT:
		return RPC_PREFIX | OPTEE_SMC_RPC_FOREIGN_INTR;
	}
	return RPC_PREFIX | OPTEE_SMC_RPC_UNKNOWN;
}

/*
 * The answer is there, in place of the message. Of a call that we have not seen enter nothing tells
 * whether it is one: it may be any other message.
 */
static __always_inline void ffa_answered(struct call *c, s64 err, u32 result, u32 what)
{
	if (c && c->phase == PHASE_SECURE)
		call_comes_out(c, ffa_as_smc(err, result, what), NULL);
}

static __always_inline void kretprobe_ffa_answered(s64 err)
{
	struct call *c = call_find(bpf_get_current_task());
	struct ffa_send_direct_data *data;

	if (!c || c->phase != PHASE_SECURE)
		return;
	data = (void *)ffa_messages[call_index(c) & (MAX_CALLS - 1)];
	ffa_answered(c, err, BPF_CORE_READ(data, data0), BPF_CORE_READ(data, data1));
}

#endif
