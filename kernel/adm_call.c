// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call: from when the core sees it until it forgets it, and the counters that it is
 * in. It is seen when it arrives while a policy is attached, or when a policy comes.
 */
#include <linux/sched.h>
#include "adm.h"

static const u32 weights[NICE_WIDTH] = OPTEE_ADM_WEIGHTS;

/*
 * Did nobody's client make the call? Then it is made with the driver's own context, or with none.
 * But commands beyond those that Linux 6.12 has are made with that context for whoever uses
 * it: protected memory is lent and taken back by way of a DMA heap.
 *
 * A call with tee-supplicant's context serves an RPC of a call in flight, which keeps its
 * thread until that is done: to hold it back for want of a thread would be a deadlock.
 */
static bool is_drivers_own(const struct optee_adm_queue *q, const struct optee_adm_waiter *a,
			   const struct optee_msg_arg *arg)
{
	const struct optee *optee = adm_optee(q);

	if (!a->ctx || a->ctx->teedev == optee->supp_teedev)
		return true;
	return a->ctx == optee->ctx && !(arg && arg->cmd > OPTEE_MSG_CMD_STOP_ASYNC_NOTIF);
}

/* What the call asks for: written by its caller before it came here. */
static void read_message(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	const struct optee_msg_arg *arg = NULL;
	struct optee_adm_call *c = &a->call;

	if (a->ctx && a->shm->kaddr)
		arg = a->shm->kaddr + a->offs;
	if (is_drivers_own(q, a, arg))
		c->flags |= OPTEE_ADM_INTERNAL;
	if (adm_is_internal(a) || !arg)
		return;
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
	case OPTEE_MSG_CMD_REGISTER_SHM:
	case OPTEE_MSG_CMD_UNREGISTER_SHM:
		c->flags |= OPTEE_ADM_SHM;
		break;
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
	adm_ids_know(q, w);
	read_message(q, a);
}
