/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot as metrics: one exposition, made of the field tables. Its size is bounded
 * by that of snapshot.tas, however many sessions there are.
 */
#ifndef OPTEE_TOP_METRICS_H
#define OPTEE_TOP_METRICS_H

#include "host.h"
#include "metrics/daemon_stats.h"
#include "metrics/metric_text.h"

/* The media type of each dialect. */
const char *metrics_type(enum metrics_dialect dialect);

/*
 * Prints all there is to say. s: NULL, or without pools: the driver is not there. self:
 * NULL when this is no daemon. Whether it could be written is for the owner of out to ask.
 */
void metrics_print(FILE *out, enum metrics_dialect dialect, const struct host *host,
		   const struct snapshot *s, const struct daemon_stats *self);

#endif
