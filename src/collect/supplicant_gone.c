// SPDX-License-Identifier: GPL-2.0-only
/*
 * Supplicant gone. The kernel's side counts the requests, and knows whether anybody has the file
 * of tee-supplicant's context. A driver that notices the end aborts the requests a moment later,
 * so they have to wait for a second.
 */
#include "collect/found.h"
#include "collect/supplicant_gone.h"
#include "collect/watch_calls.h"
#include "collect/watch_state.h"

#define GONE_NS 1000000000 /* so long they have to wait */

void watch_supplicant_gone_look(struct watch *w, u32 pool, u64 now)
{
	s32 requests = w->shared->pools[pool].unserved;
	u64 *since = &w->pools[pool].unserved_since_ns;
	struct episode e = watch_episode(w, pool, COND_SUPPLICANT_GONE);

	if (requests <= 0) {
		*since = 0;
		watch_found_over(w, pool, COND_SUPPLICANT_GONE, now);
		return;
	}
	if (!*since)
		*since = now;
	if (now - *since < GONE_NS)
		return;
	e.since_ns = *since;
	e.peak = (u32)requests;
	watch_add_requests(w, pool, &e);
	watch_found(w, pool, &e, now);
}
