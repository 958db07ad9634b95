// SPDX-License-Identifier: GPL-2.0-only
/* Each wake has a time of its own: the driver gives them one by one, under its queue's lock. */
#include "collect/lost_wake.h"

bool lost_wake_of(const struct call *c, u64 *since)
{
	*since = c->woken_ns & ~WOKEN_FLAGS;
	return c->flags & CALL_WAITING && c->woken_ns & WOKEN_LOST;
}

void lost_wakes_see(struct lost_wakes *l, u64 since)
{
	u32 i = 0;

	while (i < l->nr && l->lost[i].since_ns != since)
		i++;
	if (i == MAX_LOST_WAKES)
		return;
	if (i == l->nr)
		l->lost[l->nr++].since_ns = since;
	l->lost[i].seen = true;
}

void lost_wakes_looked(struct lost_wakes *l, u64 now)
{
	u32 kept = 0;

	l->since_ns = 0;
	for (u32 i = 0; i < l->nr; i++) {
		u64 since = l->lost[i].since_ns, ns = now - since;

		if (l->lost[i].seen) {
			l->lost[kept].since_ns = since;
			l->lost[kept++].seen = false;
			if (!l->since_ns || since < l->since_ns)
				l->since_ns = since;
			continue;
		}
		l->over.count++;
		l->over.ns += ns;
		if (ns > l->over.longest_ns)
			l->over.longest_ns = ns;
		l->over.peak = 1;
	}
	l->nr = kept;
}
