// SPDX-License-Identifier: GPL-2.0-only
/*
 * strict: system calls get the reserved entries and no others; normal calls the rest.
 *
 * Why: the review asked that system calls in flight never exceed what was reserved, as
 *   normal calls may not either. There is no overrun by construction.
 * Objection: it is over-complex for what it does, and a system call waits beside free
 *   normal entries; so does one that is to cancel another.
 * Use it: if normal calls need a guarantee, too.
 */
#include "policy.h"

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
		return !c->total || c->resv_in_flight < entries(c) ? ENTER_RESERVED : WAIT;
	return leaves_free(c, c->norm_in_flight, entries(c)) ? ENTER : WAIT;
}

RANK
{
	return is_system(c) ? 0 : 1;
}

POLICY(CALLBACK(reserve), CALLBACK(admit), CALLBACK(rank),
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_STATELESS, .name = "strict");
