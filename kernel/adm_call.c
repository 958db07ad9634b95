// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call: from when the core sees it until it forgets it, and the counters that it is
 * in. It is seen when it arrives while a policy is attached, or when a policy comes.
 */
#include <linux/sched.h>
#include "adm.h"

static const u32 weights[NICE_WIDTH] = OPTEE_ADM_WEIGHTS;

/* What the call asks for: written by its caller before it came here. */
static void read_message(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	struct optee_adm_call *c = &a->call;
	struct optee_msg_arg *arg;

	if (!a->ctx || !a->shm->kaddr) {
		c->flags |= OPTEE_ADM_INTERNAL;
		return;
	}
	arg = a->shm->kaddr + a->offs;
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
	a->ranked = a->counted = false;
	a->arrived_ns = q->now_ns;
	a->entered_ns = 0;
	a->leaves = q->leaves;
	memset(&a->call, 0, sizeof(a->call));
	a->call.seq = ++q->seq;
	a->call.flags = w->sys_thread ? OPTEE_ADM_SYS : 0;
	a->call.weight = weights[nice - MIN_NICE];
	adm_ids_know(w);
	read_message(q, a);
}
