// SPDX-License-Identifier: GPL-2.0-only
/* The interval is for what is only found by looking: drift takes a second to be known. */
#include "base/stop.h"
#include "metrics/metrics.h"
#include "view/view_metrics.h"

enum status view_metrics(const struct opts *o, const struct source *source)
{
	u64 due = clock_now() + (u64)(o->delay * 1e9);
	const struct snapshot *s = source->next(source->ctx);

	stop_catch();
	if (s && source_wait(source, due))
		s = source->next(source->ctx);
	if (!s || stop_asked)
		return STATUS_OK;
	metrics_print(stdout, o->openmetrics ? METRICS_OPENMETRICS : METRICS_CLASSIC, source->host,
		      s, NULL);
	return stop_flush();
}
