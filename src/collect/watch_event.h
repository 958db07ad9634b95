/* SPDX-License-Identifier: GPL-2.0-only */
/* An episode becomes an event: all its names are looked up. */
#ifndef OPTEE_TOP_WATCH_EVENT_H
#define OPTEE_TOP_WATCH_EVENT_H

#include "collect/watch_state.h"

/* An event_fn: an episode with all names looked up, appended to the events. */
void watch_report(void *arg, const struct episode *from, enum event_state state, u64 now,
		  bool end_unseen);

#endif
