// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot and a log that stay as they are while newer ones come. */
#include <stdlib.h>
#include <string.h>
#include "freeze.h"
#include "hist.h"

/* The counts of a session's histograms, one behind the other. */
static u64 *hists_copy(struct snap_session *row, struct hist64 *to, u64 *counts)
{
	const struct hist64 **const of_row[] = { &row->wait, &row->hold, &row->secure };

	for (int i = 0; i < 3; i++) {
		to[i] = (struct hist64){ .room = HIST_OCTAVES, .count = counts };
		counts += hist_counts(*of_row[i]);
		hist_copy(&to[i], *of_row[i]);
		*of_row[i] = &to[i];
	}
	return counts;
}

/* A copy with all that it points to, in one piece: free() ends it. The events are in the log. */
static struct snapshot *snapshot_copy(const struct snapshot *s)
{
	size_t rows = s->nr_sessions * sizeof(*s->sessions), tas = s->nr_tas * sizeof(*s->tas);
	size_t calls = s->nr_calls * sizeof(*s->calls), hists = 0, counts = 0;
	struct snapshot *copy;
	struct hist64 *h;
	u64 *c;

	for (u32 i = 0; i < s->nr_sessions; i++) {
		const struct snap_session *row = &s->sessions[i];

		if (!row->wait)
			continue;
		hists += 3;
		counts += hist_counts(row->wait) + hist_counts(row->hold) +
			  hist_counts(row->secure);
	}
	copy = malloc(sizeof(*s) + rows + tas + calls + hists * sizeof(*h) + counts * sizeof(*c));
	if (!copy)
		return NULL;
	*copy = *s;
	c = (u64 *)(copy + 1);
	h = (struct hist64 *)(c + counts);
	copy->sessions = (struct snap_session *)(h + hists);
	copy->tas = (struct snap_ta *)(copy->sessions + s->nr_sessions);
	copy->calls = (struct snap_call *)(copy->tas + s->nr_tas);
	copy->events = NULL;
	copy->nr_events = 0;
	if (rows)
		memcpy(copy->sessions, s->sessions, rows);
	if (tas)
		memcpy(copy->tas, s->tas, tas);
	if (calls)
		memcpy(copy->calls, s->calls, calls);
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (copy->sessions[i].wait) {
			c = hists_copy(&copy->sessions[i], h, c);
			h += 3;
		}
	return copy;
}

bool freeze(struct frozen *f, const struct snapshot *s, const struct condition_log *l)
{
	if (!condition_log_copy(&f->log, l))
		return false;
	f->snapshot = snapshot_copy(s);
	if (!f->snapshot)
		condition_log_free(&f->log);
	return f->snapshot;
}

void thaw(struct frozen *f)
{
	free(f->snapshot);
	f->snapshot = NULL;
	condition_log_free(&f->log);
}
