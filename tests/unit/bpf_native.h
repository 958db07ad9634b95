/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF sources of a call's life, compiled for this machine: the same files
 * that go into the kernel, on a kernel of a few variables. What they ask the
 * real one for (bpf/compat.bpf.h) is answered here.
 */
#ifndef OPTEE_TOP_BPF_NATIVE_H
#define OPTEE_TOP_BPF_NATIVE_H

#pragma GCC diagnostic ignored "-Wunused-parameter" /* of the callbacks of bpf_loop() */
#pragma GCC diagnostic ignored "-Wunused-function"  /* of bpf/probes.bpf.c only */

#include <stdbool.h>
#include <string.h>
#include "abi.h"
#include "optee_admission.h"

#undef __always_inline
#define __always_inline inline
#define __noinline      __attribute__((noinline))
#define SEC(name)
#define barrier_var(var)     asm volatile("" : "+r"(var))

/* Maps: one array, and two rings, told apart by the size of what goes in, that keep all. */
#define BPF_MAP_TYPE_ARRAY   2
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_F_MMAPABLE       1024
#define BPF_RB_NO_WAKEUP     1
#define __uint(name, value)  int(*name)[value]
#define __type(name, value)  typeof(value) *name

static struct session session_rows[SESSION_SLOTS];

/* What shadows have: NULL where the test has none. */
static struct shadow_state *native_state;
static struct shadow_rows *native_rows; /* of pool 0 */

static inline void *native_row(int map, u32 key)
{
	if (map == 0)
		return key < SESSION_SLOTS ? &session_rows[key] : NULL;
	return key ? NULL : map == 1 ? (void *)native_state : (void *)native_rows;
}

#define bpf_map_lookup_elem(map, key)                                                              \
	native_row(_Generic((map)->value, struct session * : 0, struct shadow_state * : 1,         \
			    struct shadow_rows * : 2),                                             \
		   *(key))

#define RING_ROOM 65536

static struct episode *ring;
static size_t ring_nr, ring_room = RING_ROOM;

static struct call_record *record_ring;
static size_t record_ring_nr, record_ring_room;

static inline void *bpf_ringbuf_reserve(void *map, u64 size, u64 flags)
{
	(void)map, (void)flags;
	if (size == sizeof(*record_ring))
		return record_ring_nr < record_ring_room ? &record_ring[record_ring_nr++] : NULL;
	return ring_nr < ring_room ? &ring[ring_nr++] : NULL;
}

static inline void bpf_ringbuf_submit(void *data, u64 flags)
{
	(void)data, (void)flags;
}

static inline long bpf_ringbuf_output(void *map, void *data, u64 size, u64 flags)
{
	void *place = bpf_ringbuf_reserve(map, size, flags);

	if (place)
		memcpy(place, data, size);
	return place ? 0 : -1;
}

static inline long bpf_loop(u32 n, long (*step)(u32 i, void *data), void *data, u64 flags)
{
	(void)flags;
	for (u32 i = 0; i < n; i++)
		if (step(i, data))
			return i + 1;
	return n;
}

/* The kernel's types, as far as they are read. */
struct list_head {
	struct list_head *next, *prev;
};

struct task_struct {
	int pid, tgid, static_prio, exit_state;
	void *stack;
	char comm[16];
	struct task_struct *group_leader;
	char rest[4672]; /* about as long as the real one: slots are found by its address */
} __attribute__((aligned(64)));

