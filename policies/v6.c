// SPDX-License-Identifier: GPL-2.0-only
/*
 * v6: each system session reserves an entry as long as one is left for the others; a
 * normal call needs an entry that is not reserved; a system call is never held back.
 *
 * Why: patches v5 to v7 of the series. A system session has its thread whenever it calls,
 *   whatever other system sessions do.
 * Objection: kernel drivers keep their sessions forever, so each of them takes a thread from
 *   user space for good; and a system session may have more calls in flight than it reserved.
 * Use it: with enough threads, and clients known to make one call at a time.
 */
#include "policy.h"

/* Sessions that were there before the policy may hold more than it would have given. */
static inline u32 entries(const struct optee_adm_call *c)
{
	return c->total ? at_most(c->reserved, c->total - 1) : 0;
}

RESERVE
{
	return c->reserved + 1 < c->total ? 0 : -EBUSY;
}

ADMIT
{
	if (is_system(c))
		return ENTER_RESERVED;
	return leaves_free(c, c->norm_in_flight, entries(c)) ? ENTER : WAIT;
}

RANK
{
	return is_system(c) ? 0 : 1;
}

POLICY(CALLBACK(reserve), CALLBACK(admit), CALLBACK(rank),
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_STATELESS, .name = "v6");
