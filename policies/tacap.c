// SPDX-License-Identifier: GPL-2.0-only
/*
 * tacap: each TA gets at most CAP threads at once and RATE calls a second, of which BURST
 * may come together; cancels are not limited, nor are system sessions, for which one entry is
 * kept.
 *
 * The rate is a token bucket as a virtual schedule (GCRA): a call conforms unless it comes
 * more than BURST calls before its place in the TA's schedule; each call that enters moves
 * the schedule on by 1/RATE.
 *
 * Why: a TA that is flooded, or misused, does not take OP-TEE from the others.
 * Objection: none in the review. A limit holds also when nobody else wants the threads.
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

#define STEP        (NSEC_PER_SEC / RATE)
#define SCHEDULE(c) ((c)->tpriv[0])

/* A cancel ends what it would have to wait for. */
static inline u32 goes_first(const struct optee_adm_call *c)
{
	return c->flags & (OPTEE_ADM_SYS | OPTEE_ADM_CANCEL);
}

static inline u32 is_limited(const struct optee_adm_call *c)
{
#ifdef ONLY
	if (c->ta != ONLY)
		return 0;
#endif
	return c->ta && !goes_first(c);
}

ADMIT
{
	u32 kept = is_system(c) || !c->reserved ? 0 : 1;

	if (c->total && c->free <= kept)
		return WAIT;
	if (!is_limited(c))
		return ENTER;
	if (c->ta_in_flight >= CAP)
		return WAIT;
	if (SCHEDULE(c) > c->now_ns + (BURST - 1) * STEP) {
		c->retry_ns = SCHEDULE(c) - c->now_ns - (BURST - 1) * STEP;
		return WAIT;
	}
	return ENTER;
}

/* In a pass one refused call stands for all of its TA behind it: a cancel is not to be there. */
RANK
{
	return goes_first(c) ? 0 : 1;
}

ON_ENTER
{
	/* OP-TEE had no thread for it the first time: it is charged already. */
	if (!is_limited(c) || c->flags & OPTEE_ADM_BUSY)
		return;
	if (SCHEDULE(c) < c->now_ns)
		SCHEDULE(c) = c->now_ns;
	SCHEDULE(c) += STEP;
}

POLICY(CALLBACK(admit), CALLBACK(rank), CALLBACK(enter),
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_BY_TA, .name = "tacap");
