// SPDX-License-Identifier: GPL-2.0-only
/* What was gained is the difference to the snapshot that was given before. */
#include <stdlib.h>
#include <string.h>
#include "model/class_sums.h"
#include "model/snapshot_copy.h"
#include "source/snapshot_merge.h"

static void forget_ended(struct snapshot_merge *m)
{
	for (u32 i = 0; i < m->nr_ended; i++) {
		hist_release(&m->ended[i].wait);
		hist_release(&m->ended[i].hold);
		hist_release(&m->ended[i].secure);
	}
	m->nr_ended = 0;
}

void snapshot_merge_release(struct snapshot_merge *m)
{
	forget_ended(m);
	free(m->ended);
	free(m->given);
	memset(m, 0, sizeof(*m));
}

static bool keep_ended(struct snapshot_merge *m, const struct snap_session *row)
{
	struct ended_row *e;

	if (m->nr_ended == SESSION_SLOTS) {
		m->dropped++;
		return true;
	}
	if (m->nr_ended == m->room) {
		u32 room = m->room ? 2 * m->room : 16;
		struct ended_row *more = realloc(m->ended, room * sizeof(*more));

		if (!more)
			return false;
		m->ended = more;
		m->room = room;
	}
	e = &m->ended[m->nr_ended++];
	*e = (struct ended_row){ .row = *row };
	return !row->wait || (hist_copy(&e->wait, row->wait) && hist_copy(&e->hold, row->hold) &&
			      hist_copy(&e->secure, row->secure));
}

bool snapshot_merge_pass(struct snapshot_merge *m, const struct snapshot *s)
{
	if (!m->given)
		return true; /* nobody has asked for what was before the first */
	m->passed++;
	for (u32 i = 0; i < s->nr_pools; i++)
		m->blind |= (u32)!pool_followed(&s->pools[i]) << i;
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (!s->sessions[i].open && !keep_ended(m, &s->sessions[i]))
			return false;
	return true;
}

void snapshot_merge_break(struct snapshot_merge *m)
{
	forget_ended(m);
	m->broken = true;
}

/* before: the same session's row in the snapshot of before, or one that is all 0. */
static void span_session(struct snap_session *row, const struct snap_session *before)
{
	row->sums_iv = (struct class_sums){};
	for (int class = 0; class < NR_CLASSES; class ++) {
		struct class_sums gain = sums_since(&row->sums[class], &before->sums[class]);

		sums_add(&row->sums_iv, &gain);
	}
	if (!row->wait)
		return;
	row->wait_iv = hist_since(row->wait, before->wait);
	row->hold_iv = hist_since(row->hold, before->hold);
	row->secure_iv = hist_since(row->secure, before->secure);
}

static void span_sessions(struct snapshot *s, const struct snapshot *before)
{
	static const struct snap_session none;
	const struct snap_session *row_of[SESSION_SLOTS] = {};

	for (u32 i = 0; i < before->nr_sessions; i++)
		if (before->sessions[i].open)
			row_of[before->sessions[i].slot] = &before->sessions[i];
	for (u32 i = 0; i < s->nr_sessions; i++) {
		struct snap_session *row = &s->sessions[i];
		const struct snap_session *then = row_of[row->slot];

		span_session(row, then && then->serial == row->serial ? then : &none);
	}
}

static void span_pool(struct snap_pool *p, const struct snap_pool *before, bool blind)
{
	if (blind && p->sight == SIGHT_FOLLOWED)
		p->sight = SIGHT_BLIND;
	for (int class = 0; class < NR_CLASSES; class ++)
		p->sums_iv[class] = sums_since(&p->sums[class], &before->sums[class]);
	p->exhausted_ns_iv = p->conds[COND_EXHAUSTED].ns - before->conds[COND_EXHAUSTED].ns;
}

/* Figures of the interval, from the snapshot before on. */
static void span(struct snapshot *s, const struct snapshot *before, u32 blind)
{
	static const struct snap_pool none;

	s->interval_ns = s->mono_ns - before->mono_ns;
	for (u32 i = 0; i < s->nr_pools; i++)
		span_pool(&s->pools[i], i < before->nr_pools ? &before->pools[i] : &none,
			  blind >> i & 1);
	span_sessions(s, before);
}

const struct snapshot *snapshot_merge_give(struct snapshot_merge *m, const struct snapshot *s)
{
	u32 room = SESSION_SLOTS - s->nr_sessions, nr = m->nr_ended;
	struct snap_session *rows = calloc(nr + 1, sizeof(*rows));
	struct snapshot *copy = NULL;

	if (nr > room) {
		m->dropped += nr - room;
		nr = room;
	}
	for (u32 i = 0; rows && i < nr; i++) {
		rows[i] = m->ended[i].row;
		if (!rows[i].wait)
			continue;
		rows[i].wait = &m->ended[i].wait;
		rows[i].hold = &m->ended[i].hold;
		rows[i].secure = &m->ended[i].secure;
	}
	if (rows)
		copy = snapshot_copy(s, rows, nr);
	free(rows);
	if (!copy)
		return NULL;
	if (m->given && m->passed && !m->broken && s->mono_ns >= m->given->mono_ns)
		span(copy, m->given, m->blind);
	free(m->given);
	m->given = copy;
	m->passed = m->blind = 0;
	m->broken = false;
	copy->losses.count[LOSS_SESSION_CLOSED] += m->dropped;
	forget_ended(m);
	return copy;
}
