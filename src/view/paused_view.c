// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot and a log that stay as they are while newer ones come. */
#include <stdlib.h>
#include "model/snapshot_copy.h"
#include "view/paused_view.h"

bool paused_view_take(struct paused_view *f, const struct snapshot *s, const struct episode_log *l)
{
	if (!episode_log_copy(&f->log, l))
		return false;
	f->snapshot = snapshot_copy(s, NULL, 0);
	if (!f->snapshot)
		episode_log_free(&f->log);
	return f->snapshot;
}

void paused_view_release(struct paused_view *f)
{
	free(f->snapshot);
	f->snapshot = NULL;
	episode_log_free(&f->log);
}
