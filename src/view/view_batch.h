/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames on standard output, for files, pipes and dumb terminals. */
#ifndef OPTEE_TOP_VIEW_BATCH_H
#define OPTEE_TOP_VIEW_BATCH_H

#include "options/opts.h"
#include "source/source.h"

/*
 * Prints o->frames frames (0: without end), one every o->delay seconds, as
 * text or, with o->json, as one JSON object a line. Ends early when the source
 * does, when standard output is closed, and on SIGINT or SIGTERM.
 */
enum status view_batch(const struct opts *o, const struct source *source);

/* Does o ask for frames, or standard output for nothing else? */
bool view_batch_wanted(const struct opts *o);

#endif
