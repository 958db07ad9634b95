/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays a recording in the live view: at its own pace or another, with pauses,
 * forward and back.
 */
#ifndef OPTEE_TOP_PLAYER_H
#define OPTEE_TOP_PLAYER_H

#include "source/recording.h"

struct player {
	struct recording *recording;
	struct source from; /* its source */
	double speed;       /* seconds of the recording a second */
	bool paused;
	bool ended;      /* what is on the screen is the last */
	u32 shown;       /* number of the snapshot on the screen, from 1 on */
	u64 interval_ns; /* until the next one */
};

void player_init(struct player *p, struct recording *r, double speed);

/* p as a source of the live view, which takes the next snapshot when player_delay() is over. */
struct source player_source(struct player *p);

/* From now until the next snapshot is due, in ns; ~0: it is paused, or was the last. */
u64 player_delay(const struct player *p);

/*
 * Goes to the frame so many forward, or back; the next snapshot taken is that one.
 * take is called with each event before it, from the recording's beginning on.
 */
void player_seek(struct player *p, long frames, void (*take)(void *arg, const struct event *e),
		 void *arg);

#endif
