// SPDX-License-Identifier: GPL-2.0-only
/* What the conditions mean, when they are known, how they are reported and what to do. */
#include <stdio.h>
#include <stdlib.h>
#include "model/condition_table.h"

static const char *plural(int n)
{
	return n == 1 ? "" : "s";
}

/* Why: they say only what was seen. */

#define WHY(name) static void why_##name(const struct event *e, char *buf, size_t len)

static int in_use(const struct event *e)
{
	return e->in_use[CLASS_NORMAL] + e->in_use[CLASS_SYSTEM];
}

static int waiting(const struct event *e)
{
	return e->waiting[CLASS_NORMAL] + e->waiting[CLASS_SYSTEM];
}

WHY(overrun)
{
	snprintf(buf, len, "%d system calls in flight, %d in reserve", e->in_use[CLASS_SYSTEM],
		 e->reserved);
}

WHY(harmful_overrun)
{
	int n = e->waiting[CLASS_NORMAL];

	snprintf(buf, len, "%d system calls in flight, %d in reserve, %d normal call%s wait%s",
		 e->in_use[CLASS_SYSTEM], e->reserved, n, plural(n), n == 1 ? "s" : "");
}

WHY(reserve_breach)
{
	snprintf(buf, len, "%d normal calls in flight, %d of %d threads in reserve",
		 e->in_use[CLASS_NORMAL], e->reserved, e->threads);
}

WHY(reserve_idle)
{
	int n = e->waiting[CLASS_NORMAL], system = e->in_use[CLASS_SYSTEM];
	int idle = e->threads - in_use(e);

	snprintf(buf, len, "%d normal call%s wait%s, %d system call%s in flight, %d thread%s free",
		 n, plural(n), n == 1 ? "s" : "", system, plural(system), idle, plural(idle));
}

WHY(exhausted)
{
	snprintf(buf, len, "%d normal and %d system calls hold all %d threads",
		 e->in_use[CLASS_NORMAL], e->in_use[CLASS_SYSTEM], e->threads);
}

WHY(stranded)
{
	int n = waiting(e), held = in_use(e);

	if (e->threads < 0)
		snprintf(buf, len, "%d wait%s in the queue, %d thread%s held, and there are more",
			 n, n == 1 ? "s" : "", held, plural(held));
	else
		snprintf(buf, len, "%d wait%s in the queue, %d thread%s free", n, n == 1 ? "s" : "",
			 e->driver_free, plural(e->driver_free));
}

WHY(starved)
{
	int n = waiting(e), held = in_use(e);

	if (e->threads < 0)
		snprintf(buf, len, "%d wait%s, %d thread%s held", n, n == 1 ? "s" : "", held,
			 plural(held));
	else
		snprintf(buf, len, "%d wait%s, %d of %d threads held", n, n == 1 ? "s" : "", held,
			 e->threads);
}

WHY(count_mismatch)
{
	snprintf(buf, len, "ETHREAD_LIMIT with %d of %d threads held", in_use(e), e->threads);
}

/* Of a deadlock: the calls that hold a thread and wait for somebody. */
static int stuck_holders(const struct event *e)
{
	int n = 0;

	for (u32 i = 0; i < e->nr_parties; i++) {
		const struct event_party *p = &e->parties[i];

		n += !p->waits && !at_arguments(p->phase) && p->behind >= 0;
	}
	return n < MAX_PARTIES ? n : in_use(e); /* there may be more than are listed */
}

/* The threads that are left, which system calls may have, and normal ones may not. */
static int threads_kept(const struct event *e)
{
	int n = e->threads - stuck_holders(e);

	return e->driver_sys_sessions > 0 && n > 0 ? n : 0;
}

WHY(deadlock)
{
	int holders = stuck_holders(e), kept = threads_kept(e);
	int waiters = kept ? e->waiting[CLASS_NORMAL] : waiting(e);
	int at = snprintf(buf, len, "%d call%s hold%s a thread and wait%s for the %d in the queue",
			  holders, plural(holders), holders == 1 ? "s" : "",
			  holders == 1 ? "s" : "", waiters);

	if (kept && at >= 0 && (size_t)at < len)
		snprintf(buf + at, len - (size_t)at,
			 ", and %d of %d threads %s for system calls only", kept, e->threads,
			 kept == 1 ? "is" : "are");
}

