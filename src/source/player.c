// SPDX-License-Identifier: GPL-2.0-only
/* The pace of a recording. A snapshot stands for as long as it did when it was taken. */
#include <errno.h>
#include "source/player.h"

void player_init(struct player *p, struct recording *r, double speed)
{
	*p = (struct player){ .recording = r, .from = recording_source(r), .speed = speed };
}

static const struct snapshot *player_next(void *ctx)
{
	struct player *p = ctx;
	const struct snapshot *s = p->from.next(p->from.ctx);

	if (!s && !errno && p->shown) { /* what is left cannot be read: stay */
		recording_seek(p->recording, p->shown - 1);
		s = p->from.next(p->from.ctx);
		p->ended = true;
	}
	if (!s)
		return NULL;
	p->shown = recording_passed(p->recording);
	p->ended |= p->shown >= recording_snapshots(p->recording);
	p->interval_ns = s->interval_ns;
	return s;
}

/* A snapshot has its events with it: there is nothing to look for between two. */
static u32 player_look(void *ctx, const struct event **events)
{
	(void)ctx;
	(void)events;
	return 0;
}

struct source player_source(struct player *p)
{
	return (struct source){
		.ctx = p,
		.host = p->from.host,
		.next = player_next,
		.look = player_look,
		.player = p,
	};
}

u64 player_delay(const struct player *p)
{
	double ns;

	if (p->paused || p->ended)
		return ~0ULL;
	ns = (double)p->interval_ns / p->speed;
	return ns < 1e18 ? (u64)ns : (u64)1e18; /* 32 years: a file can say anything */
}

void player_seek(struct player *p, long frames, void (*take)(void *arg, const struct event *e),
		 void *arg)
{
	long last = (long)recording_snapshots(p->recording) - 1, to = (long)p->shown - 1 + frames;

	if (to > last)
		to = last;
	if (to < 0)
		to = 0;
	recording_events(p->recording, (u32)to, take, arg);
	recording_seek(p->recording, (u32)to);
	p->shown = (u32)to;
	p->ended = false;
}
