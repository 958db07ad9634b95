/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a source showed from its first snapshot to its last, added up for the
 * rules of a check: it is fed by src/check/check_run.c and read by the judges.
 */
#ifndef OPTEE_TOP_RUN_SUMMARY_H
#define OPTEE_TOP_RUN_SUMMARY_H

#include "host.h"
#include "snapshot.h"

#define SUMMARY_EPISODES 32 /* kept of a condition: the longest */
#define SUMMARY_FAILURES 8  /* sessions with failed calls that are kept */

struct summary_pool {
	struct snap_pool first; /* all zero where nothing was counted before */
	struct snap_pool last;
	int system_sessions;        /* at the beginning, or -1 */
	u64 policies_ejected;       /* at the beginning */
	bool cond_known[NR_CONDS];  /* in one snapshot at least; */
	bool cond_lapsed[NR_CONDS]; /* and in another one it was not */
	u32 open_others;            /* sessions open at the end whose client is no user process */
	u64 own_first, own_last;    /* calls that are the driver's own, and nobody's */
	bool rest;                  /* at the end some sessions are not told apart */
	enum sight sight;           /* the worst of all snapshots: it was not followed, and why */
};

/* The episodes of one condition that are kept. */
struct summary_episodes {
	struct event *kept; /* SUMMARY_EPISODES; NULL: none yet */
	int nr;
	u64 forgotten_ns; /* the longest of those for which there was no room; 0: there was */
};

struct summary_failure {
	u64 serial, failed;
	u32 result; /* TEE_Result of the last one */
	char ta[40], client[COMM_LEN * 4 + 1];
	u32 tgid;
};

/* How long the calls of a class waited, call by call. */
struct summary_waits {
	u64 counts[HIST_BUCKETS];
	struct hist64 hist; /* of these */
	u64 calls, longest_ns;
};

struct run_summary {
	u64 snapshots;
	u64 first_ns, last_ns; /* CLOCK_MONOTONIC */
	bool whole;            /* nothing was counted before the first snapshot */
	u64 starved_ns;        /* of the source: shorter waits are no episodes */
	u32 nr_pools;
	struct summary_pool pools[MAX_POOLS];
	struct summary_episodes episodes[NR_CONDS];
	struct snap_losses losses; /* since the first snapshot */
	struct snap_losses losses_before;
	bool tells_calls;
	struct summary_waits waits[NR_CLASSES];
	u32 nr_waiting; /* waiters of the last snapshot that have waited for a known time */
	struct {
		enum call_class class;
		u32 tid;
		u64 ns;
	} waiting[MAX_CALLS];
	int nr_failures;
	struct summary_failure failures[SUMMARY_FAILURES];
	/* What the source itself does not say. */
	bool damaged; /* a recording is */
	bool driver_left;
	bool has_command;
	int command_status; /* as a shell gives it */
};

/* Begins: s is all new. */
void summary_init(struct run_summary *s, const struct host *host, bool tells_calls);
void summary_release(struct run_summary *s);

/* Each may come more than once with the same event. */
void summary_events(struct run_summary *s, const struct event *events, u32 nr);
void summary_snapshot(struct run_summary *s, const struct snapshot *snap);

/* A call that has ended. */
void summary_call(struct run_summary *s, const struct call_record *call);

/* The last snapshot has been: how long is settled of what lasts. */
void summary_finish(struct run_summary *s);

/* The figures between the first and the last snapshot. */
u64 summary_count(const struct summary_pool *p, enum condition cond);
u64 summary_longest(const struct run_summary *s, const struct summary_pool *p, enum condition cond);
u64 summary_calls(const struct run_summary *s);
/* Of them those that the driver made for itself: notifications. */
u64 summary_own_calls(const struct run_summary *s);
u64 summary_failed(const struct run_summary *s);

/* Why not all calls were seen, though hooks were there for them; NULL: they were. */
const char *summary_blind(const struct run_summary *s);

/* How many calls are known not to be counted; and not to be among those told one by one. */
u64 summary_uncounted(const struct run_summary *s);
u64 summary_untold(const struct run_summary *s);

#endif