WHY(drift)
{
	int n = abs(e->drift);

	snprintf(buf, len, "the driver counts %d thread%s %s in use than there are calls", n,
		 plural(n), e->drift < 0 ? "fewer" : "more");
}

WHY(lost_wake)
{
	int n = waiting(e);

	snprintf(buf, len, "its wake has not come, %d wait%s in the queue, %d thread%s free", n,
		 n == 1 ? "s" : "", e->driver_free, plural(e->driver_free));
}

WHY(convoy)
{
	snprintf(buf, len, "%u wait%s for the argument cache, whose owner waits in the queue",
		 e->peak, e->peak == 1 ? "s" : "");
}

WHY(session_leak)
{
	snprintf(buf, len, "%u session%s open that nobody has any more", e->peak,
		 e->peak == 1 ? " is" : "s are");
}

WHY(supplicant_gone)
{
	snprintf(buf, len, "%u request%s for a tee-supplicant that is gone", e->peak,
		 e->peak == 1 ? " waits" : "s wait");
}

/* Whom it is about. */

#define INVOLVES(name) static bool name(const struct event *e, u32 party)

INVOLVES(holds)
{
	return !e->parties[party].waits;
}

INVOLVES(holds_as_system)
{
	return holds(e, party) && e->parties[party].class == CLASS_SYSTEM;
}

INVOLVES(holds_as_normal)
{
	return holds(e, party) && e->parties[party].class != CLASS_SYSTEM;
}

INVOLVES(system_holds_or_normal_waits)
{
	return (e->parties[party].class == CLASS_SYSTEM) != e->parties[party].waits;
}

/* Beside a deadlock of normal calls a system call gets through. */
INVOLVES(deadlocked)
{
	const struct event_party *p = &e->parties[party];

	if (p->waits)
		return p->class != CLASS_SYSTEM || !threads_kept(e);
	return p->behind >= 0;
}

INVOLVES(waits_or_swallowed)
{
	return !holds(e, party) || e->culprit == (int)party;
}

