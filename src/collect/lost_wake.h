/* SPDX-License-Identifier: GPL-2.0-only */
/* The lost wakes of a pool, from one look to the next: which last, and what the others were. */
#ifndef OPTEE_TOP_LOST_WAKE_H
#define OPTEE_TOP_LOST_WAKE_H

#include <stdbool.h>
#include "abi.h"

#define MAX_LOST_WAKES MAX_CALLS /* at one look */

/* All zero at first. */
struct lost_wakes {
	struct {
		u64 since_ns; /* the time of the wake, which tells it from others */
		bool seen;    /* at this look */
	} lost[MAX_LOST_WAKES];
	u32 nr;
	u64 since_ns;           /* of the earliest that lasts; 0: none does */
	struct cond_count over; /* those that do not last any more */
};

/* Has the wake of this call been lost, by what the kernel's side knows? since: of the wake. */
bool lost_wake_of(const struct call *c, u64 *since);

/* At this look it lasts; at most MAX_LOST_WAKES do. */
void lost_wakes_see(struct lost_wakes *l, u64 since);

/* The look is over: what it has not seen is over, too. */
void lost_wakes_looked(struct lost_wakes *l, u64 now);

#endif
