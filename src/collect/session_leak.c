// SPDX-License-Identifier: GPL-2.0-only
/*
 * Session leaks. The kernel's side finds the sessions whose context only the driver keeps; a
 * look may hit the moment in which a context is made or released, so they have to stay for a
 * second. One episode has them all: it does not end before the driver does.
 */
#include "collect/found.h"
#include "collect/session_leak.h"
#include "collect/watch_state.h"

#define LEAK_NS 1000000000 /* so long they have to be there */

/* Sessions, and no calls: who opened one may be gone for long. */
static void add_parties(const struct watch *w, u32 pool, struct episode *e)
{
	const struct pool *p = &w->shared->pools[pool];

	while (e->nr_parties < e->peak && e->nr_parties < MAX_PARTIES) {
		u32 slot = p->left_slots[e->nr_parties];
		struct party *to = &e->parties[e->nr_parties++];

		*to = (struct party){ .session_slot = slot,
				      .op = CMD_UNKNOWN,
				      .phase = PHASE_FREE,
				      .flags = CALL_LATE };
		if (slot >= SESSION_SLOTS)
			continue;
		to->serial = w->rows[slot].serial;
		to->tid = to->tgid = w->rows[slot].tgid;
	}
}

/* Since when there have been more than are reported; 0: there are none, or not for long enough. */
static u64 more_for_long(struct left_open *left, u32 found, u64 now)
{
	u64 since = left->since_ns;

	if (found <= left->reported) {
		left->since_ns = 0;
		return 0;
	}
	if (!since) {
		left->since_ns = now;
		left->least = found;
	}
	if (found < left->least)
		left->least = found;
	if (!since || now - since < LEAK_NS)
		return 0;
	left->since_ns = 0;
	left->reported = left->least;
	return since;
}

void watch_session_leak_look(struct watch *w, u32 pool, u64 now)
{
	s32 found = w->shared->pools[pool].left_open;
	struct left_open *left = &w->pools[pool].left_open;
	struct episode e = watch_episode(w, pool, COND_SESSION_LEAK);

	if (found < 0) /* nobody can tell; but what is left open stays so */
		found = (s32)left->reported;
	if (found < (s32)left->reported) { /* the driver was removed */
		watch_found_over(w, pool, COND_SESSION_LEAK, now);
		*left = (struct left_open){};
	}
	e.since_ns = more_for_long(left, found > 0 ? (u32)found : 0, now);
	e.peak = left->reported;
	if (!e.peak)
		return;
	add_parties(w, pool, &e);
	watch_found(w, pool, &e, now);
}
