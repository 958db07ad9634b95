/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the BPF programs (bpf/) and user space (src/collect/collect.c):
 * every structure that both sides touch, and nothing else.
 *
 * All of it lives in two arrays that user space maps and only ever reads:
 * struct shared (in the BPF object's .bss) and the sessions map. Counters are
 * monotonic and are never reset. A reader takes no lock: each counter is right
 * by itself, but counters that are read together agree only where an order is
 * defined for them (session.accounted, lasting.serial).
 *
 * Times are CLOCK_MONOTONIC nanoseconds, 0 = not known.
 */
#ifndef OPTEE_TOP_ABI_H
#define OPTEE_TOP_ABI_H

#ifndef __VMLINUX_H__
#include <assert.h>
#include <stdbool.h>
#endif
#include "types.h"

#define MAX_POOLS       4    /* TEE instances */
#define MAX_CALLS       1024 /* calls in flight or queued; a power of two: 900 fit for sure */
#define MAX_SESSIONS    1024 /* sessions with a row of their own; a power of two */
#define MAX_SUPPLICANTS 64   /* threads of tee-supplicant that are told apart */
#define MAX_CPUS        64   /* counters a CPU; a power of two, those beyond share them */

/* Which entries of the pool a call may use: struct optee_call_waiter.sys_thread. */
enum call_class { CLASS_NORMAL, CLASS_SYSTEM, NR_CLASSES };

/* The commands of an OP-TEE message, OPTEE_MSG_CMD_* of optee_msg.h. */
enum call_cmd {
	CMD_OPEN = 0,
	CMD_INVOKE = 1,
	CMD_CLOSE = 2,
	CMD_CANCEL = 3,
	CMD_SHM_REGISTER = 4,
	CMD_SHM_UNREGISTER = 5,
	CMD_BOTTOM_HALF = 6,
	CMD_STOP_ASYNC_NOTIF = 7,
	CMD_OTHER,   /* anything newer */
	CMD_UNKNOWN, /* in flight when we attached */
	NR_CMDS
};

/* Where a call stands. */
enum call_phase {
	PHASE_FREE,     /* the slot is unused */
	PHASE_QUEUED,   /* in optee_cq_wait_init() */
	PHASE_SECURE,   /* in the secure world */
	PHASE_RPC,      /* holds its thread, Linux works for the secure world */
	PHASE_LIMIT,    /* ETHREAD_LIMIT: sleeps until some call ends */
	PHASE_DONE,     /* back from the secure world for good */
	PHASE_HOLDING,  /* found at attach: holds a thread, secure or RPC unknown */
	PHASE_BLIND,    /* as PHASE_RPC; a call nested in it found no slot */
	PHASE_ARGUMENT, /* no call yet: its task waits in optee_get_msg_arg() for memory for it */
	PHASE_RELEASE, /* no call any more: its task waits in optee_free_msg_arg() to give that back */
	NR_PHASES
};

/* Its task waits for the argument cache: there is no call yet, or none any more. */
static inline bool at_arguments(u32 phase)
{
	return phase == PHASE_ARGUMENT || phase == PHASE_RELEASE;
}

/* Bits of call.key: a task's address has them clear. */
enum call_key {
	CALL_KEY_IDLE = 1 << 0, /* no call in flight; the slot may change hands; alone: no task's */
	CALL_KEY_SUSPENDED = 1 << 1, /* a nested call of the same task is on top */
};

enum call_flags {
	CALL_WAITED = 1 << 0,  /* slept in the queue */
	CALL_WAITING = 1 << 1, /* sleeps there now, or is on its way out: counted in pool.state */
	/* In flight when we attached: it began before start_ns, which is when it was found. */
	CALL_LATE = 1 << 2,
	CALL_SUPPLICANT = 1 << 3,  /* its RPC was handed to tee-supplicant */
	CALL_HELD = 1 << 4,        /* of a late one: it held a thread then, since before admit_ns */
	CALL_ARGUMENT = 1 << 5,    /* registers a page for arguments, with their cache locked */
	CALL_RPC_COUNTED = 1 << 6, /* counted in pool.in_rpc */
	CALL_RETRIES =
		1 << 7, /* OP-TEE has refused it, by which Linux learns that it has to wait */
};

/*
 * Why the secure world asked Linux for something. The first three are
 * functions of the SMC ABI, the others commands of an RPC message
 * (OPTEE_RPC_CMD_* of optee_rpc_cmd.h).
 */
enum rpc_kind {
	RPC_ALLOC, /* argument memory */
	RPC_FREE,
	RPC_FOREIGN_INTR, /* Linux takes an interrupt; no request at all */
	RPC_LOAD_TA,
	RPC_RPMB,
	RPC_FS,
	RPC_GET_TIME,
	RPC_NOTIFICATION, /* a mutex or condition variable in the secure world */
	RPC_SUSPEND,      /* sleeps for a given time */
	RPC_SHM_ALLOC,
	RPC_SHM_FREE,
	RPC_SOCKET,
	RPC_PLUGIN, /* a tee-supplicant plugin */
	RPC_I2C,
	RPC_OTHER,
	NR_RPC_KINDS
};

/*
 * Log-linear histogram of nanoseconds: units of 128 ns, then 8 buckets an
 * octave, so that the middle of a bucket is at most 6.25 % off. The last bucket
 * takes all from 30 s on. Buckets are u32 and wrap: user space adds differences.
 */
#define HIST_UNIT_BITS 7
#define HIST_SUB_BITS  3
#define HIST_BUCKETS   208

struct hist {
	u32 count[HIST_BUCKETS];
};

/*
 * One call, from optee_cq_wait_init() to optee_cq_wait_final(). A slot stays
 * with its task between calls, so that the next one finds it at once.
 */
struct call {
	u64 key; /* address of the task, with CALL_KEY_* bits; 0: never used */
	u64 start_ns;
	u64 admit_ns;  /* first entry into the secure world */
	u64 phase_ns;  /* start of the present phase */
	u64 wait_ns;   /* finished waits, those after ETHREAD_LIMIT included */
	u64 limit_ns;  /* finished waits after ETHREAD_LIMIT */
	u64 secure_ns; /* finished stays in the secure world */
	u64 waiter;    /* struct optee_call_waiter, 0 until it is seen */
	u64 msg;       /* struct optee_msg_arg */
	u32 tid, tgid;
	u32 session_id;
	u32 session_slot; /* SESSION_SLOTS: no row */
	u32 func;         /* TA command, or cancel id */
	u32 phase;        /* PHASE_FREE: no call in flight */
	u32 outer;        /* slot of the call this one is nested in + 1, 0: none */
	u8 pool, op, class, rpc_kind;
	u32 limits; /* ETHREAD_LIMIT answers */
	u32 flags;
	/*
	 * The last wake that the queue gave it and that has had no effect yet,
	 * 0: none. The lowest bits are flags: it was in vain, for a call in flight
	 * swallowed it, or a waiter that had been woken before; a waiter is on its way
	 * with it, and counts in pool.woken; that waiter sleeps on, LOST_WAKE_NS later; it
	 * may have gone to another.
	 * Only WOKEN_IN_VAIN: the time of the wake is unknown.
	 */
	u64 woken_ns;
	u64 stack; /* of its task: the waiter lies on it */
	/*
	 * How long its task waited for its argument, up to argument_end_ns. It stays until the call,
	 * unless that is nested.
	 */
	u64 argument_ns, argument_end_ns;
};

/* A task that has its argument, in an RPC of another call, keeps the phase until its call begins. */
static inline bool waits_at_arguments(const struct call *c)
{
	return c->phase == PHASE_RELEASE ||
	       (c->phase == PHASE_ARGUMENT && c->argument_end_ns < c->phase_ns);
}

#define WOKEN_IN_VAIN 1ULL
#define WOKEN_COUNTED 2ULL /* in pool.woken */
#define WOKEN_LOST    4ULL
#define WOKEN_UNSURE  8ULL
#define WOKEN_FLAGS   15ULL
#define LOST_WAKE_NS  100000000

/*
 * Sums over finished calls of one class. wait = queue + limit waits; RPC time = hold - secure.
 * A new one comes last: recordings have them in this order.
 */
struct class_sums {
	u64 calls;  /* ended */
	u64 failed; /* result was not TEE_SUCCESS */
	u64 waited; /* of them slept in the queue */
	u64 wait_ns, wait_max_ns;
	u64 hold_ns, hold_max_ns;
	u64 secure_ns;
	u64 limits;      /* ETHREAD_LIMIT answers */
	u64 limit_ns;    /* waits after them; part of wait_ns */
	u64 waited_late; /* of waited slept already when we attached: their waits count from then */
	/* Outside of wait and hold: for an argument, before the queue, */
	u64 argument_waits, argument_ns, argument_max_ns;
	u64 releases,
		release_ns; /* and to give it back, after the end. These have to be the last. */
};

enum session_state { SESSION_FREE, SESSION_CLAIMED, SESSION_OPEN, SESSION_CLOSED };

enum session_flags {
	SESSION_LATE = 1 << 0,    /* opened before we attached: UUID and login not known */
	SESSION_SYSTEM = 1 << 1,  /* may use the reserve: its calls are system calls */
	SESSION_USER = 1 << 2,    /* the client is a process with /dev/tee* open */
	SESSION_KERNEL = 1 << 3,  /* the client is in the kernel; neither: not known */
	SESSION_NONE = 1 << 4,    /* the pool's row for calls that have no session */
	SESSION_REST = 1 << 5,    /* the pool's row for sessions that found no slot */
	SESSION_OPENING = 1 << 6, /* its open_session has not ended: no id yet */
	SESSION_UNNAMED = 1 << 7, /* one of its calls was found at attach: its id is not known */
};

/*
 * Several CPUs may account calls to one row at once, and each may be interrupted
 * halfway. A call is counted in sums[].calls before anything else of it is, and in
 * `accounted` after everything else. So whoever reads `accounted`, then the row, then
 * the calls, and finds both equal, has all of every call and nothing of any other.
 * rpc_count and rpc_ns grow during a call.
 */
struct session {
	u64 serial; /* 1, 2, ...: tells a slot's users apart; 0 while being set up */
	u32 state;
	u32 flags;
	u32 pool;
	u32 id; /* the TEE's session id */
	u64 opened_ns, closed_ns;
	u8 uuid[16];
	u32 login;
	u32 tgid;            /* 0: not known */
	char comm[COMM_LEN]; /* of the client's process, as the client wrote it */
	union {
		u64 flight;
		struct {
			s32 in_flight;
			u32 accounted; /* calls whose accounting is complete; wraps */
		};
	};
	s32 in_flight_peak;
	u32 last_failure; /* TEE_Result of the last failed call */
	/* If it is of SCMI's transport, as far as its transfers have told. */
	u32 scmi_protocols; /* SCMI_PROTOCOL_BIT() of each that it has served */
	u32 scmi_channel;   /* the id that OP-TEE knows it by + 1; 0: not known */
	/* Counters, from here to the end. */
	u64 ops[NR_CMDS]; /* ended calls; CMD_INVOKE stays 0: it is the rest of the sums */
	struct class_sums sums[NR_CLASSES];
	u64 rpc_count[NR_RPC_KINDS];
	u64 rpc_ns[NR_RPC_KINDS];
	struct hist wait, hold, secure;
};

enum record_flags {
	RECORD_WAITED = 1 << 0, /* slept in the queue */
	RECORD_NESTED = 1 << 1, /* inside an RPC of another call of its task */
	RECORD_REST = 1 << 2,   /* its session found no row: serial is 0 */
	RECORD_LATE = 1 << 3,   /* it waited already when we attached: start_ns is that moment */
	/* argument_ns is not 0: the call's task waited for its argument, */
	RECORD_ARGUMENT = 1 << 4,
	/* or, with this, to give it back: such a record follows its call's and has no other time. */
	RECORD_RELEASE = 1 << 5,
	RECORD_ALL = (1 << 6) - 1,
};

/*
 * A call that has ended and was accounted, where somebody wants to know of each.
 * Its task waited for its argument for argument_ns, before start_ns. It was in the queue
 * or on its way for wait_ns, held a thread for hold_ns and was back for good
 * start_ns + wait_ns + hold_ns.
 */
struct call_record {
	u64 start_ns;
	u64 wait_ns;   /* all waits, */
	u64 limit_ns;  /* and of them those after ETHREAD_LIMIT */
	u64 hold_ns;   /* without the latter */
	u64 secure_ns; /* of the hold; the rest is RPC time */
	u64 argument_ns;
	u32 serial; /* of its session, 0: none */
	u32 tid, tgid;
	u32 func;   /* TA command, or cancel id */
	u32 result; /* TEE_Result */
	u8 op, class, pool;
	u8 flags; /* enum record_flags */
};

/* Of one CPU: emitted + lost is what was accounted there since we attached. */
struct record_count {
	u64 emitted, lost;
};

/*
 * pool.state: who holds a thread and who waits, by class, and the reserve in
 * force, all in one word. So a change is one atomic addition, whose CPU alone
 * sees which conditions it began and which it ended.
 */
#define STATE_IN_USE(class)        ((class) * 12)
#define STATE_WAITING(class)       (24 + (class) * 14)
#define STATE_RESERVED             52
#define STATE_IN_USE_BITS          12
#define STATE_WAITING_BITS         14
#define STATE_ONE(shift)           (1ULL << (shift))
#define STATE_GET(state, at, bits) ((s32)((state) >> (at) & ((1U << (bits)) - 1)))

#define RESERVED_UNKNOWN           0xfffU /* a policy decides, by a rule that is not known here */

struct pool_state {
	s32 in_use[NR_CLASSES], waiting[NR_CLASSES];
	s32 reserved; /* or -1 */
};

static inline struct pool_state pool_state(u64 state)
{
	return (struct pool_state){
		.in_use = { STATE_GET(state, STATE_IN_USE(CLASS_NORMAL), STATE_IN_USE_BITS),
			    STATE_GET(state, STATE_IN_USE(CLASS_SYSTEM), STATE_IN_USE_BITS) },
		.waiting = { STATE_GET(state, STATE_WAITING(CLASS_NORMAL), STATE_WAITING_BITS),
			     STATE_GET(state, STATE_WAITING(CLASS_SYSTEM), STATE_WAITING_BITS) },
		.reserved = (s32)((s64)state >> STATE_RESERVED),
	};
}

/*
 * What can be wrong with a queue. r: the entries in reserve, T: the threads.
 * The first are functions of pool.state, which the BPF programs follow, as they do stranded;
 * starved and count mismatch are states of a call; the others are found by looking, 20 times
 * a second. A new one comes last of its group: recordings have numbers of their own.
 */
enum condition {
	COND_OVERRUN,         /* system calls in flight > r */
	COND_HARMFUL_OVERRUN, /* the same while a normal call waits */
	COND_RESERVE_BREACH,  /* normal calls in flight > T - r */
	COND_RESERVE_IDLE, /* a normal call waits, a system call is in flight, a thread is free */
	COND_EXHAUSTED,    /* no thread is free */
	NR_STATE_CONDS,
	COND_STRANDED =
		NR_STATE_CONDS, /* a waiter sleeps though the driver's own rule would admit it */
	NR_POOL_CONDS,
	COND_STARVED = NR_POOL_CONDS, /* a wait older than a limit */
	COND_COUNT_MISMATCH,          /* ETHREAD_LIMIT after Linux admitted the call */
	COND_CONVOY, /* tasks wait for the argument cache, and its owner for a thread */
	NR_COUNTED_CONDS,
	COND_DEADLOCK = NR_COUNTED_CONDS,
	COND_DRIFT,           /* the driver's count of threads in use is not ours */
	COND_LOST_WAKE,       /* a waiter that was to be woken sleeps on */
	COND_SESSION_LEAK,    /* a session is open that nobody has any more */
	COND_SUPPLICANT_GONE, /* requests wait for a tee-supplicant that has closed its file */
	NR_CONDS
};

/* The episodes of a condition that have ended. */
struct cond_count {
	u64 count;
	u64 ns, longest_ns;
	u64 peak;
};

/* A call that takes part in an episode. */
struct party {
	u64 serial;   /* of its session, 0: none or not known */
	u64 since_ns; /* waits, or holds a thread, since then; 0: not known */
	u64 woken_ns; /* as in struct call; 0 where it may have gone to another */
	u32 tid, tgid;
	u32 session_slot;
	u32 func;
	u8 op, class, phase, rpc_kind;
	u32 flags; /* enum call_flags */
};

/* Since when it waits for a thread. One that OP-TEE refuses waits on, however often it tries. */
static inline u64 call_waits_since(const struct call *c)
{
	if (!(c->flags & CALL_RETRIES))
		return c->phase_ns;
	return c->flags & CALL_LATE ? c->start_ns : c->admit_ns;
}

/* serial: of the call's session. */
static inline void party_of(struct party *to, const struct call *c, u64 serial)
{
	to->serial = serial;
	to->since_ns = c->flags & CALL_WAITING || at_arguments(c->phase) ? call_waits_since(c) :
		       c->phase == PHASE_QUEUED ? 0 : /* not in it yet */
						  c->admit_ns;
	to->woken_ns = c->woken_ns & WOKEN_UNSURE ? 0 : c->woken_ns;
	to->tid = c->tid;
	to->tgid = c->tgid;
	to->session_slot = c->session_slot;
	to->func = c->func;
	to->op = c->op;
	to->class = c->class;
	to->phase = (u8)c->phase;
	to->rpc_kind = c->rpc_kind;
	to->flags = c->flags;
}

#define MAX_PARTIES 12

/* A condition, from its start to its end. */
struct episode {
	u64 serial; /* 1, 2, ...: of this condition in this pool */
	u64 since_ns;
	u64 end_ns;                           /* 0: it lasts */
	u64 state;                            /* pool.state as it began */
	s32 driver_free, driver_sys_sessions; /* the driver's own at that moment */
	u32 peak;                             /* of the figure that makes the condition */
	u8 cond, pool, nr_parties, pad;
	struct party parties[MAX_PARTIES]; /* in the order of the driver's queue */
};

/* The episode that lasts. */
struct lasting {
	u64 serial;                 /* 0: none lasts */
	u64 begun;                  /* serials given */
	struct episode episodes[2]; /* valid: the one of serial & 1 */
};

#define MAX_SHADOWS 10 /* policies that are asked, and not obeyed */
#define POLICY_NAME 16

/*
 * What an admission policy decided, of the calls of one class. One that is attached is
 * counted by the driver (struct optee_adm_counts), each verdict of it; a shadow by us, once a
 * call, against what the driver did with that call. What only one of them has is 0 in the other.
 */
struct policy_counts {
	u64 calls; /* that entered; of a shadow: that it was asked about */
	u64 enter, enter_reserved;
	u64 wait_no_thread; /* a shadow's: there is no thread for the call, whatever the policy says */
	u64 wait_kept;      /* a thread is free, and the policy keeps it */
	u64 wait_rate;      /* it wants to be asked again after some time */
	/* An attached one's: calls that had to wait. */
	u64 waited, wait_ns, wait_max_ns;
	/* A shadow's: the driver let the call in at once and the policy would not, and the reverse. */
	u64 stricter_kept, stricter_rate, looser;
};

/* The callbacks of a policy. */
enum policy_callback {
	POLICY_RESERVE,
	POLICY_ADMIT,
	POLICY_RANK,
	POLICY_ENTER,
	POLICY_LEAVE,
	NR_POLICY_CALLBACKS
};

struct pool_policy {
	char name[POLICY_NAME];      /* "": there is none */
	u64 reserve_yes, reserve_no; /* answers to sessions that ask for a reservation */
	struct policy_counts counts[NR_CLASSES];
};

/* The standard protocols have bits of their own, 0x10 (base) the lowest; all others share one. */
#define SCMI_PROTOCOL_FIRST 0x10
#define SCMI_BIT_OTHER      31
#define SCMI_PROTOCOL_BIT(protocol)                                                                \
	(1U << ((u32)(protocol)-SCMI_PROTOCOL_FIRST < SCMI_BIT_OTHER ?                             \
			(u32)(protocol)-SCMI_PROTOCOL_FIRST :                                      \
			SCMI_BIT_OTHER))

#define MAX_SCMI                    32 /* kinds of SCMI messages; the last row takes what found no room */
#define SCMI_KEY(protocol, message) (1U << 16 | (u32)(protocol) << 8 | (message))
#define SCMI_KEY_OTHER              (1U << 17)

/* The transfers of one SCMI message that called this TEE. Each took ns, from SCMI's core and back. */
struct scmi_sums {
	u32 key, pad; /* SCMI_KEY(), SCMI_KEY_OTHER; 0: unused */
	u64 count, failed;
	u64 ns, max_ns;
	u64 wait_ns; /* of it, the wait of its call in the queue */
};

/* One TEE instance and its threads. */
struct pool {
	u64 teedev, queue, requests; /* kernel addresses; they are never shown */
	u64 arguments;               /* of the lock of the argument cache; 0: there is none */
	u64 ffa;                     /* of the device that gets FF-A messages; 0: called by SMC */
	u64 at_arguments_since_ns;   /* start of the present run of waiters */
	u32 id;                      /* N of /dev/teeN */
	u8 ready, rpc_appended;
	u8 sight; /* SIGHT_FOLLOWED, SIGHT_FFA or SIGHT_OTHER */
	u8 blind; /* since hooks ceased to fire */

	/* The driver's own counters, as the inspect program last read them. */
	u64 driver_ns;    /* when; 0: never */
	u32 driver_flags; /* enum driver_flags */
	s32 driver_total, driver_free, driver_sys_sessions;
	s32 driver_reserved; /* v6-like patches */
	s32 driver_in_use; /* what it counts if it is right, by our calls of that moment; if not, */
	u32 driver_unseen; /* has its queue an entry that is no call of ours? */
	u32 driver_differs; /* in so many looks in a row */
	/* Of requests to tee-supplicant; as they were when who waits got no thread. -1: not all were seen. */
	s32 driver_requests; /* nobody has taken them yet */
	s32 driver_revoked;  /* taken, but the caller was killed */
	/* Of contexts whose file everybody has closed (bpf/context.bpf.h). -1: it cannot be told. */
	s32 left_open;               /* sessions in those of clients, */
	s32 unserved;                /* requests for tee-supplicant, if its context is one */
	u32 left_slots[MAX_PARTIES]; /* the rows of the first of these sessions */
	/* Of a driver that takes policies (DRIVER_POLICIES). */
	struct pool_policy policy;     /* the one that is attached */
	char policy_left[POLICY_NAME]; /* the one before it; "": there was none */
	u32 policy_reason, left_pad;   /* enum optee_adm_reason: why that was left */
	u64 policies_attached, policies_ejected;

	/* Ours. */
	s32 total; /* T; 0 = unknown to Linux */
	u64 state; /* struct pool_state */
	s32 quiet; /* so many normal calls in flight and nothing else: nothing to look at */
	s32 woken[NR_CLASSES]; /* of the waiters, those with a wake on its way */
	s32 limited; /* calls that sleep after ETHREAD_LIMIT and that the driver counts as in flight */
	/* Where T is unknown: calls in an RPC, each of which has a thread, and the most of these at once. */
	s32 in_rpc, threads_at_least;
	s32 at_arguments;        /* tasks that wait for the lock of the argument cache, */
	u32 arguments_late, pad; /* and others that did so when the pool was found */
	s32 in_use_peak[NR_CLASSES], in_use_all_peak;
	s32 waiting_peak[NR_CLASSES], waiting_all_peak;
	struct cond_count conds[NR_COUNTED_CONDS];
	struct lasting lasting[NR_POOL_CONDS];
	struct scmi_sums scmi[MAX_SCMI];
};

enum driver_flags {
	DRIVER_COUNTS = 1 << 0,         /* has total_thread_count */
	DRIVER_SYS_SESSIONS = 1 << 1,   /* has sys_thread_req_count */
	DRIVER_RESERVED = 1 << 2,       /* has res_sys_thread_count */
	DRIVER_POLICIES = 1 << 3,       /* takes admission policies */
	DRIVER_SHARES_RESERVE = 1 << 4, /* has res_thread_busy: a system call uses the reserve up */
};

/* Do we see the calls of a device? */
enum sight {
	SIGHT_UNKNOWN,  /* a recording does not tell: the figures are as it has them */
	SIGHT_FOLLOWED, /* we do */
	SIGHT_FFA,      /* OP-TEE is called by FF-A, and we have attached no hooks for that */
	SIGHT_OTHER,    /* it is called by a function that we do not know */
	SIGHT_BLIND,    /* our hooks are attached and do not fire */
	NR_SIGHTS
};

/* What user space tells a look. */
struct look_args {
	u32 silent; /* the kernel's switch for some of our hooks is off */
	u32 pad;
};

#define SUPPLICANT_TAKEN 1ULL /* a task: the slot is being filled */

/*
 * A thread of tee-supplicant. The slot of one that is gone is given to another, and is
 * cleared before anybody looks for a deadlock: its tid may be somebody else's by then.
 */
struct supplicant {
	u64 task; /* its address; 0: unused */
	u32 tid, pad;
	u64 request; /* the one that it took last; 0: not known */
	u64 taken_ns;
};

/*
 * A call sleeps until another thread of OP-TEE wakes it, with no limit of time: for a lock, say.
 * What it waits for has a number. The highest ones, as many as there are threads, are for
 * that; below them are those of events, which an interrupt can bring.
 */
struct lock_wait {
	u64 seen_ns; /* pool.driver_ns of the look that saw it last; 0: none */
	u32 rank;    /* 1 is the highest number; 0: there are no events */
	u32 pad;
};

/* What was not seen. Every way in which a figure can come out short has a row. */
enum loss {
	LOSS_CALL_SLOT,    /* no slot: the call is not accounted */
	LOSS_CALL_END,     /* a call's end was not seen; its slot was taken back */
	LOSS_CALL_MSG,     /* message unreadable: counted without a session */
	LOSS_SESSION_SLOT, /* no slot: counted in the pool's rest row */
	LOSS_SESSION_CLOSED, /* a row could not be read, or was reused before it was: the reader counts */
	LOSS_POOL_SLOT,  /* more than MAX_POOLS TEE instances */
	LOSS_LATE_CALLS, /* in flight at attach: found, but with no times */
	LOSS_EPISODE,    /* an episode that ended is counted, but was not reported */
	LOSS_CALL_RECORD, /* a call is counted, but found no room among those to be recorded: the reader adds up */
	LOSS_SHADOW_STATE, /* what a shadow keeps of a client or TA found no room, or was given up */
	LOSS_SHADOW_ANSWER, /* a shadow's answer was none: the driver's rule was counted instead */
	LOSS_SUPPLICANT, /* no slot for a thread of tee-supplicant, or not all requests were seen: no deadlock is found */
	LOSS_CALL_UNSEEN, /* a call ended that no hook saw begin */
	LOSS_SIGHT,       /* times that hooks ceased to fire */
	LOSS_ARGUMENT,    /* a wait for the argument cache that is in no call's figures */
	LOSS_SCMI,        /* an SCMI transfer that is in no figure: too many at once */
	NR_LOSSES
};

/* Everything but the sessions. User space maps it read-only. */
struct shared {
	u64 session_serial;  /* rows given to sessions */
	u64 sessions_undone; /* of them taken back: the open_session failed */
	u64 session_cursor;
	u64 adopting; /* somebody makes rows for sessions from before: one at a time */
	u64 loss[NR_LOSSES];
	struct record_count records[MAX_CPUS]; /* 0 where calls are not recorded */
	struct supplicant supplicants[MAX_SUPPLICANTS];
	struct pool pools[MAX_POOLS];
	struct call calls[MAX_CALLS];
	/* Of a call with CALL_SUPPLICANT, as in struct supplicant; in RPC_NOTIFICATION, its message. */
	u64 requests[MAX_CALLS];
	struct lock_wait lock_waits[MAX_CALLS];
};

/* Slots of the sessions map behind the ordinary ones: two a pool. */
#define SLOT_NONE(pool)  (MAX_SESSIONS + (pool)*2)
#define SLOT_REST(pool)  (MAX_SESSIONS + (pool)*2 + 1)
#define SESSION_SLOTS    (MAX_SESSIONS + MAX_POOLS * 2)

/* Of session.flight, where a call ends: one in flight less, and one accounted. */
#define FLIGHT_ACCOUNTED 0xffffffffULL

_Static_assert(__builtin_offsetof(struct session, accounted) ==
		       __builtin_offsetof(struct session, flight) + 4,
	       "struct session needs a little-endian machine");
/* As it is in BPF programs: a 32-bit Arm has the same layout, a 32-bit x86 would not. */
_Static_assert(_Alignof(struct pool) == 8, "the compiler aligns no u64");
_Static_assert(sizeof(struct call) == 144, "struct call has holes");
_Static_assert(sizeof(struct call_record) == 72, "struct call_record has holes");
_Static_assert(sizeof(struct class_sums) == 128, "struct class_sums has holes");
_Static_assert(sizeof(struct session) % 8 == 0, "struct session has holes");
_Static_assert(sizeof(struct pool) % 8 == 0, "struct pool has holes");
_Static_assert(sizeof(struct party) == 48, "struct party has holes");
_Static_assert(sizeof(struct episode) == 48 + MAX_PARTIES * sizeof(struct party),
	       "struct episode has holes");

#endif
