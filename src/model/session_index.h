/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds a snapshot's sessions by their serials, for the calls that end by the million. */
#ifndef OPTEE_TOP_SESSION_INDEX_H
#define OPTEE_TOP_SESSION_INDEX_H

#include "snapshot.h"

struct session_index {
	const struct snap_session **rows; /* by serial */
	u32 count, room;
};

/* Valid as long as the snapshot. False: out of memory. */
bool session_index_make(struct session_index *x, const struct snapshot *s);
void session_index_free(struct session_index *x);

/* NULL: there is none. The serial of a call without a session, 0, has none. */
const struct snap_session *session_index_find(const struct session_index *x, u64 serial);

#endif
