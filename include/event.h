/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A condition of the queue as it is reported: when it begins, while it lasts,
 * and when it has ended. Plain data, made by src/collect/episodes.c, for every view.
 */
#ifndef OPTEE_TOP_EVENT_H
#define OPTEE_TOP_EVENT_H

#include <stdbool.h>
#include "abi.h"

enum event_state { EVENT_BEGIN, EVENT_STILL, EVENT_END };

/* A call that takes part in it, as it stood when the condition began. */
struct event_party {
	u32 tid, tgid;
	char comm[COMM_LEN * 4 + 1]; /* of the task; "" when it was gone before we looked */
	u64 serial;                  /* of its session, 0: none, or not known */
	u32 session;                 /* the TEE's id of it, where serial is not 0 */
	char ta[40];                 /* name or UUID; "" not known */
	char client[COMM_LEN * 4 +
		    1]; /* the process that opened the session, where serial is not 0 */
	enum call_cmd cmd;
	u32 func; /* of an invoke */
	enum call_class class;
	enum call_phase phase;
	enum rpc_kind rpc_kind; /* where phase is PHASE_RPC */
	bool waits;             /* in the queue; else it holds a thread */
	bool late;              /* began before we attached */
	u64 since_ns;           /* waits, or holds, since then; 0: not known */
	bool since_at_least;    /* or for longer: since_ns is when it was found at attach */
	bool since_unsure; /* whether it is for longer is not known: the recording is too old */
	bool swallowed;    /* it took a wake that it had no use for, */
	u64 swallowed_ns;  /* then; 0: when is not known */
	/* Of a deadlock: the party whose end it waits for, or -1. */
	int behind;
	bool by_supplicant; /* that one is a thread of tee-supplicant, which works for this call */
	bool one_of;        /* there are several of those, and which one it is is not known */
};

struct event {
	enum condition condition;
	enum event_state state;
	u32 tee;         /* N of /dev/teeN */
	u64 episode;     /* tells the episodes of one condition and TEE apart */
	u64 since_ns;    /* CLOCK_MONOTONIC, its start */
	u64 mono_ns;     /* when this was found out; of an end: the end */
	u64 real_ns;     /* the same moment of CLOCK_REALTIME */
	u64 duration_ns; /* until mono_ns */
	bool end_unseen; /* of an end: it was over by mono_ns, when exactly is not known */
	u32 peak;        /* of the figure that makes the condition: condition_fields has its name */
	/* The queue as it began. */
	int threads;  /* T, or -1 */
	int reserved; /* the reserve that was judged by */
	int in_use[NR_CLASSES], waiting[NR_CLASSES];
	int driver_free, driver_sys_sessions; /* the driver's own figures, or -1 */
	int drift;                            /* of COND_DRIFT */
	u64 unreported; /* episodes so far for which there was no room among the events */
	u32 nr_parties;
	int culprit; /* of a stranded waiter: the party that swallowed the wake, or -1: not known */
	struct event_party parties[MAX_PARTIES];
};

static inline const char *event_state_name(enum event_state state)
{
	return state == EVENT_BEGIN ? "begin" : state == EVENT_STILL ? "still" : "end";
}

/* What a later report of the same episode has, more parties included. */
static inline void event_goes_on(struct event *known, const struct event *e)
{
	known->state = e->state;
	known->mono_ns = e->mono_ns;
	known->duration_ns = e->duration_ns;
	known->end_unseen = e->end_unseen;
	known->peak = e->peak;
	if (e->nr_parties <= known->nr_parties)
		return; /* later their tasks may be gone: the first report knew them */
	known->nr_parties = e->nr_parties;
	for (u32 i = 0; i < e->nr_parties; i++)
		known->parties[i] = e->parties[i];
}

/* For sorting: by the time of the report. */
static inline int event_time_order(const struct event *a, const struct event *b)
{
	return (a->mono_ns > b->mono_ns) - (a->mono_ns < b->mono_ns);
}

#endif
