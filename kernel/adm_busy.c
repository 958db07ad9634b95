// SPDX-License-Identifier: GPL-2.0-only
/*
 * OP-TEE had no thread for a call that was let in. Where Linux counts the threads that is
 * an anomaly: somebody else calls OP-TEE, too. Where it cannot (FF-A) it is how one learns
 * that there are no more, and the call goes back to the queue.
 */
#include "adm.h"

/* Counted threads: it keeps its own, for somebody else has one that was not counted. */
static void wait_busy_counted(struct optee_adm_queue *q, struct optee_call_waiter *w)
{
	struct optee_call_queue *cq = adm_cq(q);

	list_add_tail(&w->adm.node, &q->busy);
	mutex_unlock(&cq->mutex);
	wait_for_completion_timeout(&w->c, msecs_to_jiffies(ADM_BUSY_RETRY_MS));
	mutex_lock(&cq->mutex);
	list_del_init(&w->adm.node);
	reinit_completion(&w->c);
}

/* Not counted: now it is known how many there are, and it goes back to the queue. */
static void wait_busy_learned(struct optee_adm_queue *q, struct optee_call_waiter *w)
{
	struct optee_call_queue *cq = adm_cq(q);
	struct optee_adm_waiter *a = &w->adm;

	adm_look_at_clock(q);
	adm_take_back(q, a);
	q->exhausted = true;
	q->limit = adm_in_flight(q);
	adm_enqueue(q, a);
	while (w->waiting) {
		mutex_unlock(&cq->mutex);
		wait_for_completion(&w->c);
		mutex_lock(&cq->mutex);
		reinit_completion(&w->c);
		if (!q->ops)
			w->waiting = false;
	}
	w->granted = false;
}

/*
 * A call that has left since this one was let in may have made room for it: the same
 * holds when it was let in and refused while that one was on its way out.
 */
bool __optee_adm_busy(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	struct optee_adm_queue *q = &cq->adm;
	bool is_ours;

	mutex_lock(&cq->mutex);
	is_ours = q->ops && w->seen && !w->waiting && !w->granted;
	if (is_ours) {
		q->stats.busy++;
		if (w->adm.leaves == q->leaves && cq->total_thread_count)
			wait_busy_counted(q, w);
		else if (w->adm.leaves == q->leaves)
			wait_busy_learned(q, w);
		w->adm.leaves = q->leaves;
	}
	mutex_unlock(&cq->mutex);
	return is_ours;
}
