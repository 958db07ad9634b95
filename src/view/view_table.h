/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of sessions in the live view: which rows in which order, which
 * columns fit, which row is selected. src/view/view_top.c says where it goes.
 */
#ifndef OPTEE_TOP_VIEW_TABLE_H
#define OPTEE_TOP_VIEW_TABLE_H

#include "options/opts.h"
#include "view/episode_log.h"
#include "view/screen.h"

struct table {
	bool hide_idle, hide_closed;
	u32 *rows;                  /* indices of the sessions shown, in order */
	int nr_rows, at, top, seen; /* all, selected, first on the screen, on the screen */
	bool follow;                /* the selection stays with this session: */
	u32 slot;
	u64 serial;
	int *widths; /* of each field's column, as far as seen */
	int skip;    /* columns scrolled over to the right */
	bool more;   /* columns are left out at the right */
};

/* Takes the rows that are to be shown from s, in order; the selection follows its session. */
void table_arrange(struct table *t, const struct opts *o, const struct snapshot *s);

/* The selected session; NULL: no row is shown. */
const struct snap_session *table_selected(const struct table *t, const struct snapshot *s);

/* Moves the selection, if key is one that does. */
void table_move(struct table *t, const struct snapshot *s, int key);

/* The heading at y and seen rows below it; l has who is marked. */
void table_draw(struct table *t, struct screen *scr, int y, int seen, const struct opts *o,
		const struct snapshot *s, const struct episode_log *l);

#endif
