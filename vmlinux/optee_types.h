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
	struct idr idr; /* of memory that user space has made */
};

struct tee_context {
	struct tee_device *teedev;
	void *data;
	struct kref refcount;
	bool supp_nowait;
};

struct tee_shm {
	struct tee_context *ctx;
	void *kaddr;
	size_t size;
};

struct optee_call_queue {
	struct mutex mutex;
	struct list_head waiters;
	int total_thread_count;   /* 6.8 */
	int free_thread_count;    /* 6.8 */
	int sys_thread_req_count; /* 6.8 */
};

/* The fields of the first system-thread patches (v5 to v7), never merged. */
struct optee_call_queue___v6 {
	int free_normal_thread_count; /* what is neither in reserve nor used by a normal call */
	int res_sys_thread_count;
};

/* With one entry in reserve that a system call uses up (v8 of those patches; upstream/7.3/rfc). */
struct optee_call_queue___single {
	bool res_thread_busy;
};

/* With the hook for admission policies (kernel/). */
struct optee_admission_ops___adm {
	char name[16];
};

struct optee_adm_counts___adm {
	u64 calls, waited, wait_ns, wait_max_ns;
	u64 enter, enter_reserved, wait_kept, wait_rate;
};

struct optee_adm_stats___adm {
	u64 reserve_yes, reserve_no;
	struct optee_adm_counts___adm class[2]; /* as enum call_class */
};

struct optee_adm_exit___adm {
	u32 reason;
};

struct optee_adm_left___adm {
	char name[16];
	struct optee_adm_exit___adm exit;
};

struct optee_adm_queue___adm {
	struct optee_admission_ops___adm *ops;
	struct optee_adm_stats___adm stats;
	u64 attached, ejected;
	struct optee_adm_left___adm left;
};

struct optee_call_queue___adm {
	struct optee_adm_queue___adm adm;
};

/* A mutex of PREEMPT_RT. */
struct mutex___rt {
	struct {
		void *owner;
	} rtmutex;
};

struct optee_call_waiter {
	struct list_head list_node;
	struct completion c;
	bool sys_thread; /* 6.8 */
};

struct tee_param {
	union {
		struct {
			u64 a;
		} value;
	} u;
};

struct optee_supp_req {
	u32 func;
	struct tee_param *param;
	struct completion c;
};

struct optee_supp {
	struct tee_context *ctx;
	struct list_head reqs;
	struct idr idr;
};

/* OP-TEE's threads that wait for each other, or for an event; 5.17. */
struct optee_notif {
	unsigned int max_key;
	struct list_head db;
};

struct notif_entry {
	struct list_head link;
	struct completion c;
	unsigned int key;
};

struct optee_smc {
	u32 sec_caps;
};

/* Of a device that is called by FF-A; 5.16. */
struct optee_ffa {
	void *ffa_dev;
	u32 bottom_half_value; /* 6.7; ~0: OP-TEE sends no notifications */
};

struct ffa_device;

/* An FF-A message, and in its place the answer. */
struct ffa_send_direct_data {
	unsigned long data0, data1, data2, data3;
};

/* The messages of all calls; 5.19. */
struct optee_shm_arg_cache {
	struct list_head shm_args;
	struct mutex mutex;
};

struct optee_shm_arg_entry {
	struct list_head list_node;
	struct tee_shm *shm;
};

struct optee_ops {
	void *do_call_with_arg;
};

struct optee {
	struct tee_device *supp_teedev;
	struct tee_device *teedev;
	struct tee_context *ctx;     /* 5.17 */
	const struct optee_ops *ops; /* 5.16 */
	struct optee_call_queue call_queue;
	struct optee_smc smc;                     /* 5.16, */
	struct optee_ffa ffa;                     /* or, in the same place, this */
	struct optee_shm_arg_cache shm_arg_cache; /* 5.19 */
	struct optee_notif notif;                 /* 5.17 */
	struct optee_supp supp;
	unsigned int rpc_param_count;
};

struct optee_session {
	struct list_head list_node;
	u32 session_id;
	bool use_sys_thread; /* 6.8 */
};

struct optee_context_data {
	struct list_head sess_list;
};

struct optee_rpc_param {
	u32 a0, a1, a2, a3;
};

#pragma clang attribute pop

#include "optee_msg_abi.h"

#endif
