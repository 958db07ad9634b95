/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver knows of admission policies: the hooks in its path, which cost a load
 * and a branch while no policy is attached, and what they keep in its structures.
 *
 * Under cq->mutex, and no lock of ours is taken inside it: ops and everything that
 * struct optee_adm_queue and struct optee_adm_waiter hold, unless it says otherwise.
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/workqueue.h>
#include "optee_admission.h"

struct optee_call_queue;
struct optee_call_waiter;
struct optee_adm_client;
struct optee_adm_session;
struct optee_adm_ta;
struct tee_context;
struct tee_shm;

#define OPTEE_ADM_SESSION_BUCKETS 64

/* A call: a part of its struct optee_call_waiter. */
struct optee_adm_waiter {
	/* what the ABI says before optee_cq_wait_init(); no context: the driver's own call */
	struct tee_context *ctx;
	struct tee_shm *shm;
	u32 offs;

	/* valid while waiter.seen */
	struct list_head node; /* in waiting or in busy, else empty */
	u64 rank;
	bool ranked;
	bool counted; /* in the stats */
	u64 arrived_ns, entered_ns;
	u64 leaves; /* the queue's when it last was let in, or told BUSY */
	struct optee_adm_client *client;
	struct optee_adm_session *session;
	struct optee_adm_ta *ta;
	struct optee_adm_call call;
};

enum optee_adm_class { OPTEE_ADM_NORM, OPTEE_ADM_SYSTEM, OPTEE_ADM_CLASSES };

/* Since the policy came. */
struct optee_adm_stats {
	u64 passes, busy, reserve_yes, reserve_no;
	struct optee_adm_counts class[OPTEE_ADM_CLASSES];
};

/* The policy that was there last, and why it is not any more. */
struct optee_adm_left {
	char name[OPTEE_ADM_NAME]; /* "": there was none */
	struct optee_adm_exit exit;
};

/* A part of struct optee_call_queue. */
struct optee_adm_queue {
	const struct optee_admission_ops *ops; /* NULL: no policy */
	struct list_head queues;               /* under adm.lock */
	struct list_head waiting;              /* by rank and seq */
	struct list_head busy;                 /* let in, and OP-TEE had no thread */
	struct delayed_work tick;              /* the watchdog, and retry_ns; adm_watch.c */

	u32 norm_in_flight, resv_in_flight, sys_in_flight;
	u32 sys_waiting, norm_waiting;
	u64 seq, newest_entered, leaves;
	u64 now_ns;     /* of the event that is being worked on */
	u64 since_ns;   /* when the policy came */
	u64 retry_ns;   /* when it wants to be asked again; U64_MAX: not */
	u64 due_ns;     /* when tick is; U64_MAX: it is not */
	u64 ticked_ns;  /* the last pass by the clock */
	bool exhausted; /* threads are not counted, and OP-TEE had none beside these: */
	u32 limit;
	u32 pass;                        /* number of the pass through waiting */
	struct optee_adm_waiter *resume; /* where the last one stopped; NULL: it was all through */
	bool again;                      /* something has changed since it began */
	u64 priv[4];
	struct optee_adm_stats stats;

	/* since the device came */
	u64 attached, ejected; /* policies */
	struct optee_adm_left left;

	/* kept whether there is a policy or not: adm_ids.c */
	struct hlist_head clients, tas;
	struct hlist_head sessions[OPTEE_ADM_SESSION_BUCKETS];
};

#ifdef CONFIG_BPF_JIT
int optee_adm_register(void);
void optee_adm_unregister(void);
void optee_adm_init(struct optee_call_queue *cq);
void optee_adm_uninit(struct optee_call_queue *cq);

struct optee_adm_client *optee_adm_client_open(struct optee_call_queue *cq);
void optee_adm_client_close(struct optee_adm_client *client);
void optee_adm_session_open(struct optee_call_queue *cq, u32 session, const u8 *uuid);
void optee_adm_session_closing(struct optee_call_queue *cq, u32 session);
void optee_adm_session_closed(struct optee_call_queue *cq, u32 session);

bool __optee_adm_arrive(struct optee_call_queue *cq, struct optee_call_waiter *w);
bool __optee_adm_resume(struct optee_call_queue *cq, struct optee_call_waiter *w);
bool __optee_adm_busy(struct optee_call_queue *cq, struct optee_call_waiter *w);
void __optee_adm_leave(struct optee_call_queue *cq, struct optee_call_waiter *w);
bool __optee_adm_reserve(struct optee_call_queue *cq, struct tee_context *ctx, u32 session);
void __optee_adm_hand_over(struct optee_call_queue *cq);
#else
static inline int optee_adm_register(void)
{
	return 0;
}
static inline void optee_adm_unregister(void)
{
}
static inline void optee_adm_init(struct optee_call_queue *cq)
{
}
static inline void optee_adm_uninit(struct optee_call_queue *cq)
{
}
static inline struct optee_adm_client *optee_adm_client_open(struct optee_call_queue *cq)
{
	return NULL;
}
static inline void optee_adm_client_close(struct optee_adm_client *client)
{
}
static inline void optee_adm_session_open(struct optee_call_queue *cq, u32 session, const u8 *uuid)
{
}
static inline void optee_adm_session_closing(struct optee_call_queue *cq, u32 session)
{
}
static inline void optee_adm_session_closed(struct optee_call_queue *cq, u32 session)
{
}
static inline bool __optee_adm_arrive(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	return false;
}
static inline bool __optee_adm_resume(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	return false;
}
static inline bool __optee_adm_busy(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	return false;
}
static inline void __optee_adm_leave(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
}
static inline bool __optee_adm_reserve(struct optee_call_queue *cq, struct tee_context *ctx,
				       u32 session)
{
	return true;
}
static inline void __optee_adm_hand_over(struct optee_call_queue *cq)
{
}
#endif

#endif