const struct condition_row condition_table[NR_CONDS] = {
	[COND_OVERRUN] = {
		.number = 0,
		.name = "overrun",
		.key = "overrun",
		.peak = "system calls in flight",
		.means = "More system calls are in flight than entries are in reserve.",
		.so = "The driver of 6.8 and later does not limit them: they can take every thread.",
		.remedy = "Harmless while nobody else wants a thread. If it lasts, find out who makes system calls at once: SCMI makes one per channel. --reserved N shows whether N entries would have been enough.",
		.needs = NEEDS_RESERVE,
		.why = why_overrun,
		.involves = holds_as_system,
		.alert = { ALERT_FILLS, 0.5, "15m", "info" },
		.rule = { "no_overrun", ARG_NONE, .help = "no overrun: no more system calls in flight than entries in reserve" },
		.topic = TOPIC_RESERVE,
	},
	[COND_HARMFUL_OVERRUN] = {
		.number = 1,
		.name = "harmful overrun",
		.key = "harmful_overrun",
		.peak = "normal calls waiting",
		.means = "An overrun while a normal call waits in the queue.",
		.so = "System calls beyond their reserve keep user space out of OP-TEE.",
		.remedy = "Give OP-TEE more threads (CFG_NUM_THREADS), or let fewer channels have system sessions.",
		.alarm = true,
		.needs = NEEDS_RESERVE,
		.why = why_harmful_overrun,
		.involves = system_holds_or_normal_waits,
		.alert = { ALERT_TAKES, 1, "0m", "warning" },
		.rule = { "no_harmful_overrun", ARG_NONE, .help = "no overrun while a normal call waited" },
		.topic = TOPIC_RESERVE,
		.usual = "",
	},
	[COND_RESERVE_BREACH] = {
		.number = 2,
		.name = "reserve breach",
		.key = "reserve_breach",
		.peak = "normal calls in flight",
		.means = "Normal calls hold threads that are in reserve.",
		.so = "A system call may find none. This happens if calls were in flight when the first system session was registered.",
		.remedy = "It ends with those calls. If it comes back while system sessions exist, the driver does not keep its reserve.",
		.alarm = true,
		.needs = NEEDS_THREADS | NEEDS_RESERVE,
		.why = why_reserve_breach,
		.involves = holds_as_normal,
		.alert = { ALERT_TAKES, 1, "0m", "warning" },
		.rule = { "no_reserve_breach", ARG_NONE, .help = "normal calls held no thread that was in reserve" },
		.topic = TOPIC_RESERVE,
	},
	[COND_RESERVE_IDLE] = {
		.number = 3,
		.name = "reserve idle",
		.key = "reserve_idle",
		.peak = "normal calls waiting",
		.means = "A normal call waits and a thread is free, although a system call already has one.",
		.so = "The merged driver keeps a free thread in reserve even while a system call is in flight. With two threads no normal call gets in then.",
		.remedy = "This is the cost of the reserve. With two threads, it is half of them: build OP-TEE with three or more.",
		.needs = NEEDS_THREADS | NEEDS_RESERVE,
		.why = why_reserve_idle,
		.involves = system_holds_or_normal_waits,
		.alert = { ALERT_FILLS, 0.1, "15m", "info" },
		.rule = { "no_reserve_idle", ARG_NONE, .help = "no normal call waited beside a free thread while a system call already had one" },
		.topic = TOPIC_RESERVE,
	},
	[COND_EXHAUSTED] = {
		.number = 4,
		.name = "exhausted",
		.key = "exhausted",
		.peak = "calls waiting",
		.means = "No thread is free.",
		.so = "Whoever calls now sleeps in the queue, uninterruptibly.",
		.remedy = "Ordinary if it is short. If it takes much of the time, see who holds threads longest (HOLD99, RPC%), and raise CFG_NUM_THREADS.",
		.report_ns = 10000000, /* else one ends with nearly every call of a busy pool */
		.needs = NEEDS_THREADS,
		.why = why_exhausted,
		.involves = holds,
		.alert = { ALERT_FILLS, 0.5, "10m", "warning" },
	},
	[COND_STRANDED] = {
		.number = 5,
		.name = "stranded",
		.key = "stranded",
		.peak = "waiters left asleep",
		.means = "A waiter sleeps although the driver's own rule would admit it.",
		.so = "The driver gave its wake to a call that had no use for it: usually one in flight, which passes the wake on when it ends; with several CPUs also a waiter that had already been woken, which does not. Until then a thread is free and unused.",
		.remedy = "A defect of the driver, in every kernel up to 7.3. The report names the call that swallowed the wake. Long calls do the harm: shorten them, or split them. upstream/ has a patch, 0001.",
		.alarm = true,
		.report_ns = 1000000, /* a wake on its way takes its time, too */
		.needs = NEEDS_THREADS | NEEDS_WAKES,
		.evidence = EVIDENCE_WAKE,
		.why = why_stranded,
		.involves = waits_or_swallowed,
		.alert = { ALERT_TAKES, 0.1, "0m", "warning" },
		.rule = { "no_stranded", ARG_TIME_OR_NONE, .help = "no waiter was left asleep that could have entered, or none for TIME or longer" },
		.topic = TOPIC_WAITERS,
		.usual = "20ms",
	},
	[COND_STARVED] = {
		.number = 6,
		.name = "starved",
		.key = "starved",
		.peak = "waiters",
		.means = "A call has waited in the queue for longer than a limit (--starved).",
		.so = "Until it gets a thread, its task cannot be interrupted or killed; a watchdog may bite.",
		.remedy = "The report shows what holds the threads. If threads were free, look for 'stranded' and 'reserve idle' at the same time.",
		.alarm = true,
		.few = true,
		.by_starved = true,
		.why = why_starved,
		.alert = { ALERT_COMES, 0, "0m", "warning" },
		.rule = { "no_starved", ARG_TIME_OR_NONE, .help = "no call waited in the queue for TIME or longer (default: the limit of --starved)", .least_ns = 1000000 },
		.topic = TOPIC_WAITERS,
		.usual = "1s",
	},
	[COND_COUNT_MISMATCH] = {
		.number = 7,
		.name = "count mismatch",
		.key = "count_mismatch",
		.peak = "calls",
		.means = "OP-TEE had no thread for a call that the driver had admitted.",
		.so = "The driver counts on threads that do not exist: it got a wrong number from OP-TEE, or lost count.",
		.remedy = "Compare CFG_NUM_THREADS with 'threads'. Another driver, or a hypervisor guest, that calls OP-TEE behind Linux's back also causes this.",
		.alarm = true,
		.few = true,
		.needs = NEEDS_THREADS | NEEDS_RULE,
		.why = why_count_mismatch,
		.alert = { ALERT_COMES, 0, "0m", "warning" },
		.rule = { "no_count_mismatch", ARG_NONE, .help = "OP-TEE had a thread for each call that the driver admitted" },
		.topic = TOPIC_THREADS,
		.usual = "",
	},
	[COND_DEADLOCK] = {
		.number = 8,
		.name = "deadlock",
		.key = "deadlock",
		.peak = "calls that cannot end",
		.means = "Every thread that the calls in the queue may have is held by a call that waits: for one of those in the queue, itself or through tee-supplicant, or for a lock of OP-TEE that another such call has. A thread in reserve may be free: normal calls may not have it.",
		.so = "These calls will never end by themselves, and every normal call that comes waits behind them. System calls get through only if there is a reserve.",
		.remedy = "The report has the chain. Kill (-9) a client whose call waits for tee-supplicant: that gives its thread back. Start tee-supplicant again if this ended it. Then break the chain: make no calls into OP-TEE from a plugin or a storage path that OP-TEE waits for, or give them a system session.",
		.alarm = true,
		.evidence = EVIDENCE_CHAIN,
		.why = why_deadlock,
		.involves = deadlocked,
		.alert = { ALERT_LASTS, 0, "10s", "critical" },
		.rule = { "no_deadlock", ARG_NONE, .help = "no deadlock" },
		.topic = TOPIC_THREADS,
		.usual = "",
	},
	[COND_DRIFT] = {
		.number = 9,
		.name = "drift",
		.key = "drift",
		.peak = "threads",
		.means = "The driver's count of threads in use has differed from ours for at least a second.",
		.so = "Either the driver has leaked a thread, or optee-top has missed calls.",
		.remedy = "If the losses are 0, the driver has leaked threads: they come back only when it is unbound.",
		.alarm = true,
		.few = true,
		.needs = NEEDS_DRIFT,
		.evidence = EVIDENCE_DRIFT,
		.why = why_drift,
		.alert = { ALERT_LASTS, 0, "10s", "critical" },
		.rule = { "no_drift", ARG_NONE, .help = "the driver's count of threads in use never differed from ours for a second" },
		.topic = TOPIC_THREADS,
		.usual = "",
	},
	[COND_LOST_WAKE] = {
		.number = 10,
		.name = "lost wake",
		.key = "lost_wake",
		.peak = "waiters",
		.means = "A waiter the driver should have woken is still asleep 100 ms later.",
		.so = "The wake was never given: a thread may stay unused until the next call that ends wakes the waiter, or forever if none does. Until then the task cannot be killed.",
		.remedy = "A defect of the driver: see what its optee_cq_complete_one() does. Mainline's is known to waste wakes, which is 'stranded', but not to drop them.",
		.alarm = true,
		.few = true,
		.needs = NEEDS_WAKES,
		.why = why_lost_wake,
		.alert = { ALERT_COMES, 0, "0m", "critical" },
		.rule = { "no_lost_wake", ARG_NONE, .help = "no waiter slept on that should have been woken" },
		.topic = TOPIC_WAITERS,
		.usual = "",
	},
	[COND_CONVOY] = {
		.number = 11,
		.name = "convoy",
		.key = "convoy",
		.peak = "tasks at the argument cache",
		.means = "Tasks wait for the lock of the driver's argument cache, and the one that has it waits in the queue for a thread.",
		.so = "Nobody can begin a call or end one meanwhile, not even a system session with a thread in reserve. What they wait is in 'argument' and 'release', not in 'wait'.",
		.remedy = "A defect of the driver since 5.19: it registers a page for arguments with an ordinary call while the cache is locked. About ten callers share one, and it keeps them: have fewer callers at once, or as many as there will ever be once, before it matters. upstream/ has a patch, 0003.",
		.alarm = true,
		.few = true,
		.needs = NEEDS_ARGUMENTS,
		.why = why_convoy,
		.alert = { ALERT_COMES, 0, "0m", "warning" },
		.rule = { "no_convoy", ARG_NONE, .help = "nobody waited for the argument cache while its owner waited in the queue" },
		.topic = TOPIC_WAITERS,
		.usual = "",
	},
	[COND_SESSION_LEAK] = {
		.number = 12,
		.name = "session leak",
		.key = "session_leak",
		.peak = "sessions",
		.means = "A session is open although its process ended, and everyone else closed the file, at least a second ago.",
		.so = "The driver will never close it: its TA stays in memory, and one that takes a single session is busy until the driver is removed.",
		.remedy = "A defect of the driver from 5.19 to 7.3: the client that is first to need an eleventh argument at once can never be closed. Have no more than ten calls at once, and close sessions before a process is killed. To free it, stop optee-top, tee-supplicant and all clients, and remove the driver; reboot if it is built in. upstream/ has a patch, 0002.",
		.alarm = true,
		.few = true,
		.needs = NEEDS_CONTEXTS,
		.evidence = EVIDENCE_SESSIONS,
		.why = why_session_leak,
		.alert = { ALERT_COMES, 0, "0m", "warning" },
		.rule = { "no_session_leak", ARG_NONE, .help = "the driver closed the sessions of each process that ended" },
		.topic = TOPIC_THREADS,
		.usual = "",
	},
	[COND_SUPPLICANT_GONE] = {
		.number = 13,
		.name = "supplicant gone",
		.key = "supplicant_gone",
		.peak = "requests",
		.means = "Requests have waited for at least a second for a tee-supplicant that is gone, and the driver has not noticed.",
		.so = "Nobody will ever answer them, and no other tee-supplicant can open /dev/teepriv0, which stays busy. Each of their calls holds a thread.",
		.remedy = "A defect of the driver up to 7.3, if OP-TEE has memory of tee-supplicant when that is killed. Kill (-9) the clients whose calls wait, those in an RPC if the report names none: tee-supplicant can be started again if that ends this. If it does not, they wait for each other in OP-TEE, and only a reboot helps. upstream/7.3 has a patch, 0004.",
		.alarm = true,
		.few = true,
		.needs = NEEDS_REQUESTS,
		.why = why_supplicant_gone,
		.alert = { ALERT_LASTS, 0, "10s", "critical" },
		.rule = { "no_supplicant_gone", ARG_NONE, .help = "no request waited for a second for a tee-supplicant that was gone" },
		.topic = TOPIC_THREADS,
		.usual = "",
	},
};

enum condition condition_of_number(u32 number)
{
	for (int cond = 0; cond < NR_CONDS; cond++)
		if (condition_table[cond].number == number)
			return (enum condition)cond;
	return NR_CONDS;
}

bool event_involves(const struct event *e, u32 party)
{
	const struct condition_row *row = &condition_table[e->condition];

	return !row->involves || row->involves(e, party);
}

int event_unlisted(const struct event *e)
{
	int all = in_use(e) + waiting(e) - (int)e->nr_parties;

	return !condition_table[e->condition].few && all > 0 ? all : 0;
}
