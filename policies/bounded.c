// SPDX-License-Identifier: GPL-2.0-only
/*
 * bounded: as v6, but at most MOST sessions hold a reservation.
 *
 * Why: the reviewer's starting point, "a configurable upper bound with a default of one".
 * Objection: SCMI opens a session for each of its channels, and each of them asks: with one
 *   reservation the second channel has none, and can be part of the deadlock again.
 * Use it: if you know how many system sessions there are; set MOST to their number.
 */
#include "policy.h"

#ifndef MOST
#define MOST 1
#endif

static inline u32 entries(const struct optee_adm_call *c)
{
	return c->total ? at_most(c->reserved, at_most(MOST, c->total - 1)) : 0;
}

RESERVE
{
	return c->reserved < MOST && c->reserved + 1 < c->total ? 0 : -EBUSY;
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
       .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_STATELESS, .name = "bounded");
