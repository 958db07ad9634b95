/* SPDX-License-Identifier: GPL-2.0-only */
/* A view of the running kernel. */
#ifndef OPTEE_TOP_RUN_LIVE_H
#define OPTEE_TOP_RUN_LIVE_H

#include "options/opts.h"
#include "source/recorder.h"

typedef enum status (*view_fn)(const struct opts *o, const struct source *source);

/* Of what the daemon saw before, unless --since asks for all of it. */
enum wanted_past { PAST_NONE, PAST_EVENTS };

/*
 * Runs a view on the running kernel, and again each time the driver was unloaded and
 * came back. What it sees goes through a recorder, if there is one.
 */
enum status run_live(const struct opts *o, view_fn view, enum wanted_past past,
		     struct recorder *recorder);

#endif
