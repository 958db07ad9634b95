/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract of an admission policy: what a policy sees of a call, what it may answer,
 * and the table of its callbacks. The driver (kernel/), the policies (policies/) and the
 * programs that attach them are all compiled with this file.
 *
 * The driver owns the queue and all counters. A policy gives a verdict and a rank; it can
 * neither lose a call nor let more in than there are threads.
 */
#ifndef OPTEE_ADMISSION_H
#define OPTEE_ADMISSION_H

#ifdef __KERNEL__
#include <linux/types.h>
#elif defined(__VMLINUX_H__) /* has them */
#elif defined(__bpf__)
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
#else
#include <stdint.h>
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
#endif

#define OPTEE_ADM_TIMEOUT_MS 30000 /* what timeout_ms = 0 means, and the most it may be */
#define OPTEE_ADM_NAME       16

/* What admit answers; less than 0: -errno, the policy gives up and is ejected. */
enum optee_adm_verdict {
	OPTEE_ADM_WAIT,
	OPTEE_ADM_ENTER,          /* charged to norm_in_flight */
	OPTEE_ADM_ENTER_RESERVED, /* charged to resv_in_flight */
	OPTEE_ADM_VERDICTS,
};

/* The flags of a call. */
enum optee_adm_flag {
	OPTEE_ADM_SYS = 1 << 0,      /* its session holds a reservation */
	OPTEE_ADM_RESERVED = 1 << 1, /* it is charged to the reserved account */
	OPTEE_ADM_QUEUED = 1 << 2,   /* it was refused before */
	OPTEE_ADM_BUSY = 1 << 3,     /* the secure world had no thread for it */
	OPTEE_ADM_OPEN = 1 << 4,     /* opens a session; session and func are 0 */
	OPTEE_ADM_CLOSE = 1 << 5,    /* closes its session */
	OPTEE_ADM_CANCEL = 1 << 6,   /* cancels another call of its session */
	OPTEE_ADM_INTERNAL = 1 << 7, /* the driver's own: no policy sees it, see below */
	OPTEE_ADM_SHM = 1 << 8,      /* registers shared memory, or gives it back */
};

/*
 * A call without a session (SHM, and what a later driver adds) is a call of its client: it is
 * ranked, asked about, charged and watched as any other, with session, func and ta 0.
 *
 * A call is INTERNAL when no client made it: with the driver's own context (the bottom half,
 * a page for arguments) or with none. So is one with tee-supplicant's context, which only serves
 * an RPC: the call in flight that made the RPC waits for it, and has a thread. Internal calls go
 * ahead of everybody, take any free thread and are in the counts of threads only.
 */

/*
 * The flags of a policy: what, beside the counters and the class (SYS), its verdict depends
 * on. The fewer, the less often a pass through the queue asks. Without any of those every
 * waiter is asked in every pass.
 */
enum optee_adm_ops_flag {
	OPTEE_ADM_BY_CLASS = 1 << 0, /* on nothing more, unless another BY_ is set, too */
	OPTEE_ADM_BY_CLIENT = 1 << 1,
	OPTEE_ADM_BY_TA = 1 << 2,
	OPTEE_ADM_STATELESS =
		1 << 3,             /* it keeps nothing in cpriv, tpriv or qpriv: spares copying */
	OPTEE_ADM_BY_KIND = 1 << 4, /* on OPEN, CLOSE, CANCEL or SHM */
};

/* Why a policy was left; the first reason wins. */
enum optee_adm_reason {
	OPTEE_ADM_ATTACHED, /* it was not */
	OPTEE_ADM_DETACHED, /* its link was closed or detached */
	OPTEE_ADM_SWAPPED,  /* another one took its place */
	OPTEE_ADM_GAVE_UP,  /* admit answered -errno */
	OPTEE_ADM_GARBAGE,  /* a verdict, or an answer of reserve, out of range */
	OPTEE_ADM_STALLED,  /* a call waited longer than timeout_ms, and nobody else was to blame */
	OPTEE_ADM_OFF,      /* the administrator said so */
	OPTEE_ADM_GONE,     /* the last device has left */
	OPTEE_ADM_REASONS,
};

/* In words, by reason: those of the kernel's log, and of optee-top. */
#define OPTEE_ADM_REASON_TEXTS                                                                      \
	{                                                                                           \
		[OPTEE_ADM_ATTACHED] = "attached", [OPTEE_ADM_DETACHED] = "detached",               \
		[OPTEE_ADM_SWAPPED] = "another one took its place",                                 \
		[OPTEE_ADM_GAVE_UP] = "it gave up", [OPTEE_ADM_GARBAGE] = "an answer out of range", \
		[OPTEE_ADM_STALLED] = "a call waited too long",                                     \
		[OPTEE_ADM_OFF] = "admission_off was written to",                                   \
		[OPTEE_ADM_GONE] = "the device has left",                                           \
	}

/*
 * A call as its policy sees it, filled in anew for each callback. A count that cannot be
 * known is 0 and says so here. Fields are added just before retry_ns, so that the
 * policy's own always come last.
 */
