// SPDX-License-Identifier: GPL-2.0-only
/*
 * per-session: as strict, but counted for each session: it has the one entry that it
 * reserved, whatever the others do.
 *
 * Why: the review named this alternative, a count in the session instead of a flag. A
 *   session that makes many calls at once cannot take another one's entry.
 * Objection: a client with several calls at once has to open as many sessions, and cannot
 *   cancel one, as that is a second call; "I don't think it's worth it".
 * Use it: if system sessions do not trust each other.
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
		return !c->session_in_flight && (!c->total || c->resv_in_flight < entries(c)) ?
			       ENTER_RESERVED :
			       WAIT;
	return leaves_free(c, c->norm_in_flight, entries(c)) ? ENTER : WAIT;
}

RANK
{
	return is_system(c) ? 0 : 1;
}

/* Not BY_CLASS: of two system calls one may be refused and the other let in. */
POLICY(CALLBACK(reserve), CALLBACK(admit), CALLBACK(rank), .flags = OPTEE_ADM_STATELESS,
       .name = "per-session");
