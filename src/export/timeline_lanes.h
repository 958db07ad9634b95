/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lanes for stays that must not overlap on a timeline. It keeps the last stays of
 * each lane and no more, so stays may come without end. They are to come in the
 * order of their ends; then no more lanes are used than stays overlap. Of two whose
 * order was changed by a little, both still find a place.
 */
#ifndef OPTEE_TOP_TIMELINE_LANES_H
#define OPTEE_TOP_TIMELINE_LANES_H

#include <stdbool.h>
#include "abi.h"

#define LANE_NONE (~0U)
#define LANES_MAX 1024 /* more stays at once overlap: no queue has that many, but a file may */

struct timeline_lane {
	u64 start_ns, end_ns; /* of its last stay; end ~0: it lasts */
	u64 before_ns;        /* the end of the one before that */
	u64 id;               /* of the stay that lasts */
};

struct timeline_lanes {
	struct timeline_lane *lanes;
	u32 count, room;
};

/* The lane for a stay; LANE_NONE: out of memory. */
u32 timeline_lanes_place(struct timeline_lanes *l, u64 start_ns, u64 end_ns);

/* A stay that has begun, its end is not known: id tells it apart. */
u32 timeline_lanes_begin(struct timeline_lanes *l, u64 start_ns, u64 id);

/* Has id begun, and not ended? */
bool timeline_lanes_lasts(const struct timeline_lanes *l, u64 id);

/* The lane on which id has begun, from now on free; LANE_NONE: on none. */
u32 timeline_lanes_end(struct timeline_lanes *l, u64 end_ns, u64 id);

void timeline_lanes_free(struct timeline_lanes *l);

#endif
