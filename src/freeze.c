// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot and a log that stay as they are while newer ones come. */
#include <stdlib.h>
#include <string.h>
#include "freeze.h"

/* A copy with all that it points to, in one piece: free() ends it. The events are in the log. */
static struct snapshot *snapshot_copy(const struct snapshot *s)
{
	size_t rows = s->nr_sessions * sizeof(*s->sessions);
	size_t calls = s->nr_calls * sizeof(*s->calls), hists = 0;
	struct snapshot *copy;
	struct hist64 *h;

	for (u32 i = 0; i < s->nr_sessions; i++)
		hists += s->sessions[i].wait ? 3 : 0;
	copy = malloc(sizeof(*s) + rows + calls + hists * sizeof(*h));
	if (!copy)
		return NULL;
	*copy = *s;
	h = (struct hist64 *)(copy + 1);
	copy->sessions = (struct snap_session *)(h + hists);
	copy->calls = (struct snap_call *)(copy->sessions + s->nr_sessions);
	copy->events = NULL;
	copy->nr_events = 0;
	if (rows)
		memcpy(copy->sessions, s->sessions, rows);
	if (calls)
		memcpy(copy->calls, s->calls, calls);
	for (u32 i = 0; i < s->nr_sessions; i++) {
		struct snap_session *row = &copy->sessions[i];

		if (!row->wait)
			continue;
		h[0] = *row->wait;
		h[1] = *row->hold;
		h[2] = *row->secure;
		row->wait = h++;
		row->hold = h++;
		row->secure = h++;
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
