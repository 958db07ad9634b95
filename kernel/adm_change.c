// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy comes to a queue, another one takes its place, or it is left: what becomes of
 * the calls that are there. All under cq->mutex, so a call sees one policy or the other.
 */
#include "adm.h"

static void reset(struct optee_adm_queue *q)
{
	q->norm_in_flight = q->resv_in_flight = q->sys_in_flight = 0;
	q->newest_entered = 0;
	adm_look_at_clock(q);
	q->since_ns = q->now_ns;
	q->retry_ns = U64_MAX;
	q->resume = NULL;
	q->again = false;
	memset(q->priv, 0, sizeof(q->priv));
	adm_ids_reset(q);
}

static void note_left(struct optee_adm_queue *q, const struct optee_adm_exit *exit)
{
	memcpy(q->left.name, q->ops->name, sizeof(q->left.name));
	q->left.exit = *exit;
	q->ejected += exit->reason > OPTEE_ADM_SWAPPED;
}

/* A call that is in flight when a policy comes. */
static void take_over(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	if (!a->entered_ns)
		a->entered_ns = a->arrived_ns;
	a->counted = false;
	adm_count_in_flight(q, a, 1);
	adm_tell_enter(q, a);
}

/* A policy comes: every call, in flight or not, is seen from now on. */
void adm_begin(struct optee_adm_queue *q, const struct optee_admission_ops *ops)
{
	struct optee_call_queue *cq = adm_cq(q);
	struct optee_call_waiter *w;

	q->sys_waiting = q->norm_waiting = 0;
	q->exhausted = false;
	memset(&q->stats, 0, sizeof(q->stats));
	reset(q);
	q->attached++;
	WRITE_ONCE(q->ops, ops);
	list_for_each_entry (w, &cq->waiters, list_node)
		adm_see(q, w, 0);
	list_for_each_entry (w, &cq->waiters, list_node) {
		if (w->waiting)
			continue;
		/* The reservations are the calls' that came first. */
		if (w->sys_thread && q->resv_in_flight < cq->sys_thread_req_count)
			w->adm.call.flags |= OPTEE_ADM_RESERVED;
		take_over(q, &w->adm);
		/*
		 * OP-TEE may have refused it, and it sleeps until the driver wakes somebody,
		 * which now nobody does: let it try again. To others it means nothing.
		 */
		complete(&w->c);
	}
	list_for_each_entry (w, &cq->waiters, list_node) {
		if (w->waiting)
			adm_enqueue(q, &w->adm);
	}
	adm_pump(q);
}

/* Another one takes its place, with the queue as it is. */
void adm_swap(struct optee_adm_queue *q, const struct optee_admission_ops *ops)
{
	struct optee_call_queue *cq = adm_cq(q);
	struct optee_adm_waiter *a, *next;
	struct optee_call_waiter *w;
	LIST_HEAD(waiting);

	memset(&q->stats, 0, sizeof(q->stats));
	reset(q);
	note_left(q, &(struct optee_adm_exit){ .reason = OPTEE_ADM_SWAPPED });
	q->attached++;
	WRITE_ONCE(q->ops, ops);
	list_splice_init(&q->waiting, &waiting);
	q->sys_waiting = q->norm_waiting = 0;
	list_for_each_entry (w, &cq->waiters, list_node) {
		memset(w->adm.call.priv, 0, sizeof(w->adm.call.priv));
		w->adm.ranked = false;
		if (!w->waiting)
			take_over(q, &w->adm);
	}
	list_for_each_entry_safe (a, next, &waiting, node) {
		list_del_init(&a->node);
		adm_enqueue(q, a);
	}
	adm_pump(q);
}

/*
 * The policy is left: everybody who waits is woken, and finds the driver's own rule.
 * Calls in flight are the driver's own, as if there had been no policy. They are woken, too:
 * one that OP-TEE refused may be about to sleep, and who left before now woke nobody for it.
 */
void adm_end(struct optee_adm_queue *q, const struct optee_adm_exit *exit)
{
	struct optee_call_queue *cq = adm_cq(q);
	struct optee_call_waiter *w;

	note_left(q, exit);
	WRITE_ONCE(q->ops, NULL);
	list_for_each_entry (w, &cq->waiters, list_node) {
		list_del_init(&w->adm.node);
		complete(&w->c);
		adm_forget(w);
	}
	reset(q);
	q->sys_waiting = q->norm_waiting = 0;
	q->exhausted = false;
}
