/* SPDX-License-Identifier: GPL-2.0-only */
/* A snapshot of one's own, while its source goes on. */
#ifndef OPTEE_TOP_SNAPSHOT_COPY_H
#define OPTEE_TOP_SNAPSHOT_COPY_H

#include "snapshot.h"

/*
 * A copy with all that it points to, but without the events; with so many rows of
 * sessions more, behind its own. In one piece: free() ends it. NULL: out of memory.
 */
struct snapshot *snapshot_copy(const struct snapshot *s, const struct snap_session *more,
			       u32 nr_more);

#endif
