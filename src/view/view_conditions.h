/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The conditions of the queue in the live view, as lines of a page: what lasts
 * now, what happened, how often. src/view/view_top.c decides where they go.
 */
#ifndef OPTEE_TOP_VIEW_CONDITIONS_H
#define OPTEE_TOP_VIEW_CONDITIONS_H

#include "view/episode_log.h"
#include "view/screen.h"

/* How rows are marked, by enum mark. */
#define MARK_SIGNS " +!"

/* Adds what lasts in a pool to its lines: "STRANDED 3.2s  exhausted 12ms". */
void view_conditions_pool(struct page *p, const struct snapshot *s, const struct snap_pool *pool);

/* The last episodes, one a line: rows lines, with blank ones where there are fewer. */
void view_conditions_pane(struct page *p, const struct snapshot *s, const struct episode_log *l,
			  int rows);

/* The counters of each condition, and all that is known of the episodes, the newest first. */
void view_conditions_page(struct page *p, const struct snapshot *s, const struct episode_log *l);

/* What the conditions mean, for the help screen. */
void view_conditions_help(struct page *p);

#endif
