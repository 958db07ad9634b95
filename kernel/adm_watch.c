// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock of a queue with a policy: asks again when the policy wanted that, and ejects
 * one under which a call waits too long. A policy is to blame for a wait when a thread is
 * free, or when one that came later was let in; a secure world that is stuck is not its fault.
 */
#include <linux/jiffies.h>
#include "adm.h"

u64 adm_timeout_ns(const struct optee_admission_ops *ops)
{
	return (u64)(ops->timeout_ms ?: OPTEE_ADM_TIMEOUT_MS) * NSEC_PER_MSEC;
}

static void arm(struct optee_adm_queue *q, u64 now, u64 due)
{
	u64 us;

	due = max(due, q->ticked_ns + ADM_TIMED_NS);
	if (due >= q->due_ns)
		return;
	q->due_ns = due;
	us = due > now ? div_u64(due - now, NSEC_PER_USEC) : 0;
	mod_delayed_work(system_highpri_wq, &q->tick, usecs_to_jiffies(min_t(u64, us, INT_MAX)));
}

/*
 * Where threads are not counted OP-TEE may have more than it had: somebody else used them.
 * If none of ours was in it, nobody's leaving would tell.
 */
static u64 probe_ms(const struct optee_adm_queue *q)
{
	return q->limit ? ADM_PROBE_MS : ADM_BUSY_RETRY_MS;
}

/* Somebody waits: see to it that somebody looks. */
void adm_watch(struct optee_adm_queue *q)
{
	u64 now = q->now_ns, due;

	if (list_empty(&q->waiting))
		return;
	if (adm_is_unfinished(q)) {
		q->due_ns = now;
		mod_delayed_work(system_highpri_wq, &q->tick, 0);
		return;
	}
	due = min(q->retry_ns, now + adm_timeout_ns(q->ops));
	if (q->exhausted)
		due = min(due, now + probe_ms(q) * NSEC_PER_MSEC);
	arm(q, now, due);
}

static bool is_to_blame(const struct optee_adm_queue *q, const struct optee_adm_waiter *a)
{
	return adm_has_room(q) || q->newest_entered > a->call.seq;
}

/* Eject the policy, or say when to look again. */
static u64 judge(struct optee_adm_queue *q, u64 now)
{
	u64 timeout = adm_timeout_ns(q->ops), next = U64_MAX;
	struct optee_adm_waiter *a;

	list_for_each_entry (a, &q->waiting, node) {
		u64 end = max(a->arrived_ns, q->since_ns) + timeout;

		if (adm_is_internal(a))
			continue;
		if (end <= now && is_to_blame(q, a)) {
			a->call.wait_ns = now - a->arrived_ns;
			adm_eject(q, OPTEE_ADM_STALLED, 0, a);
			return U64_MAX;
		}
		next = min(next, end > now ? end : now + timeout / 8);
	}
	return next;
}

/* By the clock, unless it is only that a pass goes on. */
static void pass(struct optee_adm_queue *q)
{
	bool is_due = q->retry_ns <= q->now_ns;

	if (is_due)
		q->retry_ns = U64_MAX;
	if (adm_is_unfinished(q) && !is_due) {
		adm_go_on(q);
		return;
	}
	q->ticked_ns = q->now_ns;
	q->limit++; /* one tries; a refusal sets it right */
	adm_pump(q);
}

static void tick(struct work_struct *work)
{
	struct optee_adm_queue *q = container_of(work, struct optee_adm_queue, tick.work);
	struct optee_call_queue *cq = adm_cq(q);
	u64 due;

	mutex_lock(&cq->mutex);
	adm_look_at_clock(q);
	due = q->due_ns;
	q->due_ns = U64_MAX;
	if (q->ops && due <= q->now_ns) {
		pass(q);
		due = q->ops ? judge(q, q->now_ns) : U64_MAX;
	}
	if (q->ops) /* as a timer counts in jiffies, it may be early */
		arm(q, q->now_ns, due);
	mutex_unlock(&cq->mutex);
}

void adm_watch_init(struct optee_adm_queue *q)
{
	q->due_ns = U64_MAX;
	INIT_DELAYED_WORK(&q->tick, tick);
}
