/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages between Linux and OP-TEE: an ABI between two worlds, so its
 * layout is fixed (drivers/tee/optee: optee_msg.h, optee_smc.h, optee_ffa.h,
 * optee_rpc_cmd.h) and is read without relocation. Needs u32 and u64.
 */
#ifndef OPTEE_MSG_ABI_H
#define OPTEE_MSG_ABI_H

struct msg_head {
	u32 cmd;
	u32 func;
	u32 session;
	u32 cancel_id;
	u32 pad;
	u32 ret;
	u32 ret_origin;
	u32 num_params;
};

struct msg_param {
	u64 attr;
	u8 octets[24];
};

/* What a thread of OP-TEE waits for, or wakes. */
struct msg_notification {
	struct msg_head head;
	u64 attr;
	u64 what, number, limit_ms; /* 0: no limit */
};

/* Of open_session: the first parameter is the TA's UUID, the second the client's UUID and login. */
struct msg_open {
	struct msg_head head;
	struct msg_param ta;
	struct msg_param client;
};

#define OPTEE_MSG_CMD_LAST             7

#define OPTEE_SMC_CALL_WITH_REGD_ARG   0x32000013 /* a1:a2 a struct tee_shm, a3 an offset */
#define OPTEE_SMC_RETURN_ETHREAD_LIMIT 1
#define OPTEE_SMC_RPC_ALLOC            0
#define OPTEE_SMC_RPC_FREE             2
#define OPTEE_SMC_RPC_FOREIGN_INTR     4
#define OPTEE_SMC_RPC_CMD              5

#define OPTEE_SMC_SEC_CAP_ASYNC_NOTIF  (1U << 5)

#define OPTEE_FFA_YIELDING_CALL        (1U << 31) /* of the first word: other calls need no thread */
#define OPTEE_FFA_RETURN_DONE          0
#define OPTEE_FFA_RETURN_RPC_CMD       1
#define OPTEE_FFA_RETURN_INTERRUPT     2

#define TEEC_SUCCESS                   0
#define TEEC_ERROR_BUSY                0xffff000d

#define OPTEE_RPC_NOTIFICATION_WAIT    0

#define OPTEE_RPC_CMD_LOAD_TA          0
#define OPTEE_RPC_CMD_RPMB             1
#define OPTEE_RPC_CMD_FS               2
#define OPTEE_RPC_CMD_GET_TIME         3
#define OPTEE_RPC_CMD_NOTIFICATION     4
#define OPTEE_RPC_CMD_SUSPEND          5
#define OPTEE_RPC_CMD_SHM_ALLOC        6
#define OPTEE_RPC_CMD_SHM_FREE         7
#define OPTEE_RPC_CMD_SOCKET           10
#define OPTEE_RPC_CMD_PLUGIN           12
#define OPTEE_RPC_CMD_I2C              21
#define OPTEE_RPC_CMD_RPMB_PROBE_RESET 22
#define OPTEE_RPC_CMD_RPMB_PROBE_NEXT  23
#define OPTEE_RPC_CMD_RPMB_FRAMES      24

#endif
