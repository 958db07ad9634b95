// SPDX-License-Identifier: GPL-2.0-only
/* What the conditions mean and what to do: README, manual and views have it from here. */
#include "condition_table.h"

const struct condition_row condition_table[NR_CONDS] = {
	[COND_OVERRUN] = { "overrun", "overrun", "system calls in flight",
			   "More system calls are in flight than entries are in reserve.",
			   "The driver of 6.8 and later does not limit them: they can take every thread.",
			   "Harmless while nobody else wants a thread. If it lasts, look at who makes system calls at once: SCMI makes one a channel. --reserved N tells whether N entries would have been enough." },
	[COND_HARMFUL_OVERRUN] = { "harmful overrun", "harmful_overrun", "normal calls that wait",
				   "An overrun while a normal call waits in the queue.",
				   "System calls beyond their reserve keep user space out of OP-TEE.",
				   "Give OP-TEE more threads (CFG_NUM_THREADS), or let fewer channels have system sessions.",
				   .alarm = true },
	[COND_RESERVE_BREACH] = { "reserve breach", "reserve_breach", "normal calls in flight",
				  "Normal calls hold threads that are in reserve.",
				  "A system call may find none. It happens when calls were in flight as the first system session was registered.",
				  "It ends with those calls. If it comes back while system sessions exist, the driver does not keep its reserve.",
				  .alarm = true },
	[COND_RESERVE_IDLE] = { "reserve idle", "reserve_idle", "normal calls that wait",
				"A normal call waits and a thread is free, though a system call has one already.",
				"The merged driver keeps a free thread in reserve even while a system call is in flight. With two threads no normal call gets in then.",
				"It is the price of the reserve. With two threads it is every second one: build OP-TEE with three or more." },
	[COND_EXHAUSTED] = { "exhausted", "exhausted", "calls that wait", "No thread is free.",
			     "Whoever calls now sleeps in the queue, uninterruptibly.",
			     "Ordinary when it is short. If it takes much of the time, look at who holds threads longest (HOLD99, RPC%), and raise CFG_NUM_THREADS.",
			     .report_ns =
				     10000000 /* else one ends with nearly every call of a busy pool */ },
	[COND_STRANDED] = { "stranded", "stranded", "waiters left asleep",
			    "A waiter sleeps though the driver's own rule would admit it.",
			    "The driver gave the wake for it to a call that had no use for it: mostly to one in flight, which passes it on when it ends; on several CPUs also to a waiter that had been woken already, which does not. Until then a thread is free for nothing.",
			    "A defect of the driver, in every kernel up to 7.3. The report names the call that swallowed the wake: long calls do the harm. Shorten them, or split them.",
			    .alarm = true,
			    .report_ns = 1000000 /* a wake on its way takes its time, too */ },
	[COND_STARVED] = { "starved", "starved", "waiters",
			   "A call has waited in the queue for longer than a limit (--starved).",
			   "Its task cannot be interrupted or killed meanwhile; a watchdog may bite.",
			   "Look at what holds the threads in the report. If threads were free, look for 'stranded' and 'reserve idle' at the same time.",
			   .alarm = true },
	[COND_COUNT_MISMATCH] = { "count mismatch", "count_mismatch", "calls",
				  "OP-TEE answered that it has no thread for a call that the driver had admitted.",
				  "The driver believes in threads that are not there: it asked OP-TEE for their number, or lost count.",
				  "Compare CFG_NUM_THREADS with 'threads'. Another driver or a hypervisor guest that calls OP-TEE behind Linux's back does this, too.",
				  .alarm = true },
	[COND_DEADLOCK] = { "deadlock", "deadlock", "calls that cannot end",
			    "Every thread is held by a call that waits, directly or through tee-supplicant, for a call that waits in the queue.",
			    "No call into OP-TEE will ever end by itself.",
			    "The report has the chain. Kill (-9) a client whose call waits for tee-supplicant: that gives its thread back, and start tee-supplicant again if it ended over that. Then break the chain: no calls into OP-TEE from a plugin or a storage path that OP-TEE waits for, or a system session for them.",
			    .alarm = true },
	[COND_DRIFT] = { "drift", "drift", "threads",
			 "For a second the driver's count of threads in use has not been ours.",
			 "Either the driver has lost a thread, or optee-top has missed calls.",
			 "With losses 0, it is the driver's: threads that it does not give back are gone until it is unbound.",
			 .alarm = true },
	[COND_LOST_WAKE] = { "lost wake", "lost_wake", "waiters",
			     "A waiter that the driver was to wake sleeps on, 100 ms later.",
			     "The wake was never given: a thread may be free for nothing, until the next call that ends wakes the waiter, and for ever if none does. Meanwhile its task cannot be killed.",
			     "A defect of the driver: look at what its optee_cq_complete_one() does. That of mainline is known to waste wakes, which is 'stranded', and not to drop them; only on several CPUs it can give one to a waiter that has just been woken, and it looks like this.",
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
