// SPDX-License-Identifier: GPL-2.0-only
/* What happened to the queue, an episode each, for as long as there is room. */
#include <stdlib.h>
#include <string.h>
#include "model/condition_table.h"
#include "view/episode_log.h"

#define RECENT_NS 30000000000 /* what ended within is worth a line */

void episode_log_free(struct episode_log *l)
{
	while (l->nr)
		free(l->episodes[--l->nr]);
}

bool episode_log_copy(struct episode_log *to, const struct episode_log *from)
{
	for (; to->nr < from->nr; to->nr++) {
		struct event *copy = malloc(sizeof(*copy));

		if (!copy) {
			episode_log_free(to);
			return false;
		}
		*copy = *from->episodes[to->nr];
		to->episodes[to->nr] = copy;
	}
	return true;
}

static bool lasts(const struct event *e)
{
	return e->state != EVENT_END;
}

static struct event *find(const struct episode_log *l, const struct event *e)
{
	for (int i = l->nr; i-- > 0;) {
		struct event *known = l->episodes[i];

		if (known->condition == e->condition && known->tee == e->tee &&
		    known->episode == e->episode)
			return known;
	}
	return NULL;
}

/* What is worth more room: what lasts, then what is wrong. */
enum { RANKS = 4 };

static int rank(const struct event *e)
{
	return 2 * lasts(e) + condition_table[e->condition].alarm;
}

/* Takes the oldest of those that are worth least out of the log; NULL: there is none. */
static struct event *forget_one(struct episode_log *l)
{
	struct event *gone;
	int at = 0;

	for (int i = 1; i < l->nr; i++)
		if (rank(l->episodes[i]) < rank(l->episodes[at]))
			at = i;
	if (!l->nr)
		return NULL;
	gone = l->episodes[at];
	l->nr--;
	memmove(&l->episodes[at], &l->episodes[at + 1], (size_t)(l->nr - at) * sizeof(gone));
	return gone;
}

bool episode_log_take(struct episode_log *l, const struct event *e)
{
	struct event *known = find(l, e);

	if (known) {
		event_goes_on(known, e);
		return false;
	}
	known = l->nr < LOG_EPISODES ? malloc(sizeof(*known)) : NULL;
	if (!known)
		known = forget_one(l);
	if (!known)
		return false;
	*known = *e;
	l->episodes[l->nr++] = known;
	return condition_table[e->condition].alarm;
}

static const struct snap_pool *pool_of(const struct snapshot *s, u32 tee)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		if (s->pools[i].id == tee)
			return &s->pools[i];
	return NULL;
}

void episode_log_settle(struct episode_log *l, const struct snapshot *s)
{
	for (int i = 0; i < l->nr; i++) {
		struct event *e = l->episodes[i];
		const struct snap_pool *pool = lasts(e) ? pool_of(s, e->tee) : NULL;

		if (!pool || pool->conds[e->condition].lasting)
			continue;
		e->duration_ns = episode_log_duration(e, s);
		e->state = EVENT_END;
		e->end_unseen = true;
	}
}

u64 episode_log_duration(const struct event *e, const struct snapshot *s)
{
	u64 until = e->since_ns + e->duration_ns;

	return lasts(e) && s->mono_ns > until ? s->mono_ns - e->since_ns : e->duration_ns;
}

static bool recent(const struct event *e, const struct snapshot *s)
{
	return lasts(e) || e->since_ns + e->duration_ns + RECENT_NS > s->mono_ns;
}

int episode_log_recent(const struct episode_log *l, const struct snapshot *s, int most,
		       int *indices)
{
	bool chosen[LOG_EPISODES] = {};
	int n = 0, shown = 0;

	for (int r = RANKS; r-- > 0;)
		for (int i = l->nr; i-- > 0 && n < most;) {
			const struct event *e = l->episodes[i];

			chosen[i] |= rank(e) == r && (recent(e, s) || i == l->nr - 1);
			n += chosen[i] && rank(e) == r;
		}
	for (int i = 0; i < l->nr; i++)
		if (chosen[i])
			indices[shown++] = i;
	return shown;
}

/*
 * The call, not only its task: it waits, or holds a thread, as it did then, and is
 * not younger than the episode. Its age was taken a moment after the snapshot's time,
 * which makes it look a little older.
 */
static bool is_party(const struct event *e, u32 i, const struct snapshot *s,
		     const struct snap_call *call)
{
	const struct event_party *p = &e->parties[i];

	return p->tid == call->tid && p->waits == call->queued &&
	       (call->late || s->mono_ns <= call->age_ns + e->since_ns) && event_involves(e, i);
}

enum mark episode_log_call(const struct episode_log *l, const struct snapshot *s,
			   const struct snap_call *call, const char **name)
{
	enum mark mark = MARK_NONE;

	if (name)
		*name = NULL;
	for (int n = 0; n < l->nr; n++) {
		const struct event *e = l->episodes[n];
		const struct condition_row *row = &condition_table[e->condition];
		enum mark here = row->alarm ? MARK_ALARM : MARK_LOAD;

		if (!lasts(e) || e->tee != s->pools[call->pool].id || here <= mark)
			continue;
		for (u32 i = 0; i < e->nr_parties && mark != here; i++)
			if (is_party(e, i, s, call))
				mark = here;
		if (mark == here && name)
			*name = row->name;
	}
	return mark;
}

enum mark episode_log_session(const struct episode_log *l, const struct snapshot *s, u32 session)
{
	enum mark mark = MARK_NONE;

	for (u32 i = 0; i < s->nr_calls; i++) {
		enum mark here = MARK_NONE;

		if (s->calls[i].session == (int)session)
			here = episode_log_call(l, s, &s->calls[i], NULL);
		if (here > mark)
			mark = here;
	}
	return mark;
}

bool episode_lasts(const struct snap_pool *pool, enum condition cond, u64 now)
{
	const struct snap_cond *c = &pool->conds[cond];
	u64 least = condition_table[cond].report_ns;

	return c->known && c->lasting && now >= c->since_ns + least;
}
