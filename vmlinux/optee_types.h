/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TEE core's and the OP-TEE driver's private types, as far as the probes
 * read them. They are in the BTF of tee.ko and optee.ko only, never in
 * vmlinux.h. Only member names and types count: CO-RE finds the offsets in the
 * running kernel, so members that are not read are left out and the order does
 * not matter. A member that some kernel lacks is guarded where it is read
 * (bpf/compat.bpf.h).
 */
#ifndef OPTEE_TYPES_H
#define OPTEE_TYPES_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct tee_desc {
	const char *name;
};

struct tee_device {
	const struct tee_desc *desc;
	int id;
	struct device dev;
};

struct tee_context {
	struct tee_device *teedev;
	void *data;
	bool supp_nowait;
};

struct tee_shm {
	void *kaddr;
};

struct optee_call_queue {
	struct list_head waiters;
	int total_thread_count;		/* 6.8 */
	int free_thread_count;		/* 6.8 */
	int sys_thread_req_count;	/* 6.8 */
};

/* The fields of the first system-thread patches (v5 to v7), never merged. */
struct optee_call_queue___v6 {
	int res_sys_thread_count;
};

struct optee_call_waiter {
	struct list_head list_node;
	struct completion c;
	bool sys_thread;		/* 6.8 */
};

struct optee {
	struct optee_call_queue call_queue;
	unsigned int rpc_param_count;
};

struct optee_session {
	struct list_head list_node;
	u32 session_id;
	bool use_sys_thread;		/* 6.8 */
};

struct optee_context_data {
	struct list_head sess_list;
};

struct optee_rpc_param {
	u32 a0, a1, a2, a3;
};

#pragma clang attribute pop

/*
 * A message is an ABI between two worlds: its layout is fixed
 * (drivers/tee/optee/optee_msg.h), so it is read without relocation.
 */
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

/* Of open_session: the first parameter is the TA's UUID, the second the client's UUID and login. */
struct msg_open {
	struct msg_head head;
	struct msg_param ta;
	struct msg_param client;
};

#define OPTEE_MSG_CMD_LAST	7

#define OPTEE_SMC_RETURN_ETHREAD_LIMIT	1
#define OPTEE_SMC_RPC_ALLOC		0
#define OPTEE_SMC_RPC_FREE		2
#define OPTEE_SMC_RPC_FOREIGN_INTR	4
#define OPTEE_SMC_RPC_CMD		5

#define OPTEE_RPC_CMD_LOAD_TA		0
#define OPTEE_RPC_CMD_RPMB		1
#define OPTEE_RPC_CMD_FS		2
#define OPTEE_RPC_CMD_GET_TIME		3
#define OPTEE_RPC_CMD_NOTIFICATION	4
#define OPTEE_RPC_CMD_SUSPEND		5
#define OPTEE_RPC_CMD_SHM_ALLOC		6
#define OPTEE_RPC_CMD_SHM_FREE		7
#define OPTEE_RPC_CMD_SOCKET		10
#define OPTEE_RPC_CMD_PLUGIN		12
#define OPTEE_RPC_CMD_I2C		21
#define OPTEE_RPC_CMD_RPMB_PROBE_RESET	22
#define OPTEE_RPC_CMD_RPMB_PROBE_NEXT	23
#define OPTEE_RPC_CMD_RPMB_FRAMES	24

#endif
