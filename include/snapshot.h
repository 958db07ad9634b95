/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One look at the TEE: plain data that src/collect/collect.c makes and every view,
 * exporter and check reads. Nothing here points into the kernel or into a map.
 *
 * Times are nanoseconds. "Interval" is the time since the snapshot before;
 * figures of the interval have the suffix _iv, all others count from the moment
 * optee-top attached. -1 in a field marked "or -1" means not known; it is never
 * printed as a number.
 */
/*
 * What holds in every snapshot, also of a busy TEE (tests/unit/fixtures/invariants.h checks it,
 * tests/guest/lib/frames.py what of it is printed):
 *
 * - A session has all figures of every call that it counts: the sum of ops is that of
 *   sums[].calls, so is the number of calls in each histogram; no part is more than its
 *   whole; the RPC time by kind is at least hold - secure, for it grows during a call.
 *   An interval's figures are the differences of those since attach.
 * - The sums of a pool's TAs are those of the pool; a TA's octaves have as many calls.
 * - in_use and waiting are of one moment, as are, if the calls let us, the calls and
 *   in_rpc. in_rpc <= in_use, and nothing exceeds its peak.
 * - Of a condition longest_ns <= ns, lasting <= count, and exhausted_ns_iv <= interval_ns.
 * - What counts since attach never goes back.
 * - records[] have at least the calls that the pools count.
 *
 * A session whose row cannot be read whole for a while stays as it was; the next
 * snapshot has what it gained. Sessions are read before the pools' states, and the driver's
 * counters before both: they are not of one moment.
 */
#ifndef OPTEE_TOP_SNAPSHOT_H
#define OPTEE_TOP_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"
#include "event.h"

/*
 * A histogram that does not wrap; buckets as in struct hist. Most are empty but for a
 * few octaves, and there are three a session: only octaves that have counts take room.
 * All 0 is an empty one; src/model/hist.h reads and fills it.
 */
struct hist64 {
	u32 octaves; /* bit n: octave n is among the counts */
	u32 room;    /* for so many octaves */
	u64 *count;  /* 1 << HIST_SUB_BITS for each of them, the lowest octave first */
};

/* What the calls of an interval say of one time. */
struct spread {
	u64 calls;         /* 0: nothing is known, the rest is 0 */
	u64 p50, p99, max; /* upper edges of their buckets */
};

enum driver_design {
	DESIGN_UNKNOWN, /* not looked at yet */
	DESIGN_NONE,    /* Linux does not count threads: up to 6.7, and FF-A */
	DESIGN_MERGED,  /* 6.8: a normal call needs free > 1 while a system session exists */
	DESIGN_V6,      /* one entry a system session; never merged */
	DESIGN_POLICY,  /* an admission policy decides */
	DESIGN_SINGLE,  /* v8: one entry for all system sessions, which a system call uses up */
	DESIGN_OTHER,   /* Linux counts threads, and admits calls by a rule that we do not know */
	NR_DESIGNS
};

enum policy_home {
	POLICY_ENFORCED, /* the driver does what it says */
	POLICY_SHADOW,   /* it is only asked, at each call, with the queue as the driver made it */
	NR_POLICY_HOMES
};

struct snap_policy {
	enum policy_home home;
	struct pool_policy of; /* its name is printable ASCII */
};

/* A condition of a pool, since we attached. */
struct snap_cond {
	bool known;     /* this driver, or these hooks, can tell */
	u64 count;      /* episodes, those that last included */
	u64 lasting;    /* how many last now */
	u64 since_ns;   /* CLOCK_MONOTONIC, the start of the earliest of these, or 0 */
	u64 ns;         /* how long they lasted, in all */
	u64 longest_ns; /* the longest of them */
	u64 peak;       /* of the figure that makes the condition */
};

/* The transfers of one SCMI message that called the TEE. */
struct snap_scmi {
	bool other; /* takes the messages that found no row: of no protocol and message */
	u8 protocol, message;
	u64 count, failed, ns, max_ns;
	u64 wait_ns; /* of ns, the queue waits of their calls */
};

