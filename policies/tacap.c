// SPDX-License-Identifier: GPL-2.0-only
/*
 * tacap: each TA gets at most CAP threads at once and RATE calls per second, in bursts of at
 * most BURST. Each client gets the same rate, without CAP, for calls that have no TA yet: to
 * open a session, to register shared memory and to release it. Cancels are not limited, nor
 * are system sessions, for which one entry is kept.
 *
 * The rate is a token bucket as a virtual schedule (GCRA): a call conforms unless it comes
 * more than BURST calls before its place in the schedule; each call that enters moves
 * the schedule on by 1/RATE.
 *
 * Why: a TA that is flooded, or misused, does not take OP-TEE from the others.
 * Objection: none in the review. A limit also holds when nobody else wants the threads.
 * Use it: with CAP, RATE and BURST set to what the TA is known to need; ONLY limits one TA.
 */
#include "policy.h"

#ifndef CAP
#define CAP 1
#endif
#ifndef RATE
#define RATE 50
#endif
#ifndef BURST
#define BURST 5
#endif
/* #define ONLY OPTEE_ADM_TA(0x5b9e0e40, 0x2636, 0x11e1) */

#define STEP (NSEC_PER_SEC / RATE)

/* tpriv: the TA's schedule; cpriv: the client's */
static inline u64 schedule(const struct optee_adm_call *c)
{
	return c->ta ? c->tpriv[0] : c->cpriv[0];
}

/* A cancel ends what it would have to wait for. */
static inline u32 is_limited(const struct optee_adm_call *c)
{
#ifdef ONLY
	if (c->ta != ONLY)
		return 0;
#endif
	return !(c->flags & (OPTEE_ADM_SYS | OPTEE_ADM_CANCEL));
}

ADMIT
{
	u32 kept = is_system(c) || !c->reserved ? 0 : 1;

	if (c->total && c->free <= kept)
		return WAIT;
	if (!is_limited(c))
		return ENTER;
	if (c->ta && c->ta_in_flight >= CAP)
		return WAIT;
	if (schedule(c) > c->now_ns + (BURST - 1) * STEP) {
		c->retry_ns = schedule(c) - c->now_ns - (BURST - 1) * STEP;
		return WAIT;
	}
	return ENTER;
}

/* A cancel takes its turn: a client can make those as fast as it likes. */
RANK
{
	return is_system(c) ? 0 : 1;
}

ON_ENTER
{
	u64 begin = schedule(c) < c->now_ns ? c->now_ns : schedule(c);

	/* OP-TEE had no thread for it the first time: it is charged already. */
	if (!is_limited(c) || c->flags & OPTEE_ADM_BUSY)
		return;
	if (c->ta)
		c->tpriv[0] = begin + STEP;
	else
		c->cpriv[0] = begin + STEP;
}

POLICY(CALLBACK(admit), CALLBACK(rank), CALLBACK(enter),
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_BY_TA | OPTEE_ADM_BY_KIND, .name = "tacap");
