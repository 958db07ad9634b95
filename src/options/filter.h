/* SPDX-License-Identifier: GPL-2.0-only */
/* What -p lets through. */
#ifndef OPTEE_TOP_FILTER_H
#define OPTEE_TOP_FILTER_H

#include "event.h"
#include "options/opts.h"

/* Does the row pass -p? */
bool filter_shows(const struct opts *o, const struct snapshot *s, const struct snap_session *row);

/* Is one of those that an event is about of that process or name? */
bool filter_shows_event(const struct opts *o, const struct event *e);

#endif
