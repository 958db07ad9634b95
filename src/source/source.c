// SPDX-License-Identifier: GPL-2.0-only
/* When the next snapshot of a source is due, and waiting for it. */
#include "base/stop.h"
#include "source/source.h"

u64 source_next_deadline(const struct source *source, u64 deadline, u64 interval)
{
	u64 now = clock_now();

	if (source_behind(source))
		return now + interval;
	/*
	 * A client that moved its grid each time it is late would drift past the daemon's
	 * and skip a snapshot. Its next frame is a whole one anyway.
	 */
	if (now <= deadline + source->pace_ns)
		return deadline + interval;
	return next_deadline(deadline, interval, now);
}

bool source_counts(const struct source *source, const struct snapshot *s, u64 interval)
{
	return !source->past_ns || s->mono_ns >= source->past_ns + interval;
}

bool source_wait(const struct source *source, u64 deadline)
{
	const struct event *events;
	u64 now = clock_now();

	if (source_behind(source))
		return !stop_asked;
	while (!stop_asked && now < deadline) {
		stop_sleep(deadline - now < LOOK_NS ? deadline : now + LOOK_NS);
		now = clock_now();
		if (now < deadline)
			source->look(source->ctx, &events);
	}
	return !stop_asked;
}