struct snap_pool {
	u32 id; /* N of /dev/teeN */
	enum sight sight;
	int total;            /* T, or -1 */
	int threads_at_least; /* where T is unknown: it is no less than this; or -1 */
	int in_use[NR_CLASSES], in_use_all;
	int in_rpc; /* of them */
	int waiting[NR_CLASSES], waiting_all;
	int in_use_peak[NR_CLASSES], in_use_all_peak;
	int waiting_peak[NR_CLASSES], waiting_all_peak;
	int at_arguments; /* tasks that wait for the argument cache, or -1 */
	int reserved;     /* entries in reserve, or -1 */
	enum driver_design design;
	int driver_free;     /* the driver's free_thread_count, or -1 */
	int system_sessions; /* the driver's count, or -1 */
	bool drift_known;
	int drift;           /* the driver's T - free less our in_use: 0, or one of us is wrong */
	int judged_reserved; /* what the conditions are judged by: reserved, or --reserved */
	struct snap_cond conds[NR_CONDS];
	bool takes_policies; /* the driver has a hook for them; else the next four are 0 */
	u64 policies_attached, policies_ejected;
	char policy_left[POLICY_NAME]; /* that was attached before; "": there was none */
	u32 policy_reason;             /* enum optee_adm_reason: why that one was left */
	u32 nr_policies;
	struct snap_policy policies[1 + MAX_SHADOWS]; /* an enforced one comes first */
	u64 exhausted_ns_iv;
	u64 oldest_wait_ns;         /* of the waiters of this moment, 0: nobody waits */
	int oldest_wait_at_least;   /* 1: it began before we attached, this is since then; or -1 */
	int system_sessions_unseen; /* of those the driver counts, that have no row yet; or -1 */
	struct class_sums sums[NR_CLASSES], sums_iv[NR_CLASSES];
	bool scmi_known; /* SCMI's transfers are seen */
	u32 nr_scmi;
	struct snap_scmi scmi[MAX_SCMI]; /* in the order of their first transfer */
};

enum client_kind { CLIENT_UNKNOWN, CLIENT_USER, CLIENT_KERNEL };

struct snap_session {
	u64 serial; /* unique while we run; the rows without a session have 0 */
	u32 slot;
	u32 pool;  /* index into snapshot.pools */
	u32 id;    /* the TEE's session id, 0 while it is being opened */
	u32 flags; /* enum session_flags */
	bool open;
	bool uuid_known;
	u8 uuid[16];
	const char *ta; /* name of a well-known TA, or NULL */
	u32 login;      /* TEE_IOCTL_LOGIN_*, where uuid_known */
	enum client_kind kind;
	u32 tgid;
	char comm[COMM_LEN * 4 + 1]; /* printable UTF-8; other bytes as \xNN */
	u64 opened_ns, closed_ns;    /* CLOCK_MONOTONIC, 0: not known, or not closed */
	int in_flight, in_flight_peak;
	struct class_sums sums[NR_CLASSES];
	struct class_sums sums_iv; /* both classes; its maxima are 0 */
	u64 ops[NR_CMDS];          /* ended calls by enum call_cmd, CMD_INVOKE filled in */
	u32 last_failure;          /* TEE_Result, 0: none */
	u32 scmi_protocols;        /* SCMI_PROTOCOL_BIT() of those it has served; 0: none known */
	u32 scmi_channel;          /* + 1; 0: not known */
	u64 rpc_count[NR_RPC_KINDS], rpc_ns[NR_RPC_KINDS];
	const struct hist64 *wait, *hold, *secure; /* since attach; valid until the next collect */
	struct spread wait_iv, hold_iv, secure_iv;
	bool changed; /* anything of this, since the snapshot before */
};

#define MAX_TAS      64 /* rows by TA; the last one of a pool takes what found no room */

/* One octave of a histogram: [0, 1.024 us), then each twice as long; the last has no end. */
#define HIST_OCTAVES (HIST_BUCKETS >> HIST_SUB_BITS)

/*
 * All sessions of one TA, name or UUID, and class, those closed by now included: what
 * is exported where the number of series must not grow with that of the sessions. A
 * session's class is that of its row: its calls count here as that says when they end.
 */
struct snap_ta {
	u32 pool;    /* index into snapshot.pools */
	char ta[40]; /* name or UUID; as in the field "ta" for calls without a session */
	bool known;  /* else the sessions were opened before we attached: ta is "" */
	bool other;  /* takes what found no room: ta is "" */
	enum call_class class;
	u64 opened; /* sessions seen */
	u32 open;   /* of them now */
	struct class_sums sums;
	u64 rpc_count[NR_RPC_KINDS], rpc_ns[NR_RPC_KINDS];
	u64 wait[HIST_OCTAVES], hold[HIST_OCTAVES], secure[HIST_OCTAVES];
	bool changed; /* since the snapshot before */
};

/* A call in flight, or in the queue. */
struct snap_call {
	u32 tid, tgid;
	char comm[COMM_LEN * 4 + 1]; /* of the task, now; "" when it is gone */
	u32 pool;
	int session; /* index into snapshot.sessions, or -1 */
	enum call_cmd cmd;
	u32 func;
	enum call_class class;
	enum call_phase phase;
	enum rpc_kind rpc_kind; /* where phase is PHASE_RPC */
	bool queued;            /* waits for a thread */
	bool nested;            /* inside an RPC of another call of its task */
	bool late;              /* began before we attached */
	bool age_at_least;      /* age_ns is since we attached: it is older */
	bool phase_at_least;    /* so is phase_ns */
	bool bounds_unsure;     /* of both: the recording is too old to tell */
	u64 age_ns;             /* since it began; 0: not known, so too phase_ns */
	u64 phase_ns;           /* since its phase began: of a waiter, how long it waits */
};

