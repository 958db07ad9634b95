// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue while a policy is attached. Whoever has to wait is in q->waiting, lowest rank
 * first. When something changes the pump walks it and hands threads to those that the
 * policy lets in: a thread is taken by who hands it over, not by who wakes up first, so
 * nobody barges in, and no wake is lost on one that does not sleep.
 *
 * The counters of the threads are the driver's own. All of this is under cq->mutex.
 */
#include <linux/sched.h>
#include "adm.h"

/* Is there a thread that could be handed over? */
bool adm_has_room(const struct optee_adm_queue *q)
{
	const struct optee_call_queue *cq = container_of(q, struct optee_call_queue, adm);

	if (cq->total_thread_count)
		return cq->free_thread_count > 0;
	return !q->exhausted || adm_in_flight(q) < q->limit;
}

static bool goes_before(const struct optee_adm_waiter *a, const struct optee_adm_waiter *b)
{
	if (adm_is_internal(a) != adm_is_internal(b))
		return adm_is_internal(a);
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return a->call.seq < b->call.seq;
}

void adm_enqueue(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	struct optee_adm_waiter *other;

	if (!a->ranked)
		a->rank = adm_ask_rank(q, a);
	a->ranked = true;
	list_for_each_entry_reverse (other, &q->waiting, node)
		if (!goes_before(a, other))
			break;
	list_add(&a->node, &other->node);
	adm_call_waiter(a)->waiting = true;
	adm_count_waiting(q, a, 1);
	adm_watch(q);
}

/* The next one; NULL: there is none. */
static struct optee_adm_waiter *after(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	return list_is_last(&a->node, &q->waiting) ? NULL : list_next_entry(a, node);
}

static void dequeue(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	if (q->resume == a)
		q->resume = after(q, a);
	list_del_init(&a->node);
	adm_call_waiter(a)->waiting = false;
	adm_count_waiting(q, a, -1);
	if (list_empty(&q->waiting))
		q->exhausted = false;
}

/* It entered, or, by -1, it did not after all. */
static void count_entry(struct optee_adm_queue *q, struct optee_adm_waiter *a, int by)
{
	struct optee_adm_counts *counts = adm_counts(q, a);

	a->counted = by > 0;
	counts->calls += by;
	if (!a->call.wait_ns)
		return;
	counts->waited += by;
	counts->wait_ns += by * a->call.wait_ns;
	counts->wait_max_ns = max(counts->wait_max_ns, a->call.wait_ns);
}

/* The call has a thread. */
static void enter(struct optee_adm_queue *q, struct optee_adm_waiter *a, s32 verdict)
{
	a->entered_ns = q->now_ns;
	a->call.wait_ns = a->ranked ? a->entered_ns - a->arrived_ns : 0;
	a->leaves = q->leaves;
	if (verdict == OPTEE_ADM_ENTER_RESERVED)
		a->call.flags |= OPTEE_ADM_RESERVED;
	adm_count_in_flight(q, a, 1);
	if (adm_is_internal(a))
		return;
	q->newest_entered = max(q->newest_entered, a->call.seq);
	count_entry(q, a, 1);
	adm_tell_enter(q, a);
}

static void hand_over(struct optee_adm_queue *q, struct optee_adm_waiter *a, s32 verdict)
{
	struct optee_call_waiter *w = adm_call_waiter(a);

	dequeue(q, a);
	adm_cq(q)->free_thread_count--;
	w->granted = true;
	enter(q, a, verdict);
	complete(&w->c);
}

/*
 * In one pass a refusal holds for all that the policy cannot tell from the refused one:
 * threads only get fewer in it.
 */
struct pass {
	bool refused[OPTEE_ADM_CLASSES];
};

/* With BY_KIND only calls of no special kind, invokes, are alike. */
static bool is_like_others(const struct optee_adm_queue *q, const struct optee_adm_waiter *a)
{
	u32 flags = q->ops->flags & ADM_BY;

	return flags && !(flags & OPTEE_ADM_BY_KIND && a->call.flags & ADM_KINDS);
}

static bool is_refused(const struct optee_adm_queue *q, const struct pass *pass,
		       const struct optee_adm_waiter *a)
{
	u32 flags = q->ops->flags;

	if (!is_like_others(q, a) || adm_is_internal(a) || !pass->refused[adm_is_system(a)])
		return false;
	if (flags & OPTEE_ADM_BY_CLIENT && (!a->client || a->client->refused_in != q->pass))
		return false;
	if (flags & OPTEE_ADM_BY_TA && (!a->ta || a->ta->refused_in != q->pass))
		return false;
	return true;
}

static void note_refusal(struct optee_adm_queue *q, struct pass *pass, struct optee_adm_waiter *a)
{
	u64 retry;

	a->call.flags |= OPTEE_ADM_QUEUED;
	if (a->call.retry_ns && !check_add_overflow(q->now_ns, a->call.retry_ns, &retry))
		q->retry_ns = min(q->retry_ns, retry);
	if (!is_like_others(q, a))
		return;
	pass->refused[adm_is_system(a)] = true;
	if (a->client)
		a->client->refused_in = q->pass;
	if (a->ta)
		a->ta->refused_in = q->pass;
}

/*
 * Asks about those from a on, before end. Returns who is to be asked next: NULL if nobody is
 * left, else there are no more questions, or no threads.
 */
