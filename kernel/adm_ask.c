// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the policy is asked and told: a call's context is filled in before each callback,
 * and what the policy wrote is kept after it. An answer that is none ejects the policy. Once
 * it is left, by whomever, it is not asked any more.
 * Where a policy has no callback the rule is the driver's own.
 */
#include "adm.h"

static void fill(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	struct optee_call_queue *cq = adm_cq(q);
	struct optee_adm_call *c = &a->call;

	c->total = cq->total_thread_count;
	c->free = cq->total_thread_count ? max(cq->free_thread_count, 0) : 0;
	c->reserved = cq->sys_thread_req_count;
	c->resv_in_flight = q->resv_in_flight;
	c->norm_in_flight = q->norm_in_flight;
	c->sys_in_flight = q->sys_in_flight;
	c->sys_waiting = q->sys_waiting;
	c->norm_waiting = q->norm_waiting;
	c->now_ns = q->now_ns;
	if (!a->entered_ns)
		c->wait_ns = c->now_ns - a->arrived_ns;
	c->client_in_flight = a->client ? a->client->in_flight : 0;
	c->ta_in_flight = a->ta ? a->ta->in_flight : 0;
	c->session_in_flight = a->session ? a->session->in_flight : 0;
	if (q->ops->flags & OPTEE_ADM_STATELESS)
		return;
	if (a->client)
		memcpy(c->cpriv, a->client->priv, sizeof(c->cpriv));
	if (a->ta)
		memcpy(c->tpriv, a->ta->priv, sizeof(c->tpriv));
	memcpy(c->qpriv, q->priv, sizeof(c->qpriv));
}

static void keep(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	struct optee_adm_call *c = &a->call;

	if (q->ops->flags & OPTEE_ADM_STATELESS)
		return;
	if (a->client)
		memcpy(a->client->priv, c->cpriv, sizeof(c->cpriv));
	if (a->ta)
		memcpy(a->ta->priv, c->tpriv, sizeof(c->tpriv));
	memcpy(q->priv, c->qpriv, sizeof(c->qpriv));
}

/* The rule of the driver since Linux 6.8. */
static s32 default_admit(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	struct optee_call_queue *cq = adm_cq(q);
	int kept = !adm_is_system(a) && cq->sys_thread_req_count ? 1 : 0;

	if (!cq->total_thread_count || cq->free_thread_count > kept)
		return OPTEE_ADM_ENTER;
	return OPTEE_ADM_WAIT;
}

/* Has the policy given up, or is it broken? */
static void eject(struct optee_adm_queue *q, struct optee_adm_waiter *a, s32 answer)
{
	adm_eject(q, answer < 0 && answer >= -MAX_ERRNO ? OPTEE_ADM_GAVE_UP : OPTEE_ADM_GARBAGE,
		  answer, a);
}

static void count(struct optee_adm_queue *q, struct optee_adm_waiter *a, s32 verdict)
{
	struct optee_adm_counts *counts = adm_counts(q, a);

	if (verdict == OPTEE_ADM_ENTER)
		counts->enter++;
	else if (verdict == OPTEE_ADM_ENTER_RESERVED)
		counts->enter_reserved++;
	else if (a->call.retry_ns)
		counts->wait_rate++;
	else
		counts->wait_kept++;
}

s32 adm_ask_admit(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	s32 verdict;

	if (adm_leave_here(q))
		return OPTEE_ADM_WAIT;
	if (adm_is_internal(a))
		return OPTEE_ADM_ENTER;
	if (q->ops->admit) {
		fill(q, a);
		a->call.retry_ns = 0;
		verdict = q->ops->admit(&a->call);
		keep(q, a);
	} else {
		verdict = default_admit(q, a);
	}
	if (verdict < 0 || verdict >= OPTEE_ADM_VERDICTS) {
		eject(q, a, verdict);
		return OPTEE_ADM_WAIT;
	}
	count(q, a, verdict);
	return verdict;
}

bool adm_ask_reserve(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	s32 answer = 0;

	if (adm_leave_here(q))
		return true;
	if (q->ops->reserve) {
		fill(q, a);
		answer = q->ops->reserve(&a->call);
		keep(q, a);
	}
	/* A refusal is an answer here; a policy cannot give up in it. */
	if (answer > 0 || answer < -MAX_ERRNO) {
		adm_eject(q, OPTEE_ADM_GARBAGE, answer, a);
		return true;
	}
	if (answer)
		q->stats.reserve_no++;
	else
		q->stats.reserve_yes++;
	return !answer;
}

u64 adm_ask_rank(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	u64 rank;

	if (adm_is_internal(a))
		return 0;
	if (!q->ops->rank || adm_is_left())
		return q->ops->admit ? 0 : !adm_is_system(a);
	fill(q, a);
	rank = q->ops->rank(&a->call);
	keep(q, a);
	return rank;
}

void __adm_tell_enter(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	fill(q, a);
	q->ops->enter(&a->call);
	keep(q, a);
}

void __adm_tell_leave(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	fill(q, a);
	a->call.held_ns = a->call.now_ns - a->entered_ns;
	q->ops->leave(&a->call);
	keep(q, a);
}
