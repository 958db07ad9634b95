// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot and a log that stay as they are while newer ones come. */
#include <stdlib.h>
#include "model/snapshot_copy.h"
#include "view/paused_view.h"

bool freeze(struct frozen *f, const struct snapshot *s, const struct condition_log *l)
{
	if (!condition_log_copy(&f->log, l))
		return false;
	f->snapshot = snapshot_copy(s, NULL, 0);
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