struct optee_adm_call {
	u32 total;          /* threads of the TEE; 0 = unknown (FF-A) */
	u32 free;           /* of those; when total is unknown always 0 */
	u32 reserved;       /* sessions that hold a reservation */
	u32 resv_in_flight; /* calls that hold a thread: those charged to the reserved account, */
	u32 norm_in_flight; /* all others, */
	u32 sys_in_flight;  /* and those of either whose session holds a reservation */
	u32 sys_waiting;
	u32 norm_waiting;
	u64 seq; /* arrival number */
	u64 now_ns;
	u64 wait_ns; /* since it arrived, until it got a thread */
	u64 held_ns; /* in leave: how long it had the thread */
	u64 client;  /* a process's id; 1 << 32 and up: a client in the kernel; 0 = unknown */
	u64 ta;      /* the first 64 bits of its UUID: OPTEE_ADM_TA(); 0 = unknown */
	u32 session, func, flags;
	u32 weight; /* of the caller's nice value: 4096 at 0, twice as much every 4 steps up */
	u32 client_in_flight, ta_in_flight, session_in_flight;
	u32 reserved_zero;

	/* The policy writes from here on. All are 0 when a policy begins. */
	u64 retry_ns; /* with WAIT: ask again after so long, though nothing changes; 0 = no. Passes by
		       * the clock are a millisecond apart at least. */
	u64 priv[2];  /* of the call */
	u64 cpriv[4]; /* of the client */
	u64 tpriv[4]; /* of the TA */
	u64 qpriv[4]; /* of the queue, which is of the device */
};

/*
 * What a policy in shadow is handed (policies/policy.h, bpf/shadow_stubs.bpf.h). The answer is
 * not returned: of a program in a raw tracepoint the verifier accepts nothing but 0.
 */
struct optee_adm_asked {
	struct optee_adm_call call;
	u64 answer;
};

/* optee_adm_call.weight by nice value, from -20 on. */
#define OPTEE_ADM_NICE_0 20
#define OPTEE_ADM_WEIGHTS                                                                          \
	{                                                                                          \
		131072, 110208, 92672, 77920, 65536, 55104, 46336, 38960, 32768, 27552, 23168,     \
			19480, 16384, 13776, 11584, 9740, 8192, 6888, 5792, 4870, 4096, 3444,      \
			2896, 2435, 2048, 1722, 1448, 1217, 1024, 861, 724, 608, 512, 430, 362,    \
			304, 256, 215, 181, 152,                                                   \
	}

/* The id in optee_adm_call.ta of the TA whose UUID begins with these three groups. */
#define OPTEE_ADM_TA(a, b, c) ((u64)(a) << 32 | (u64)(b) << 16 | (u64)(c))

/* What the driver counts of the calls of one class since the policy came; its own not. */
struct optee_adm_counts {
	u64 calls;                        /* that entered, */
	u64 waited, wait_ns, wait_max_ns; /* and of them those that had to wait */
	u64 enter, enter_reserved;        /* verdicts; nobody is asked while no thread is free */
	u64 wait_kept;                    /* WAIT, though a thread is free, */
	u64 wait_rate;                    /* and WAIT with a retry_ns */
};

struct optee_adm_exit {
	u32 reason;  /* enum optee_adm_reason */
	s32 error;   /* with GAVE_UP and GARBAGE: what it answered */
	u64 seq;     /* with those and STALLED: of which call */
	u64 wait_ns; /* with STALLED: how long it had waited */
};

/*
 * Every callback may be left out; with none of them the rule is the one of the driver
 * since Linux 6.8. All but init and exit run under the queue's mutex and may not sleep.
 *
 * What they cost is bounded. A program is refused that has helpers, kfuncs, callbacks, may_goto, or
 * functions that are neither static nor inline; so it is no longer than what the verifier looked
 * at. With the mutex held at most 64 questions are asked; the rest of those who wait is asked
 * soon after, and everybody is, however often something changes meanwhile. Each change may be
 * followed by one question more: of a call that arrives, enters, or leaves.
 */
struct optee_admission_ops {
	/* Before anything else; -errno vetoes the attach. May sleep. */
	s32 (*init)(void);
	/* Once after each init that succeeded. May sleep. */
	void (*exit)(struct optee_adm_exit *info);
	/* A session asks for a reservation: 0 or -errno. */
	s32 (*reserve)(struct optee_adm_call *c);
	/* A verdict. Asked as often as the core likes, so it may not charge anything. */
	s32 (*admit)(struct optee_adm_call *c);
	/* A call is about to wait: the lowest rank is asked first. Once a call. */
	u64 (*rank)(struct optee_adm_call *c);
	/* It has a thread: charge it. Anew, with BUSY, if OP-TEE had none for it after all. */
	void (*enter)(struct optee_adm_call *c);
	/* It has given the thread back. */
	void (*leave)(struct optee_adm_call *c);

	u32 flags;      /* enum optee_adm_ops_flag */
	u32 timeout_ms; /* of the watchdog, 1 to OPTEE_ADM_TIMEOUT_MS; 0 = OPTEE_ADM_TIMEOUT_MS */
	char name[OPTEE_ADM_NAME];
};

#endif
