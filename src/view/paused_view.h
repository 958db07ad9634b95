/* SPDX-License-Identifier: GPL-2.0-only */
/* What the live view shows while it is paused. */
#ifndef OPTEE_TOP_PAUSED_VIEW_H
#define OPTEE_TOP_PAUSED_VIEW_H

#include "view/episode_log.h"

struct paused_view {
	struct snapshot *snapshot; /* NULL: nothing is frozen */
	struct episode_log log;
};

/* Copies both, with all that they point to; false: out of memory, nothing is frozen. */
bool paused_view_take(struct paused_view *f, const struct snapshot *s, const struct episode_log *l);

void paused_view_release(struct paused_view *f);

#endif
