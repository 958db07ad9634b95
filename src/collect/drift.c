// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drift: the driver counts other threads in use than we do, and goes on doing so.
 */
#include <stdlib.h>
#include "collect/drift.h"
#include "collect/found.h"
#include "collect/watch_state.h"

#define DRIFT_LOOKS 20 /* so many looks in a row a drift has to last */

/* Calls that we do not see account for it. */
static void forget_drift(struct watch *w, u32 pool, u64 now)
{
	struct watched_pool *watched = &w->pools[pool];

	watched->drift_run = watched->drift_least = 0;
	watched->drift_known = false;
	watch_found_over(w, pool, COND_DRIFT, now);
}

/*
 * A call that is between the driver's counter and our hook counts on one side
 * only, but never for long, and not at every look. So a drift is what stays, at
 * its least, for a second.
 */
void watch_drift_look(struct watch *w, u32 pool, u64 now)
{
	const struct pool *p = &w->shared->pools[pool];
	struct watched_pool *watched = &w->pools[pool];
	int drift = p->driver_total - p->driver_free - p->driver_in_use;
	struct episode e = watch_episode(w, pool, COND_DRIFT);

	if (!p->total || p->sight != SIGHT_FOLLOWED || !w->probes->knows_rule)
		return; /* by another rule it may count something else */
	watched->unseen_run = p->driver_unseen ? watched->unseen_run + 1 : 0;
	if (p->blind || watched->unseen_run > 1) {
		forget_drift(w, pool, now);
		return;
	}
	if (watched->unseen_run)
		return; /* it may be about to leave the queue, and we have seen its end */
	if (!drift || (s64)drift * watched->drift_least < 0) {
		watched->drift_run = 0;
		watched->drift_least = 0;
	}
	if (!drift) {
		watched->drift = 0;
		watched->drift_known = true;
		watch_found_over(w, pool, COND_DRIFT, now);
		return;
	}
	if (!watched->drift_run)
		watched->drift_since_ns = now;
	if (!watched->drift_run++ || abs(drift) < abs(watched->drift_least))
		watched->drift_least = drift;
	if (watched->drift_run < DRIFT_LOOKS)
		return;
	watched->drift = watched->drift_least;
	watched->drift_known = true;
	if (!watched->found[COND_DRIFT].lasts)
		watched->drift_reported = watched->drift;
	e.since_ns = watched->drift_since_ns;
	e.peak = (u32)abs(watched->drift);
	watch_found(w, pool, &e, now);
}
