// SPDX-License-Identifier: GPL-2.0-only
/*
 * single: one entry is reserved for all system sessions together; a system call takes it
 * when it is not in use, and is treated as a normal call otherwise.
 *
 * Why: the review agreed on it, and patch v8 implemented it. One thread is enough against
 *   the deadlock, because SCMI's calls do not wait for each other; and it costs one thread.
 * Objection: a system call that finds the entry in use waits with the normal calls.
 * Use it: unless there is a reason for another one. With two threads it lets a normal call
 *   in beside a system call, which the merged driver does not.
 */
#include "policy.h"

static inline u32 entries(const struct optee_adm_call *c)
{
	return c->reserved ? 1 : 0;
}

RESERVE
{
	return c->total > 1 ? 0 : -EBUSY;
}

ADMIT
{
	if (is_system(c) && !c->priv[0] && !c->resv_in_flight)
		return ENTER_RESERVED;
	return leaves_free(c, c->norm_in_flight, entries(c)) ? ENTER : WAIT;
}

/* Asked when it is about to wait: was the entry in use then? */
RANK
{
	c->priv[0] = is_system(c) && c->resv_in_flight;
	return 0;
}

POLICY(CALLBACK(reserve), CALLBACK(admit), CALLBACK(rank), .flags = OPTEE_ADM_STATELESS,
       .name = "single");
