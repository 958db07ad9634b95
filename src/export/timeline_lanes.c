// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of the lanes that are free at its start a stay gets the one that became free last:
 * for stays in the order of their ends this never takes a lane more than it must.
 */
#include <stdlib.h>
#include "export/timeline_lanes.h"

#define LASTS (~0ULL)

static u32 latest_free(const struct timeline_lanes *l, u64 start_ns)
{
	u32 best = LANE_NONE;

	for (u32 i = 0; i < l->count; i++) {
		u64 end = l->lanes[i].end_ns;

		if (end <= start_ns && (best == LANE_NONE || end > l->lanes[best].end_ns))
			best = i;
	}
	return best;
}

/* A stay that comes late, after one which began when it was over. */
static u32 gap_before_last(const struct timeline_lanes *l, u64 start_ns, u64 end_ns)
{
	for (u32 i = 0; i < l->count; i++)
		if (l->lanes[i].before_ns <= start_ns && end_ns < l->lanes[i].start_ns)
			return i;
	return LANE_NONE;
}

static u32 ends_first(const struct timeline_lanes *l)
{
	u32 first = 0;

	for (u32 i = 1; i < l->count; i++)
		if (l->lanes[i].end_ns < l->lanes[first].end_ns)
			first = i;
	return first;
}

static u32 add(struct timeline_lanes *l)
{
	if (l->count == LANES_MAX)
		return ends_first(l);
	if (l->count == l->room) {
		u32 room = l->room ? l->room * 2 : 8;
		struct timeline_lane *more = realloc(l->lanes, room * sizeof(*more));

		if (!more)
			return LANE_NONE;
		l->lanes = more;
		l->room = room;
	}
	l->lanes[l->count] = (struct timeline_lane){};
	return l->count++;
}

static void set_last(struct timeline_lane *lane, u64 start_ns, u64 end_ns, u64 id)
{
	*lane = (struct timeline_lane){
		.start_ns = start_ns, .end_ns = end_ns, .before_ns = lane->end_ns, .id = id
	};
}

u32 timeline_lanes_place(struct timeline_lanes *l, u64 start_ns, u64 end_ns)
{
	u32 i = latest_free(l, start_ns);

	if (i == LANE_NONE) {
		i = gap_before_last(l, start_ns, end_ns);
		if (i != LANE_NONE) {
			l->lanes[i].before_ns = end_ns;
			return i;
		}
		i = add(l);
	}
	if (i != LANE_NONE)
		set_last(&l->lanes[i], start_ns, end_ns, 0);
	return i;
}

u32 timeline_lanes_begin(struct timeline_lanes *l, u64 start_ns, u64 id)
{
	u32 i = latest_free(l, start_ns);

	if (i == LANE_NONE)
		i = add(l);
	if (i != LANE_NONE)
		set_last(&l->lanes[i], start_ns, LASTS, id);
	return i;
}

static u32 find(const struct timeline_lanes *l, u64 id)
{
	for (u32 i = 0; i < l->count; i++)
		if (l->lanes[i].end_ns == LASTS && l->lanes[i].id == id)
			return i;
	return LANE_NONE;
}

bool timeline_lanes_lasts(const struct timeline_lanes *l, u64 id)
{
	return find(l, id) != LANE_NONE;
}

u32 timeline_lanes_end(struct timeline_lanes *l, u64 end_ns, u64 id)
{
	u32 i = find(l, id);

	if (i != LANE_NONE)
		l->lanes[i].end_ns = end_ns;
	return i;
}

void timeline_lanes_free(struct timeline_lanes *l)
{
	free(l->lanes);
	*l = (struct timeline_lanes){};
}
