/* SPDX-License-Identifier: GPL-2.0-only */
/* What a look at the attached probes asks of the kernel. */
#ifndef OPTEE_TOP_PROBES_LOOK_H
#define OPTEE_TOP_PROBES_LOOK_H

#include <stdbool.h>
#include "probe/attach.h"

/* Hook runs that the kernel skipped; false where it does not say. */
bool probes_missed(const struct probes *p, u64 *missed);

/* Refreshes the driver's own counters in the shared area; 0 or -errno. */
int probes_inspect(const struct probes *p);

/* Is it seen how long tasks wait for the argument cache? A driver that has none lets nobody wait. */
static inline bool probes_see_arguments(const struct probes *p, const struct pool *pool)
{
	return p->sees_contention || !pool->arguments;
}

/* Is it seen who does now? Not while there are some who did before us. */
static inline bool probes_see_waiters_at_arguments(const struct probes *p, const struct pool *pool)
{
	return probes_see_arguments(p, pool) && !pool->arguments_late;
}

#endif
