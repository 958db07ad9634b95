/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks themselves, which need the driver's structures: the end of optee_private.h.
 * Each is a load and a branch while no policy is attached.
 */
#ifndef ADMISSION_HOOKS_H
#define ADMISSION_HOOKS_H

/* Whose call it is, and what it asks for. */
static inline void optee_adm_describe(struct optee_call_waiter *w, struct tee_context *ctx,
				      struct tee_shm *shm, u32 offs)
{
	w->adm.ctx = ctx;
	w->adm.shm = shm;
	w->adm.offs = offs;
}

/* A call wants a thread. True: there is a policy, and w->waiting says what it decided. */
static inline bool optee_adm_arrive(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	return unlikely(cq->adm.ops) && __optee_adm_arrive(cq, w);
}

/* A waiter was woken. True: w->waiting says whether it still has to wait. */
static inline bool optee_adm_resume(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	return (w->granted || cq->adm.ops || !cq->total_thread_count) && __optee_adm_resume(cq, w);
}

/* OP-TEE had no thread for a call that was let in. True: try again. Without the mutex. */
static inline bool optee_adm_busy(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	return unlikely(READ_ONCE(cq->adm.ops)) && __optee_adm_busy(cq, w);
}

/* A call is done with its thread, which is counted as free already. */
static inline void optee_adm_leave(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	if (unlikely(w->seen))
		__optee_adm_leave(cq, w);
}

/* A thread or a reservation is free. True: there is a policy, and it is decided who gets it. */
static inline bool optee_adm_hand_over(struct optee_call_queue *cq)
{
	if (likely(!cq->adm.ops))
		return false;
	__optee_adm_hand_over(cq);
	return true;
}

/* May the session have a reservation? */
static inline bool optee_adm_reserve(struct optee_call_queue *cq, struct tee_context *ctx,
				     u32 session)
{
	return !cq->adm.ops || __optee_adm_reserve(cq, ctx, session);
}

#endif
