/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which events are worth a line of the log. A client can make hundreds of episodes a
 * second, for instance with threads that starve; the log must not consist of them. So of
 * each condition of a TEE instance there are at most EVENT_BURST lines at once and one a
 * second on average. Half of the burst is kept for episodes that begin or end. The end of
 * an episode whose begin was written is always written, for up to EVENT_OPEN episodes at
 * once. What is left out is counted.
 */
#ifndef OPTEE_TOP_EVENT_QUOTA_H
#define OPTEE_TOP_EVENT_QUOTA_H

#include "event.h"

#define EVENT_BURST     100
#define EVENT_REFILL_NS 1000000000ULL
#define EVENT_OPEN      128 /* episodes whose end is waited for */

/* Of a condition of a TEE instance. */
struct event_quota {
	bool used;
	u32 tee;
	u32 left;
	u64 refilled_ns;
	u64 open[EVENT_OPEN];  /* serials of episodes whose begin was written; 0: none */
	u64 omitted, since_ns; /* left out since that was last reported, and the first of them */
};

struct event_quotas {
	struct event_quota of[MAX_POOLS][NR_CONDS];
};

/* Is it to be written? fits: there is room for another begin. If not it is counted. */
bool event_quota_take(struct event_quotas *q, const struct event *e, bool fits);

#endif
