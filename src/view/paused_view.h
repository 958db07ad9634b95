/* SPDX-License-Identifier: GPL-2.0-only */
/* What the live view shows while it is paused. */
#ifndef OPTEE_TOP_FREEZE_H
#define OPTEE_TOP_FREEZE_H

#include "view/episode_log.h"

struct frozen {
	struct snapshot *snapshot; /* NULL: nothing is frozen */
	struct condition_log log;
};

/* Copies both, with all that they point to; false: out of memory, nothing is frozen. */
bool freeze(struct frozen *f, const struct snapshot *s, const struct condition_log *l);

void thaw(struct frozen *f);

#endif
