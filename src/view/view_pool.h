/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pools of TEE threads and their queue in the live view. Each becomes lines of
 * a page; src/view/view_top.c decides where on the screen they go.
 */
#ifndef OPTEE_TOP_VIEW_POOL_H
#define OPTEE_TOP_VIEW_POOL_H

#include "view/episode_log.h"
#include "view/screen.h"

/* The pools: a bar of T cells, the figures, and the conditions that last. */
void pool_lines(struct page *p, const struct snapshot *s);

/* The number of calls in the queue. */
int pool_waiters(const struct snapshot *s);

/* Who waits: a heading and at most rows lines. */
void pool_queue(struct page *p, const struct snapshot *s, const struct episode_log *l, int rows);

/* All pools together, and what was not seen: "lost 0  missed 0", or by name. */
void pool_totals(struct page *p, const struct snapshot *s);

/* What the signs of the bar mean, for the help screen. */
void pool_help(struct page *p);

#endif
