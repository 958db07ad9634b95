// SPDX-License-Identifier: GPL-2.0-only
/* From an episode, which has numbers and slots, to an event, which has names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "collect/watch_event.h"
#include "collect/watch_state.h"
#include "model/ta_names.h"

/* The names of a busy queue's tasks are asked for again and again: one is good for a second. */
static const char *comm_of(struct watch *w, u32 tid)
{
	struct known_comm *known = &w->comms[tid % KNOWN_COMMS];
	u64 now = clock_now();

	if (known->tid == tid && now - known->read_ns < COMM_NS && known->comm[0])
		return known->comm;
	known->tid = tid;
	known->read_ns = now;
	if (w->probes->knows_tasks)
		task_comm(tid, known->comm);
	return known->comm;
}

static void name_party(struct watch *w, struct event_party *to, const struct party *from)
{
	const struct session *row =
		&w->rows[from->session_slot < SESSION_SLOTS ? from->session_slot : 0];
	static const u8 none[16];
	char uuid[UUID_LEN];

	if (from->phase != PHASE_FREE) /* the tid of who left a session may be another task's */
		memcpy(to->comm, comm_of(w, from->tid), sizeof(to->comm));
	if (from->session_slot >= SESSION_SLOTS || !from->serial || row->serial != from->serial)
		return;
	to->serial = from->serial;
	to->session = row->id;
	text_sanitise(to->client, row->comm, COMM_LEN);
	if (memcmp(row->uuid, none, sizeof(none)))
		snprintf(to->ta, sizeof(to->ta), "%s",
			 ta_name(row->uuid) ?: uuid_format(row->uuid, uuid));
}

static void fill_party(struct watch *w, struct event_party *to, const struct party *from)
{
	*to = (struct event_party){
		.tid = from->tid,
		.tgid = from->tgid,
		.cmd = from->op,
		.func = from->func,
		.class = from->class,
		.phase = from->phase == PHASE_BLIND ? PHASE_RPC : from->phase,
		.rpc_kind = from->rpc_kind,
		.waits = from->flags & CALL_WAITING,
		.late = from->flags & CALL_LATE,
		.since_ns = from->since_ns,
		.since_at_least = from->flags & CALL_LATE &&
				  (from->flags & CALL_HELD || from->phase == PHASE_QUEUED),
		.swallowed = from->woken_ns & WOKEN_IN_VAIN,
		.behind = -1,
	};
	if (to->swallowed)
		to->swallowed_ns = from->woken_ns & ~WOKEN_FLAGS;
	name_party(w, to, from);
}

/*
 * The call that took the wake in vain with which the strand began. One that began
 * otherwise, with a waiter who had missed the wake on its way to sleep, is put down
 * to the only call that has such a wake; of several it is not known which.
 */
static int find_culprit(const struct event *e)
{
	int only = -1, swallowed = 0;

	if (condition_table[e->condition].evidence != EVIDENCE_WAKE)
		return -1;
	for (int i = 0; i < (int)e->nr_parties; i++) {
		const struct event_party *p = &e->parties[i];

		if (!p->swallowed)
			continue;
		if (p->swallowed_ns == (e->since_ns & ~WOKEN_FLAGS))
			return i;
		swallowed++;
		only = i;
	}
	return swallowed == 1 ? only : -1;
}

/* Of a deadlock: whom a party waits for. */
static void link_party(struct event *e, u32 i, const struct deadlock_call *links)
{
	struct event_party *p = &e->parties[i];

	p->behind = links[i].behind;
	p->one_of = links[i].one_of;
	p->by_supplicant = p->behind >= 0 && !links[i].lock && !links[i].at_arguments &&
			   links[p->behind].answers && links[p->behind].outer != (int)i;
}

static struct event *new_event(struct watch *w)
{
	if (w->nr_events == w->room && w->room < NEW_EVENTS) {
		u32 room = w->room ? 2 * w->room : 16;
		struct event *events = realloc(w->events, room * sizeof(*events));

		if (events) {
			w->events = events;
			w->room = room;
		}
	}
	if (w->nr_events == w->room) {
		w->dropped++;
		return NULL;
	}
	return &w->events[w->nr_events++];
}

static u64 real_time_of(u64 mono_ns)
{
	return clock_ns(CLOCK_REALTIME) - (clock_now() - mono_ns);
}

void watch_report(void *arg, const struct episode *from, enum event_state state, u64 now,
		  bool end_unseen)
{
	struct watch *w = arg;
	const struct pool *pool = &w->shared->pools[from->pool];
	struct watched_pool *watched = &w->pools[from->pool];
	struct pool_state s = pool_state(from->state);
	struct event *e = new_event(w);
	enum condition_evidence evidence = condition_table[from->cond].evidence;
	bool counts = pool->driver_flags & DRIVER_COUNTS && pool->total;

	if (!e)
		return;
	*e = (struct event){
		.condition = from->cond,
		.state = state,
		.tee = pool->id,
		.episode = from->serial,
		.since_ns = from->since_ns,
		.mono_ns = now,
		.real_ns = real_time_of(now),
		.duration_ns = now > from->since_ns ? now - from->since_ns : 0,
		.end_unseen = end_unseen,
		.peak = from->peak,
		.threads = pool->total ? pool->total : -1,
		.reserved = s.reserved,
		.in_use = { s.in_use[0], s.in_use[1] },
		.waiting = { s.waiting[0], s.waiting[1] },
		.driver_free = counts ? from->driver_free : -1,
		.driver_sys_sessions =
			pool->driver_flags & DRIVER_SYS_SESSIONS ? from->driver_sys_sessions : -1,
		.drift = evidence == EVIDENCE_DRIFT ? watched->drift_reported : 0,
		.unreported = w->shared->loss[LOSS_EPISODE] + w->dropped,
		.nr_parties = from->nr_parties < MAX_PARTIES ? from->nr_parties : MAX_PARTIES,
	};
	for (u32 i = 0; i < e->nr_parties; i++) {
		fill_party(w, &e->parties[i], &from->parties[i]);
		if (evidence == EVIDENCE_CHAIN)
			link_party(e, i, watched->links);
	}
	e->culprit = find_culprit(e);
}
