/* SPDX-License-Identifier: GPL-2.0-only */
/* The live view: what a terminal shows, and the keys. */
#ifndef OPTEE_TOP_VIEW_TOP_H
#define OPTEE_TOP_VIEW_TOP_H

#include "options/opts.h"
#include "source/source.h"

/*
 * Shows snapshots, one every o->delay seconds, until q, a signal, o->frames
 * intervals (the last frame stands for one, too) or the end of the source, which
 * errno then tells apart: ENODEV, 0. STATUS_FAILURE, after saying why, when the
 * terminal cannot be used or the source fails. Gives the terminal back always.
 */
enum status view_top(const struct opts *o, const struct source *source);

#endif
