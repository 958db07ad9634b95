// SPDX-License-Identifier: GPL-2.0-only
/* All in one piece of memory: the snapshot, counts, histograms, rows, calls. */
#include <stdlib.h>
#include <string.h>
#include "model/hist.h"
#include "model/snapshot_copy.h"

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

/* How many histograms the rows have, and how many counts these. */
static void count_hists(const struct snap_session *rows, u32 n, size_t *hists, size_t *counts)
{
	for (u32 i = 0; i < n; i++) {
		if (!rows[i].wait)
			continue;
		*hists += 3;
		*counts += hist_counts(rows[i].wait) + hist_counts(rows[i].hold) +
			   hist_counts(rows[i].secure);
	}
}

struct snapshot *snapshot_copy(const struct snapshot *s, const struct snap_session *more,
			       u32 nr_more)
{
	size_t rows = (s->nr_sessions + nr_more) * sizeof(*s->sessions),
	       tas = s->nr_tas * sizeof(*s->tas);
	size_t calls = s->nr_calls * sizeof(*s->calls), hists = 0, counts = 0;
	struct snapshot *copy;
	struct hist64 *h;
	u64 *c;

	count_hists(s->sessions, s->nr_sessions, &hists, &counts);
	count_hists(more, nr_more, &hists, &counts);
	copy = malloc(sizeof(*s) + rows + tas + calls + hists * sizeof(*h) + counts * sizeof(*c));
	if (!copy)
		return NULL;
	*copy = *s;
	c = (u64 *)(copy + 1);
	h = (struct hist64 *)(c + counts);
	copy->sessions = (struct snap_session *)(h + hists);
	copy->tas = (struct snap_ta *)(copy->sessions + s->nr_sessions + nr_more);
	copy->calls = (struct snap_call *)(copy->tas + s->nr_tas);
	copy->events = NULL;
	copy->nr_events = 0;
	copy->nr_sessions += nr_more;
	if (s->nr_sessions)
		memcpy(copy->sessions, s->sessions, s->nr_sessions * sizeof(*s->sessions));
	if (nr_more)
		memcpy(copy->sessions + s->nr_sessions, more, nr_more * sizeof(*more));
	if (tas)
		memcpy(copy->tas, s->tas, tas);
	if (calls)
		memcpy(copy->calls, s->calls, calls);
	for (u32 i = 0; i < copy->nr_sessions; i++)
		if (copy->sessions[i].wait) {
			c = hists_copy(&copy->sessions[i], h, c);
			h += 3;
		}
	return copy;
}