/* Of a task that waits for its argument it is not known yet what it will call. */
static inline bool call_is_known(enum call_phase phase, enum call_cmd cmd)
{
	return !at_arguments(phase) || cmd != CMD_UNKNOWN;
}

struct snap_losses {
	u64 count[NR_LOSSES];
	u32 unknown; /* so many kinds at the end are not known: the recording is older than they are */
	u64 missed; /* hook runs that the kernel skipped: nmissed, recursion_misses */
	bool missed_known;
};

static inline bool losses_any(const struct snap_losses *l)
{
	u64 all = l->missed_known ? l->missed : 0;

	for (int i = 0; i < NR_LOSSES; i++)
		all |= l->count[i];
	return all;
}

struct snapshot {
	u64 seq;
	u64 mono_ns, real_ns;
	u64 interval_ns;  /* 0 in the first */
	u32 sums_unknown; /* of struct class_sums the last rows, which a recording may lack */
	u32 nr_pools, nr_sessions, nr_calls;
	struct snap_pool pools[MAX_POOLS];
	struct snap_session *sessions; /* open ones, and those closed in the interval; by slot */
	u32 nr_tas;
	struct snap_ta *tas;        /* in the order of their first session */
	struct snap_call *calls;    /* queued ones first, the oldest first */
	const struct event *events; /* since the snapshot before, the oldest first */
	u32 nr_events;
	struct snap_losses losses;
	u32 nr_cpus;                           /* that have counters of their own */
	struct record_count records[MAX_CPUS]; /* calls recorded one by one since we attached */
};

static inline const char *cmd_name(enum call_cmd cmd)
{
	static const char *const names[NR_CMDS] = {
		"open",         "invoke",         "close",       "cancel",
		"shm_register", "shm_unregister", "bottom_half", "stop_async_notif",
		"other",        "unknown",
	};

	return (unsigned int)cmd < NR_CMDS ? names[cmd] : "other";
}

static inline const char *rpc_name(enum rpc_kind kind)
{
	static const char *const names[NR_RPC_KINDS] = {
		"alloc",    "free",     "foreign_intr", "load_ta", "rpmb",
		"fs",       "get_time", "notification", "suspend", "shm_alloc",
		"shm_free", "socket",   "plugin",       "i2c",     "other",
	};

	return (unsigned int)kind < NR_RPC_KINDS ? names[kind] : "other";
}

static inline const char *design_name(enum driver_design design)
{
	static const char *const names[NR_DESIGNS] = {
		"unknown", "none", "merged", "v6", "policy", "single", "other",
	};

	return (unsigned int)design < NR_DESIGNS ? names[design] : "unknown";
}

/* False: what happens there is not seen, now or in some part of the interval. */
static inline bool pool_followed(const struct snap_pool *p)
{
	return p->sight == SIGHT_UNKNOWN || p->sight == SIGHT_FOLLOWED;
}

/* False: none of its calls was ever seen, nor will be. */
static inline bool pool_counted(const struct snap_pool *p)
{
	return p->sight != SIGHT_FFA && p->sight != SIGHT_OTHER;
}

/* Are all calls of all devices seen? */
static inline bool snapshot_complete(const struct snapshot *s)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		if (!pool_followed(&s->pools[i]))
			return false;
	return !losses_any(&s->losses);
}

static inline const char *sight_name(enum sight sight)
{
	static const char *const names[NR_SIGHTS] = {
		"unknown",
		"followed",
		"not followed: called by FF-A",
		"not followed: called by a function without a hook",
		"not followed: the hooks do not fire",
	};

	return (unsigned int)sight < NR_SIGHTS ? names[sight] : "unknown";
}

static inline const char *policy_home_name(enum policy_home home)
{
	return home == POLICY_SHADOW ? "shadow" : "enforced";
}

static inline const char *class_name(enum call_class class)
{
	return class == CLASS_SYSTEM ? "system" : "normal";
}

static inline const char *phase_name(enum call_phase phase)
{
	static const char *const names[NR_PHASES] = {
		"free", "queued",  "secure", "rpc",      "limit",
		"done", "holding", "rpc",    "argument", "release",
	};

	return (unsigned int)phase < NR_PHASES ? names[phase] : "unknown";
}

/*
 * A reader has already had the first @told events of @s. Returns how many events of the next
 * snapshot it has had as well: looks may run ahead of a snapshot. The second snapshot repeats
 * the events of the first, which has no interval.
 */
static inline u32 events_ahead(u32 told, const struct snapshot *s)
{
	if (!s->interval_ns)
		return told > s->nr_events ? told : s->nr_events;
	return told > s->nr_events ? told - s->nr_events : 0;
}

#endif
