/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's clocks, in nanoseconds. */
#ifndef OPTEE_TOP_CLOCK_H
#define OPTEE_TOP_CLOCK_H

#include <stdbool.h>
#include <time.h>
#include "types.h"

static inline u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static inline u64 clock_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/*
 * The deadline after one that was met at @now. Deadlines lie on a grid, unless this one was
 * met so late that the next interval would be cut short: every interval is a full one.
 */
static inline u64 next_deadline(u64 deadline, u64 interval, u64 now)
{
	bool late = now > deadline && now - deadline > interval / 10;

	return (late ? now : deadline) + interval;
}

#endif
