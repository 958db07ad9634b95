/* SPDX-License-Identifier: GPL-2.0-only */
/* The record command's own view: how far it is, on a terminal. */
#ifndef OPTEE_TOP_VIEW_RECORD_H
#define OPTEE_TOP_VIEW_RECORD_H

#include "options/opts.h"
#include "source/source.h"

/*
 * Takes snapshots, one every o->delay seconds, until a signal, the end of the
 * source, or o->frames intervals; a last one when it is asked to end.
 */
enum status view_record(const struct opts *o, const struct source *source);

#endif
