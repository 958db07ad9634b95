/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thing of a snapshot looked at closely: a pool, the queue, a session. Each
 * becomes lines of a page; src/view_top.c decides where on the screen they go.
 */
#ifndef OPTEE_TOP_VIEW_DETAIL_H
#define OPTEE_TOP_VIEW_DETAIL_H

#include "fields.h"
#include "screen.h"

/* The pools: a bar of T cells, and the figures. */
void detail_pools(struct page *p, const struct snapshot *s);

/* What the bar, the columns and the losses mean, for the help screen. */
void detail_help(struct page *p);

/* The number of calls in the queue. */
int detail_waiters(const struct snapshot *s);

/* Who waits: a heading and at most rows lines. */
void detail_queue(struct page *p, const struct snapshot *s, int rows);

/* All pools together, and what was not seen: "lost 0  missed 0", or by name. */
void detail_totals(struct page *p, const struct snapshot *s);

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

/* The value of a session's field; returns buf. */
const char *detail_value(const struct session_field *f, const struct snapshot *s,
			 const struct snap_session *row, char *buf, size_t len);

#endif
