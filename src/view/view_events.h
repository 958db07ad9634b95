/* SPDX-License-Identifier: GPL-2.0-only */
/* The events command: conditions as they begin, last and end. */
#ifndef OPTEE_TOP_VIEW_EVENTS_H
#define OPTEE_TOP_VIEW_EVENTS_H

#include "options/opts.h"
#include "source/source.h"

/* Prints events until a signal, the end of the source, or o->frames of them. */
enum status view_events(const struct opts *o, const struct source *source);

#endif
