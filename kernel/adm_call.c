// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call: from when the core sees it until it forgets it, and the counters that it is
 * in. It is seen when it arrives while a policy is attached, or when a policy comes.
 */
#include <linux/ktime.h>
#include <linux/sched.h>
#include "adm.h"

/* Four steps of nice are a factor of two. */
static u32 weight_of(int nice)
{
	static const u16 quarter[] = { 4096, 3444, 2896, 2435 };
	int steps = nice - MIN_NICE; /* 0 to 39, and 20 is 4096 */

	return ((u32)quarter[steps % 4] << 5) >> (steps / 4);
}

/* What the call asks for: written by its caller before it came here. */
static void read_message(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	struct optee_msg_arg *arg = a->ctx ? tee_shm_get_va(a->shm, a->offs) : NULL;
	struct optee_adm_call *c = &a->call;

	if (IS_ERR_OR_NULL(arg)) {
		c->flags |= OPTEE_ADM_INTERNAL;
		return;
	}
	switch (arg->cmd) {
	case OPTEE_MSG_CMD_OPEN_SESSION:
		c->flags |= OPTEE_ADM_OPEN;
		break;
	case OPTEE_MSG_CMD_INVOKE_COMMAND:
		c->func = arg->func;
		adm_ids_name(q, a, arg->session, false);
		break;
	case OPTEE_MSG_CMD_CLOSE_SESSION:
		c->flags |= OPTEE_ADM_CLOSE;
		adm_ids_name(q, a, arg->session, true);
		break;
	case OPTEE_MSG_CMD_CANCEL:
		c->flags |= OPTEE_ADM_CANCEL;
		adm_ids_name(q, a, arg->session, false);
		break;
	default:
		c->flags |= OPTEE_ADM_INTERNAL;
	}
}

void adm_see(struct optee_adm_queue *q, struct optee_call_waiter *w, int nice)
{
	struct optee_adm_waiter *a = &w->adm;

	w->seen = true;
	INIT_LIST_HEAD(&a->node);
	a->ranked = false;
	a->arrived_ns = ktime_get_ns();
	a->entered_ns = 0;
	a->leaves = q->leaves;
	memset(&a->call, 0, sizeof(a->call));
	a->call.seq = ++q->seq;
	a->call.flags = w->sys_thread ? OPTEE_ADM_SYS : 0;
	a->call.weight = weight_of(nice);
	adm_ids_know(q, w);
	read_message(q, a);
}

void adm_forget(struct optee_adm_queue *q, struct optee_call_waiter *w)
{
	adm_ids_forget(q, w);
	w->seen = false;
}

void adm_count_waiting(struct optee_adm_queue *q, struct optee_adm_waiter *a, int by)
{
	if (adm_is_system(a))
		q->sys_waiting += by;
	else
		q->norm_waiting += by;
}

void adm_count_in_flight(struct optee_adm_queue *q, struct optee_adm_waiter *a, int by)
{
	if (a->call.flags & OPTEE_ADM_RESERVED)
		q->resv_in_flight += by;
	else
		q->norm_in_flight += by;
	if (adm_is_system(a))
		q->sys_in_flight += by;
	if (a->client)
		a->client->in_flight += by;
	if (a->ta)
		a->ta->in_flight += by;
	if (a->session)
		a->session->in_flight += by;
}
