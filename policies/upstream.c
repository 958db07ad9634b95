// SPDX-License-Identifier: GPL-2.0-only
/*
 * upstream: a normal call leaves one entry free while there is a system session; a system
 * call takes any free entry, and goes first.
 *
 * Why: it was merged in Linux 6.8. Here threads are handed over, so its stranded waiters
 *   are gone; the rest is unchanged.
 * Objection: system calls are not bounded and can take every thread; and one in flight does
 *   not use the reservation up, so with two threads no normal call enters beside it.
 * Use it: to have the merged rule without its defect.
 */
#include "policy.h"

RESERVE
{
	return c->total > 1 ? 0 : -EBUSY;
}

ADMIT
{
	u32 kept = is_system(c) || !c->reserved ? 0 : 1;

	return !c->total || c->free > kept ? ENTER : WAIT;
}

RANK
{
	return is_system(c) ? 0 : 1;
}

POLICY(CALLBACK(reserve), CALLBACK(admit), CALLBACK(rank),
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_STATELESS, .name = "upstream");
