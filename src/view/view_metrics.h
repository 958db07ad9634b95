/* SPDX-License-Identifier: GPL-2.0-only */
/* One exposition on standard output, as a scrape of the daemon would give it. */
#ifndef OPTEE_TOP_VIEW_METRICS_H
#define OPTEE_TOP_VIEW_METRICS_H

#include "options/opts.h"
#include "source/source.h"

/*
 * Prints what there is to say after one interval of o->delay seconds, in the classic
 * text format or, with o->openmetrics, as OpenMetrics. Nothing when it is asked to end
 * before, or when the source ends.
 */
enum status view_metrics(const struct opts *o, const struct source *source);

#endif
