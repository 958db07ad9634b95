/* SPDX-License-Identifier: GPL-2.0-only */
/* What the secure world asks Linux for in the middle of a call. */
#ifndef OPTEE_TOP_RPC_BPF_H
#define OPTEE_TOP_RPC_BPF_H

/* enum rpc_kind by OPTEE_RPC_CMD_*; a command without an entry is RPC_OTHER. */
#define RPC_CMDS 32
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
static __always_inline u8 rpc_command(struct call *c, struct arm_smccc_res *res)
{
	struct msg_head *rpc;
	u32 cmd = RPC_CMDS, params;

	if (pool_at(c->pool)->rpc_appended) {
		if (bpf_probe_read_kernel(&params, sizeof(params),
					  &((struct msg_head *)c->msg)->num_params))
			return RPC_OTHER;
		rpc = (void *)(c->msg + sizeof(*rpc) + params * sizeof(struct msg_param));
	} else {
		u64 a1 = BPF_CORE_READ(res, a1), a2 = BPF_CORE_READ(res, a2);

		rpc = BPF_CORE_READ((struct tee_shm *)(a1 << 32 | (u32)a2), kaddr);
	}
	bpf_probe_read_kernel(&cmd, sizeof(cmd), &rpc->cmd);
	if (cmd >= RPC_CMDS)
		return RPC_OTHER;
	if (cmd == OPTEE_RPC_CMD_NOTIFICATION)
		shared.requests[call_index(c) & (MAX_CALLS - 1)] = (u64)rpc;
	return rpc_cmd_kinds[cmd] ?: RPC_OTHER;
}

static __always_inline u8 rpc_kind(struct call *c, u64 a0, struct arm_smccc_res *res)
{
	switch (a0 & 0xffff) {
	case OPTEE_SMC_RPC_FOREIGN_INTR:
		return RPC_FOREIGN_INTR;
	case OPTEE_SMC_RPC_CMD:
		return c->msg ? rpc_command(c, res) : RPC_OTHER;
	case OPTEE_SMC_RPC_ALLOC:
		return RPC_ALLOC;
	case OPTEE_SMC_RPC_FREE:
		return RPC_FREE;
	}
	return RPC_OTHER;
}

#endif
