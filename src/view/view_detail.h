/* SPDX-License-Identifier: GPL-2.0-only */
/* A session looked at closely, and the help screen: lines of a page. */
#ifndef OPTEE_TOP_VIEW_DETAIL_H
#define OPTEE_TOP_VIEW_DETAIL_H

#include "model/fields.h"
#include "view/screen.h"

/* What the marks, the bar, the columns, the conditions and the losses mean. */
void detail_help(struct page *p);

/* A session as it was last seen; it stays readable after its end. */
struct detail {
	struct snap_session row;
	struct hist64 wait, hold, secure; /* where row points, if it had calls */
	bool gone;                        /* it is not in the snapshots any more */
};

void detail_open(struct detail *d, const struct snap_session *row);

/* Takes the session's figures from a newer snapshot, if it is in there. */
void detail_update(struct detail *d, const struct snapshot *s);

/* s is where the session's pool is. */
void detail_session(struct page *p, const struct snapshot *s, const struct detail *d);

#endif
