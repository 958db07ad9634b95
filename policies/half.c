// SPDX-License-Identifier: GPL-2.0-only
/*
 * half: as v6, but system sessions reserve half of the entries at most.
 *
 * Why: the bound proposed in the review of v6, so that user space keeps half of them.
 * Objection: with two or three threads half is one, and why half? On a system without
 *   user space clients the other half is kept for nobody.
 * Use it: when user space has many clients and several kernel drivers want reservations.
 */
#include "policy.h"

static inline u32 entries(const struct optee_adm_call *c)
{
	return at_most(c->reserved, c->total / 2);
}

RESERVE
{
	return 2 * (c->reserved + 1) <= c->total ? 0 : -EBUSY;
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
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_STATELESS, .name = "half");
