// SPDX-License-Identifier: GPL-2.0-only
/* The episodes of conditions that only the looks find. */
#include <string.h>
#include "collect/found.h"
#include "collect/watch_state.h"

struct episode watch_episode(const struct watch *w, u32 pool, enum condition cond)
{
	const struct pool *p = &w->shared->pools[pool];

	return (struct episode){
		.state = p->state,
		.driver_free = p->driver_free,
		.driver_sys_sessions = p->driver_sys_sessions,
		.peak = 1,
		.cond = (u8)cond,
		.pool = (u8)pool,
	};
}

void watch_found(struct watch *w, u32 pool, struct episode *e, u64 now)
{
	struct found *f = &w->pools[pool].found[e->cond];

	if (!f->lasts) {
		e->serial = f->episode.serial + 1;
		f->episode = *e;
		f->lasts = true;
	}
	if (e->peak > f->episode.peak)
		f->episode.peak = e->peak;
	if (e->nr_parties > f->episode.nr_parties) {
		f->episode.nr_parties = e->nr_parties;
		memcpy(f->episode.parties, e->parties, sizeof(e->parties));
	}
	episodes_lasts(w->episodes, &f->episode, now);
}

void watch_found_over(struct watch *w, u32 pool, enum condition cond, u64 now)
{
	struct found *f = &w->pools[pool].found[cond];
	u64 ns = now - f->episode.since_ns;

	if (!f->lasts)
		return;
	f->lasts = false;
	f->count.count++;
	f->count.ns += ns;
	if (ns > f->count.longest_ns)
		f->count.longest_ns = ns;
	if (f->episode.peak > f->count.peak)
		f->count.peak = f->episode.peak;
}
