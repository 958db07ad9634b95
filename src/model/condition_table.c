// SPDX-License-Identifier: GPL-2.0-only
/* What the conditions mean and what to do: README, manual and views have it from here. */
#include "model/condition_table.h"

const struct condition_row condition_table[NR_CONDS] = {
	[COND_OVERRUN] = { "overrun", "overrun", "system calls in flight",
			   "More system calls are in flight than entries are in reserve.",
			   "The driver of 6.8 and later does not limit them: they can take every thread.",
			   "Harmless while nobody else wants a thread. If it lasts, find out who makes system calls at once: SCMI makes one per channel. --reserved N shows whether N entries would have been enough." },
	[COND_HARMFUL_OVERRUN] = { "harmful overrun", "harmful_overrun", "normal calls waiting",
				   "An overrun while a normal call waits in the queue.",
				   "System calls beyond their reserve keep user space out of OP-TEE.",
				   "Give OP-TEE more threads (CFG_NUM_THREADS), or let fewer channels have system sessions.",
				   .alarm = true },
	[COND_RESERVE_BREACH] = { "reserve breach", "reserve_breach", "normal calls in flight",
				  "Normal calls hold threads that are in reserve.",
				  "A system call may find none. This happens if calls were in flight when the first system session was registered.",
				  "It ends with those calls. If it comes back while system sessions exist, the driver does not keep its reserve.",
				  .alarm = true },
	[COND_RESERVE_IDLE] = { "reserve idle", "reserve_idle", "normal calls waiting",
				"A normal call waits and a thread is free, although a system call already has one.",
				"The merged driver keeps a free thread in reserve even while a system call is in flight. With two threads no normal call gets in then.",
				"This is the cost of the reserve. With two threads, it is half of them: build OP-TEE with three or more." },
	[COND_EXHAUSTED] = { "exhausted", "exhausted", "calls waiting", "No thread is free.",
			     "Whoever calls now sleeps in the queue, uninterruptibly.",
			     "Ordinary if it is short. If it takes much of the time, see who holds threads longest (HOLD99, RPC%), and raise CFG_NUM_THREADS.",
			     .report_ns =
				     10000000 /* else one ends with nearly every call of a busy pool */ },
	[COND_STRANDED] = { "stranded", "stranded", "waiters left asleep",
			    "A waiter sleeps although the driver's own rule would admit it.",
			    "The driver gave its wake to a call that had no use for it: usually one in flight, which passes the wake on when it ends; with several CPUs also a waiter that had already been woken, which does not. Until then a thread is free and unused.",
			    "A defect of the driver, in every kernel up to 7.3. The report names the call that swallowed the wake. Long calls do the harm: shorten them, or split them.",
			    .alarm = true,
			    .report_ns = 1000000 /* a wake on its way takes its time, too */ },
	[COND_STARVED] = { "starved", "starved", "waiters",
			   "A call has waited in the queue for longer than a limit (--starved).",
			   "Until it gets a thread, its task cannot be interrupted or killed; a watchdog may bite.",
			   "The report shows what holds the threads. If threads were free, look for 'stranded' and 'reserve idle' at the same time.",
			   .alarm = true },
	[COND_COUNT_MISMATCH] = { "count mismatch", "count_mismatch", "calls",
				  "OP-TEE had no thread for a call that the driver had admitted.",
				  "The driver counts on threads that do not exist: it got a wrong number from OP-TEE, or lost count.",
				  "Compare CFG_NUM_THREADS with 'threads'. Another driver, or a hypervisor guest, that calls OP-TEE behind Linux's back also causes this.",
				  .alarm = true },
	[COND_DEADLOCK] = { "deadlock", "deadlock", "calls that cannot end",
			    "Every thread is held by a call that waits, directly or through tee-supplicant, for a call that waits in the queue.",
			    "No call into OP-TEE will ever end by itself.",
			    "The report has the chain. Kill (-9) a client whose call waits for tee-supplicant: that gives its thread back. Start tee-supplicant again if this ended it. Then break the chain: make no calls into OP-TEE from a plugin or a storage path that OP-TEE waits for, or give them a system session.",
			    .alarm = true },
	[COND_DRIFT] = { "drift", "drift", "threads",
			 "The driver's count of threads in use has differed from ours for at least a second.",
			 "Either the driver has leaked a thread, or optee-top has missed calls.",
			 "If the losses are 0, the driver has leaked threads: they come back only when it is unbound.",
			 .alarm = true },
	[COND_LOST_WAKE] = { "lost wake", "lost_wake", "waiters",
			     "A waiter the driver should have woken is still asleep 100 ms later.",
			     "The wake was never given: a thread may stay unused until the next call that ends wakes the waiter, or forever if none does. Until then the task cannot be killed.",
			     "A defect of the driver: see what its optee_cq_complete_one() does. Mainline's is known to waste wakes, which is 'stranded', but not to drop them; only with several CPUs can it give one to a waiter that has just been woken, which looks the same.",
			     .alarm = true },
};

bool event_involves(const struct event *e, u32 party)
{
	const struct event_party *p = &e->parties[party];
	bool system = p->class == CLASS_SYSTEM;

	switch (e->condition) {
	case COND_OVERRUN:
		return system && !p->waits;
	case COND_HARMFUL_OVERRUN:
	case COND_RESERVE_IDLE:
		return system != p->waits;
	case COND_RESERVE_BREACH:
		return !system && !p->waits;
	case COND_EXHAUSTED:
		return !p->waits;
	case COND_STRANDED:
		return p->waits || e->culprit == (int)party;
	default:
		return true;
	}
}

int event_unlisted(const struct event *e)
{
	int all = -(int)e->nr_parties;

	if (e->condition >= NR_POOL_CONDS && e->condition != COND_DEADLOCK)
		return 0; /* it is about one call, or about none */
	for (int class = 0; class < NR_CLASSES; class ++)
		all += e->in_use[class] + e->waiting[class];
	return all > 0 ? all : 0;
}