struct tee_desc {
	const char *name;
};
struct device {
	void *driver_data;
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
struct optee_rpc_param {
	u32 a0, a1, a2, a3;
};

/* What the call that enters hands to the secure world, as the tracepoint has it. */
static struct optee_rpc_param entering;
static __attribute__((unused)) u64 enter_ctx[1] = { (u64)&entering };
struct optee_call_queue {
	struct {
		void *owner;
	} mutex;
	struct list_head waiters;
	int total_thread_count, free_thread_count, sys_thread_req_count;
};
struct optee_call_waiter {
	struct list_head list_node;
	struct {
		unsigned int done;
		struct {
			struct list_head task_list;
		} wait;
	} c;
	bool sys_thread;
};
struct xa_node {
	unsigned char shift;
	void *slots[64];
};
struct idr {
	struct {
		void *xa_head;
	} idr_rt;
	unsigned int idr_base;
};
struct tee_param {
	struct {
		struct {
			u64 a;
		} value;
	} u;
};
struct swait_queue {
	struct task_struct *task;
	struct list_head task_list;
};
struct optee_supp_req {
	u32 func;
	struct tee_param *param;
	struct {
		struct {
			struct list_head task_list;
		} wait;
	} c;
};
struct optee_supp {
	struct list_head reqs;
	struct idr idr;
};
struct optee {
	struct tee_device *supp_teedev;
	struct tee_context *ctx;
	struct optee_call_queue call_queue;
	struct optee_supp supp;
	unsigned int rpc_param_count;
};
struct arm_smccc_res {
	unsigned long a0, a1, a2, a3;
};

#include "optee_msg_abi.h"

/* The task, the CPU and the time of this moment, of each thread: the test sets them. */
static __thread struct task_struct *current_task;
static __thread u32 current_cpu;
static __thread u64 current_ns;

static inline u32 bpf_get_smp_processor_id(void)
{
	return current_cpu;
}

static inline u64 bpf_get_current_task(void)
{
	return (u64)current_task;
}

static inline struct task_struct *bpf_get_current_task_btf(void)
{
	return current_task;
}

static inline u64 bpf_ktime_get_ns(void)
{
	return current_ns;
}

static inline long bpf_probe_read_kernel(void *dst, u32 size, const void *src)
{
	memcpy(dst, src, size);
	return 0;
}

static inline long bpf_probe_read_kernel_str(void *dst, u32 size, const void *src)
{
	strncpy(dst, src, size);
	return 0;
}

#define READ_1(p, a)                        ((p)->a)
#define READ_2(p, a, b)                     ((p)->a->b)
#define READ_PICK(_1, _2, name, ...)        name
#define BPF_CORE_READ(p, ...)               READ_PICK(__VA_ARGS__, READ_2, READ_1)(p, __VA_ARGS__)
#define BPF_CORE_READ_INTO(dst, p, ...)     memcpy(dst, &BPF_CORE_READ(p, __VA_ARGS__), sizeof(*(dst)))

#define bpf_core_field_offset(type, member) __builtin_offsetof(type, member)

#include "state.bpf.h"

static inline u64 word_at(u64 addr)
{
	return *(const u64 *)addr;
}

static inline s32 queue_free(u64 queue)
{
	return ((struct optee_call_queue *)queue)->free_thread_count;
}

static inline s32 queue_sys_sessions(u64 queue)
{
	return ((struct optee_call_queue *)queue)->sys_thread_req_count;
}

static inline s32 queue_reserved(u64 queue)
{
	return queue_sys_sessions(queue) > 0;
}

static bool policy_attached;

static inline bool queue_has_policy(u64 queue)
{
	(void)queue;
	return policy_attached;
}

static inline int device_sight(u64 device, u64 driver_data)
{
	(void)device, (void)driver_data;
	return SIGHT_FOLLOWED;
}

static inline bool waiter_is_done(u64 waiter)
{
	return ((struct optee_call_waiter *)waiter)->c.done != 0;
}

static inline bool waiter_is_asleep(u64 waiter)
{
	struct optee_call_waiter *w = (struct optee_call_waiter *)waiter;

	return w->c.wait.task_list.next != &w->c.wait.task_list && !w->c.done;
}

static inline bool queue_is_locked(u64 queue)
{
	return ((struct optee_call_queue *)queue)->mutex.owner;
}

static inline bool waiter_is_system(u64 waiter)
{
	return ((struct optee_call_waiter *)waiter)->sys_thread;
}

static inline s32 queue_total(struct optee_call_queue *q)
{
	return q->total_thread_count;
}

static inline bool has_system_calls(void)
{
	return true;
}

static inline void msg_start(u64 msg, struct msg_head *head)
{
	*head = *(struct msg_head *)msg;
}

static inline u32 msg_ret(u64 msg)
{
	return ((struct msg_head *)msg)->ret;
}

static inline struct tee_context *driver_context(struct optee *optee)
{
	return optee->ctx;
}

static inline u32 msg_session(u64 msg)
{
	return ((struct msg_head *)msg)->session;
}

#include "queue.bpf.h"
#include "session.bpf.h"
/* What is set once before loading, a test sets as it goes. */
#define const
#include "condition.bpf.h"
#include "pool.bpf.h"
#include "record.bpf.h"
/* The callbacks of a policy: the test's own. */
struct native_policy {
	void (*reserve)(struct optee_adm_asked *a), (*admit)(struct optee_adm_asked *a);
	void (*rank)(struct optee_adm_asked *a), (*enter)(struct optee_adm_asked *a);
	void (*leave)(struct optee_adm_asked *a);
};
static struct native_policy native_policies[MAX_SHADOWS];
#define SHADOW_STUB(n, callback)                                                                   \
	static inline void shadow_##n##_##callback(struct optee_adm_asked *a)                      \
	{                                                                                          \
		native_policies[n].callback(a);                                                    \
	}
#include "shadow_stubs.bpf.h"
#include "shadow_state.bpf.h"
#include "shadow.bpf.h"
#undef const
#include "account.bpf.h"
#include "call.bpf.h"
#include "supplicant.bpf.h"

#endif