static struct optee_adm_waiter *ask_from(struct optee_adm_queue *q, struct pass *pass,
					 struct optee_adm_waiter *a,
					 const struct optee_adm_waiter *end,
					 unsigned int *questions)
{
	struct optee_adm_waiter *next;
	s32 verdict;

	for (; a && a != end; a = next) {
		next = after(q, a);
		if (!adm_has_room(q))
			return a;
		if (is_refused(q, pass, a))
			continue;
		if (!*questions)
			return a;
		--*questions;
		verdict = adm_ask_admit(q, a);
		if (!q->ops)
			return NULL;
		if (verdict == OPTEE_ADM_WAIT)
			note_refusal(q, pass, a);
		else
			hand_over(q, a, verdict);
	}
	return a;
}

/*
 * Some questions of a pass: they are asked with the mutex held, so there is a limit, and the
 * rest comes later (adm_watch.c). Meanwhile something may change. Then those in front are
 * asked first, as they have the lowest ranks; but the pass goes on in any case, for those
 * behind would never be asked if changes came too fast; and when it is through there is
 * another one.
 */
void adm_go_on(struct optee_adm_queue *q)
{
	unsigned int questions = ADM_MOST_ASKED, front = ADM_MOST_ASKED / 2;
	struct optee_adm_waiter *first, *next;
	struct pass pass = {};

	first = list_first_entry_or_null(&q->waiting, struct optee_adm_waiter, node);
	if (!first)
		return;
	q->pass++;
	q->stats.passes++;
	if (!q->resume) {
		q->again = false;
		q->retry_ns = U64_MAX;
		next = ask_from(q, &pass, first, NULL, &questions);
		if (!q->ops)
			return;
		/* Where there are no threads the next pass begins in front. */
		q->resume = adm_has_room(q) ? next : NULL;
	} else {
		ask_from(q, &pass, first, q->resume, &front);
		if (!q->ops)
			return;
		questions = questions / 2 + front;
		next = ask_from(q, &pass, q->resume, NULL, &questions);
		if (!q->ops)
			return;
		q->resume = next;
		if (!next && q->again) {
			q->again = false;
			q->resume = list_first_entry_or_null(&q->waiting, struct optee_adm_waiter,
							     node);
		}
	}
	adm_watch(q);
}

/* Is there somebody who has not been asked, and might be let in? */
bool adm_is_unfinished(const struct optee_adm_queue *q)
{
	return q->resume && adm_has_room(q);
}

/* Something has changed: everybody is asked. */
void adm_pump(struct optee_adm_queue *q)
{
	q->again = true;
	adm_go_on(q);
}

bool __optee_adm_arrive(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	struct optee_adm_queue *q = &cq->adm;
	struct optee_adm_waiter *a = &w->adm;
	s32 verdict = OPTEE_ADM_WAIT;

	adm_look_at_clock(q);
	adm_see(q, w, task_nice(current));
	if (list_empty(&q->waiting) && adm_has_room(q)) {
		/* it is the whole queue */
		q->retry_ns = U64_MAX;
		verdict = adm_ask_admit(q, a);
		if (!q->ops)
			return false;
		if (verdict == OPTEE_ADM_WAIT)
			note_refusal(q, &(struct pass){}, a);
	}
	if (verdict != OPTEE_ADM_WAIT) {
		cq->free_thread_count--;
		enter(q, a, verdict);
		return true;
	}
	adm_enqueue(q, a);
	if (!list_is_singular(&q->waiting))
		adm_pump(q);
	if (!q->ops) {
		w->waiting = false;
		return false;
	}
	if (w->granted) { /* at once, before it slept */
		w->granted = false;
		reinit_completion(&w->c);
	}
	return true;
}

bool __optee_adm_resume(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	if (w->granted) {
		w->granted = false;
		return true;
	}
	if (cq->adm.ops)
		return true;
	/* Without a policy nobody waits where threads are not counted. */
	w->waiting = cq->total_thread_count;
	return !w->waiting;
}

static void leave(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	adm_count_in_flight(q, a, -1);
	adm_tell_leave(q, a);
	a->call.flags &= ~OPTEE_ADM_RESERVED;
}

/* OP-TEE had no thread for it: it waits as if it had not entered. */
void adm_take_back(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	if (a->counted)
		count_entry(q, a, -1);
	leave(q, a);
	a->entered_ns = 0;
	a->call.flags |= OPTEE_ADM_BUSY | OPTEE_ADM_QUEUED;
}

void __optee_adm_leave(struct optee_call_queue *cq, struct optee_call_waiter *w)
{
	struct optee_adm_queue *q = &cq->adm;
	struct optee_adm_waiter *busy;

	if (q->ops->leave)
		adm_look_at_clock(q);
	q->leaves++;
	leave(q, &w->adm);
	adm_forget(w);
	busy = list_first_entry_or_null(&q->busy, struct optee_adm_waiter, node);
	if (busy) {
		list_del_init(&busy->node);
		complete(&adm_call_waiter(busy)->c);
	}
}

bool __optee_adm_reserve(struct optee_call_queue *cq, struct tee_context *ctx, u32 session)
{
	struct optee_call_waiter w = { .adm = { .ctx = ctx } };
	bool yes;

	adm_look_at_clock(&cq->adm);
	w.adm.arrived_ns = cq->adm.now_ns;
	adm_ids_know(&cq->adm, &w);
	adm_ids_name(&cq->adm, &w.adm, session, false);
	yes = adm_ask_reserve(&cq->adm, &w.adm);
	adm_forget(&w);
	return yes;
}

void __optee_adm_hand_over(struct optee_call_queue *cq)
{
	if (list_empty(&cq->adm.waiting))
		return;
	adm_look_at_clock(&cq->adm);
	adm_pump(&cq->adm);
}
