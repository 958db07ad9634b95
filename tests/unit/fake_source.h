/* SPDX-License-Identifier: GPL-2.0-only */
/* A source with a script: two snapshots, events between and behind them, and calls. */
#ifndef OPTEE_TOP_FAKE_SOURCE_H
#define OPTEE_TOP_FAKE_SOURCE_H

#include <errno.h>
#include "source/source.h"

#define SECOND       1000000000ULL
#define MS           1000000ULL
#define FAKE_CALLS   1024
#define FAKE_EVENTS  64
#define FAKE_SECONDS 10

struct fake {
	struct host host;
	struct snapshot first, last;
	struct snap_session sessions[4];
	struct snap_call calls_now[4];
	struct event events[FAKE_EVENTS]; /* between the two */
	u32 nr_events;
	struct event behind[4]; /* behind the last */
	u32 nr_behind;
	struct call_record calls[FAKE_CALLS];
	u32 nr_calls;
	int step, given;
	struct source source;
};

static inline const struct snapshot *fake_next(void *ctx)
{
	struct fake *f = ctx;

	f->step++;
	errno = 0;
	return f->step == 1 ? &f->first : f->step == 2 ? &f->last : NULL;
}

static inline u32 fake_look(void *ctx, const struct event **events)
{
	struct fake *f = ctx;

	*events = f->step == 1 ? f->events : f->behind;
	return f->step == 1 ? f->nr_events : f->step == 2 ? f->nr_behind : LOOK_ENDED;
}

/* By threes, as if there were little room. */
static inline u32 fake_calls(void *ctx, const struct call_record **calls)
{
	struct fake *f = ctx;
	u32 n = f->nr_calls - f->given;

	if (f->step < 2)
		return 0;
	n = n < 3 ? n : 3;
	*calls = &f->calls[f->given];
	f->given += n;
	return n;
}

/* One pool with two threads on a driver that is in order, 10 s, 100 calls, nothing wrong. */
static inline void fake_init(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->host = (struct host){ .name = "fake", .starved_ns = SECOND, .calls = true };
	f->first = (struct snapshot){
		.seq = 1,
		.mono_ns = 100 * SECOND,
		.nr_pools = 1,
		.losses = { .missed_known = true },
		.nr_cpus = 2,
	};
	f->first.pools[0] = (struct snap_pool){
		.total = 2, .driver_free = 2, .drift_known = true, .system_sessions = 0
	};
	for (int i = 0; i < NR_CONDS; i++)
		f->first.pools[0].conds[i].known = true;
	f->last = f->first;
	f->last.seq = 2;
	f->last.mono_ns += FAKE_SECONDS * SECOND;
	f->last.interval_ns = FAKE_SECONDS * SECOND;
	f->last.pools[0].sums[CLASS_NORMAL].calls = 100;
	f->last.sessions = f->sessions;
	f->last.calls = f->calls_now;
	f->source = (struct source){
		.ctx = f,
		.host = &f->host,
		.next = fake_next,
		.look = fake_look,
		.calls = fake_calls,
		.at_once = true,
	};
}

/* As in a recording that begins later: the first snapshot is not the very first. */
static inline void fake_later(struct fake *f)
{
	f->first.seq = 7;
	f->first.interval_ns = SECOND;
	f->last.seq = 8;
}

static inline struct event *fake_event(struct fake *f, enum condition cond, enum event_state state,
				       u64 episode, u64 ns)
{
	struct event *e = &f->events[f->nr_events++];

	*e = (struct event){
		.condition = cond,
		.state = state,
		.episode = episode,
		.since_ns = 101 * SECOND,
		.mono_ns = 101 * SECOND + ns,
		.duration_ns = ns,
		.peak = 1,
		.threads = 2,
		.in_use = { 1 },
		.waiting = { 1 },
		.driver_free = 1,
		.culprit = cond == COND_STRANDED ? 0 : -1,
		.nr_parties = 2,
		.parties = { { .tid = 10,
			       .comm = "A",
			       .ta = "os_test",
			       .cmd = CMD_INVOKE,
			       .behind = -1 },
			     { .tid = 11, .comm = "C", .waits = true, .behind = -1 } },
	};
	f->last.events = f->events;
	f->last.nr_events = f->nr_events;
	return e;
}

/* An episode, from its begin to its end, counted too. */
static inline void fake_episode(struct fake *f, enum condition cond, u64 ns)
{
	struct snap_cond *c = &f->last.pools[0].conds[cond];

	c->count++;
	c->ns += ns;
	if (ns > c->longest_ns)
		c->longest_ns = ns;
	fake_event(f, cond, EVENT_BEGIN, c->count, 0);
	fake_event(f, cond, EVENT_END, c->count, ns);
}

static inline void fake_waits(struct fake *f, enum call_class class, int nr, u64 wait_ns)
{
	for (int i = 0; i < nr; i++)
		f->calls[f->nr_calls++] = (struct call_record){ .start_ns = 101 * SECOND,
								.wait_ns = wait_ns,
								.hold_ns = MS,
								.class = class };
}

#endif
