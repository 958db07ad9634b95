// SPDX-License-Identifier: GPL-2.0-only
/* An array that is sorted once a snapshot and searched once a call. */
#include <stdlib.h>
#include "model/session_index.h"

static int by_serial(const void *left, const void *right)
{
	const struct snap_session *a = *(const struct snap_session *const *)left,
				  *b = *(const struct snap_session *const *)right;

	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static int is_serial(const void *key, const void *at)
{
	u64 serial = *(const u64 *)key;
	const struct snap_session *row = *(const struct snap_session *const *)at;

	return serial < row->serial ? -1 : serial > row->serial;
}

bool session_index_make(struct session_index *x, const struct snapshot *s)
{
	if (x->room < s->nr_sessions) {
		const struct snap_session **more = realloc(x->rows, s->nr_sessions * sizeof(*more));

		if (!more)
			return false;
		x->rows = more;
		x->room = s->nr_sessions;
	}
	x->count = 0;
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].serial)
			x->rows[x->count++] = &s->sessions[i];
	if (x->count)
		qsort(x->rows, x->count, sizeof(*x->rows), by_serial);
	return true;
}

void session_index_free(struct session_index *x)
{
	free(x->rows);
	*x = (struct session_index){};
}

const struct snap_session *session_index_find(const struct session_index *x, u64 serial)
{
	const struct snap_session **found;

	if (!serial || !x->count)
		return NULL;
	found = bsearch(&serial, x->rows, x->count, sizeof(*x->rows), is_serial);
	return found ? *found : NULL;
}
