// SPDX-License-Identifier: GPL-2.0-only
/* The fields of a pool and of its conditions, and the losses: with their names as metrics. */
#include "model/field_get.h"
#include "model/fields.h"
#include "model/policy_reason.h"

#define POOL_FIELD(name)                                                                           \
	static struct value pool_##name(const struct snapshot *s, const struct snap_pool *pool)

#define POOL_NUMBER(name, known, expr)                                                             \
	POOL_FIELD(name)                                                                           \
	{                                                                                          \
		UNUSED(s);                                                                         \
		return number_if(known, (double)(expr));                                           \
	}

/* A figure that our hooks make. */
#define SEEN_NUMBER(name, known, expr) POOL_NUMBER(name, pool_followed(pool) && (known), expr)

POOL_NUMBER(tee, true, pool->id)
POOL_NUMBER(is_followed, pool->sight != SIGHT_UNKNOWN, pool_followed(pool))
POOL_NUMBER(threads, pool->total >= 0, pool->total)
SEEN_NUMBER(threads_at_least, pool->threads_at_least >= 0, pool->threads_at_least)
SEEN_NUMBER(free, pool->total >= 0, pool->total - pool->in_use_all)
SEEN_NUMBER(in_use_normal, true, pool->in_use[CLASS_NORMAL])
SEEN_NUMBER(in_use_system, true, pool->in_use[CLASS_SYSTEM])
SEEN_NUMBER(in_rpc, true, pool->in_rpc)
SEEN_NUMBER(waiting_normal, true, pool->waiting[CLASS_NORMAL])
SEEN_NUMBER(waiting_system, true, pool->waiting[CLASS_SYSTEM])
SEEN_NUMBER(at_arguments, pool->at_arguments >= 0, pool->at_arguments)
POOL_FIELD(oldest_wait)
{
	UNUSED(s);
	return bound_if(pool->oldest_wait_at_least > 0,
			number_if(pool_followed(pool) && pool->waiting_all,
				  (double)pool->oldest_wait_ns));
}

SEEN_NUMBER(oldest_wait_at_least, pool->waiting_all && pool->oldest_wait_at_least >= 0,
	    pool->oldest_wait_at_least)
SEEN_NUMBER(system_sessions_unseen, pool->system_sessions_unseen >= 0, pool->system_sessions_unseen)
SEEN_NUMBER(in_use_peak, true, pool->in_use_all_peak)
SEEN_NUMBER(in_use_normal_peak, true, pool->in_use_peak[CLASS_NORMAL])
SEEN_NUMBER(in_use_system_peak, true, pool->in_use_peak[CLASS_SYSTEM])
SEEN_NUMBER(waiting_peak, true, pool->waiting_all_peak)
SEEN_NUMBER(waiting_normal_peak, true, pool->waiting_peak[CLASS_NORMAL])
SEEN_NUMBER(waiting_system_peak, true, pool->waiting_peak[CLASS_SYSTEM])
POOL_NUMBER(reserved, pool->reserved >= 0, pool->reserved)
POOL_NUMBER(system_sessions, pool->system_sessions >= 0, pool->system_sessions)
POOL_NUMBER(driver_free, pool->driver_free >= 0, pool->driver_free)
SEEN_NUMBER(drift, pool->drift_known, pool->drift)

POOL_FIELD(design)
{
	UNUSED(s);
	return pool->design == DESIGN_UNKNOWN ? unknown() : text(design_name(pool->design));
}

POOL_FIELD(sight)
{
	UNUSED(s);
	return pool->sight == SIGHT_UNKNOWN ? unknown() : text(sight_name(pool->sight));
}

POOL_FIELD(policy)
{
	UNUSED(s);
	if (!pool->nr_policies || pool->policies[0].home != POLICY_ENFORCED)
		return unknown();
	return text(pool->policies[0].of.name);
}

POOL_NUMBER(policies_attached, pool->takes_policies, pool->policies_attached)
POOL_NUMBER(policies_ejected, pool->takes_policies, pool->policies_ejected)

POOL_FIELD(policy_left)
{
	char words[sizeof(((struct value *)NULL)->text)];

	UNUSED(s);
	if (!pool->policy_left[0])
		return unknown();
	snprintf(words, sizeof(words), "%s: %s", pool->policy_left,
		 policy_reason(pool->policy_reason));
	return text(words);
}

POOL_FIELD(exhausted_share)
{
	if (pool->total < 0 || !pool_followed(pool))
		return unknown();
	/* The pool is read a moment after the interval's end. */
	return percent(pool->exhausted_ns_iv < s->interval_ns ? pool->exhausted_ns_iv :
								s->interval_ns,
		       s->interval_ns);
}

const struct pool_field pool_fields[] = {
	{ "tee", UNIT_COUNT, KIND_IDENTITY, "N of /dev/teeN", .get = pool_tee },
	{ "design", UNIT_TEXT, KIND_IDENTITY,
	  "by which rule Linux admits calls: none (up to 6.7, FF-A: OP-TEE decides), merged (6.8), v6 or single (never merged), policy (one is attached), other (not known to optee-top)",
	  .get = pool_design },
	{ "threads", UNIT_COUNT, KIND_NOW,
	  "T, the number of TEE threads; unknown where Linux does not count them", pool_threads,
	  .metric = "optee_threads" },
	{ "threads_at_least", UNIT_COUNT, KIND_PEAK,
	  "where T is unknown, a lower bound: the most calls that were in an RPC at once",
	  pool_threads_at_least, .metric = "optee_threads_at_least" },
	{ "free", UNIT_COUNT, KIND_NOW, "T minus the calls that hold a thread", pool_free,
	  .metric = "optee_threads_free" },
	{ "in_use_normal", UNIT_COUNT, KIND_NOW, "normal calls that hold a thread",
	  pool_in_use_normal, .metric = "optee_threads_in_use", .class = "normal" },
	{ "in_use_system", UNIT_COUNT, KIND_NOW, "system calls that hold a thread",
	  pool_in_use_system, .metric = "optee_threads_in_use", .class = "system" },
	{ "in_rpc", UNIT_COUNT, KIND_NOW, "of the calls that hold a thread, those in an RPC",
	  pool_in_rpc, .metric = "optee_threads_in_rpc" },
	{ "waiting_normal", UNIT_COUNT, KIND_NOW, "normal calls asleep in the queue",
	  pool_waiting_normal, .metric = "optee_calls_waiting", .class = "normal" },
	{ "waiting_system", UNIT_COUNT, KIND_NOW, "system calls asleep in the queue",
	  pool_waiting_system, .metric = "optee_calls_waiting", .class = "system" },
	{ "at_arguments", UNIT_COUNT, KIND_NOW,
	  "tasks that wait for the lock of the argument cache, before the queue or after their call",
	  pool_at_arguments, .metric = "optee_tasks_at_arguments" },
	{ "oldest_wait", UNIT_NS, KIND_NOW,
	  "how long the longest waiter has been asleep in the queue; a lower bound if it was already asleep when optee-top attached",
	  pool_oldest_wait, .metric = "optee_oldest_wait_seconds" },
	{ "oldest_wait_at_least", UNIT_COUNT, KIND_NOW,
	  "1 if that waiter was already asleep when optee-top attached, so it has waited longer",
	  pool_oldest_wait_at_least, .metric = "optee_oldest_wait_at_least" },
	{ "in_use_peak", UNIT_COUNT, KIND_PEAK, "most threads in use at once", pool_in_use_peak,
	  .metric = "optee_threads_in_use_peak" },
	{ "in_use_normal_peak", UNIT_COUNT, KIND_PEAK,
	  "most threads in use at once by normal calls", pool_in_use_normal_peak,
	  .metric = "optee_threads_in_use_class_peak", .class = "normal" },
	{ "in_use_system_peak", UNIT_COUNT, KIND_PEAK,
	  "most threads in use at once by system calls", pool_in_use_system_peak,
	  .metric = "optee_threads_in_use_class_peak", .class = "system" },
	{ "waiting_peak", UNIT_COUNT, KIND_PEAK, "most calls asleep in the queue at once",
	  pool_waiting_peak, .metric = "optee_calls_waiting_peak" },
	{ "waiting_normal_peak", UNIT_COUNT, KIND_PEAK,
	  "most normal calls asleep in the queue at once", pool_waiting_normal_peak,
	  .metric = "optee_calls_waiting_class_peak", .class = "normal" },
	{ "waiting_system_peak", UNIT_COUNT, KIND_PEAK,
	  "most system calls asleep in the queue at once", pool_waiting_system_peak,
	  .metric = "optee_calls_waiting_class_peak", .class = "system" },
	{ "exhausted_share", UNIT_PERCENT, KIND_INTERVAL,
	  "share of the interval in which no thread was free", .get = pool_exhausted_share },
	{ "reserved", UNIT_COUNT, KIND_NOW,
	  "entries that the driver keeps in reserve for system sessions now", pool_reserved,
	  .metric = "optee_threads_reserved" },
	{ "system_sessions", UNIT_COUNT, KIND_NOW, "system sessions, as the driver counts them",
	  pool_system_sessions, .metric = "optee_system_sessions" },
	{ "system_sessions_unseen", UNIT_COUNT, KIND_NOW,
	  "of these, sessions without a row: opened before optee-top attached and without a call since, or without room (sessions_without_slot)",
	  pool_system_sessions_unseen, .metric = "optee_system_sessions_unseen" },
	{ "driver_free", UNIT_COUNT, KIND_NOW, "free threads, as the driver counts them",
	  pool_driver_free, .metric = "optee_driver_threads_free" },
	{ "drift", UNIT_COUNT, KIND_NOW,
	  "the driver's count of threads in use minus ours, once it has differed for a second; must be 0",
	  pool_drift, .metric = "optee_threads_drift" },
	{ "policy", UNIT_TEXT, KIND_IDENTITY, "name of the attached admission policy",
	  .get = pool_policy },
	{ "policies_attached", UNIT_COUNT, KIND_TOTAL,
	  "policies attached since the device appeared, including by swap", pool_policies_attached,
	  .metric = "optee_policies_attached_total" },
	{ "policies_ejected", UNIT_COUNT, KIND_TOTAL, "of these, policies that the driver ejected",
	  pool_policies_ejected, .metric = "optee_policies_ejected_total" },
	{ "policy_left", UNIT_TEXT, KIND_IDENTITY,
	  "the last policy that is no longer attached, and why", .get = pool_policy_left },
	{ "followed", UNIT_COUNT, KIND_NOW,
	  "1 if its calls are seen; 0 if they are not, or were not for part of the interval: whatever depends on it is unknown",
	  pool_is_followed, .metric = "optee_calls_followed" },
	{ "sight", UNIT_TEXT, KIND_IDENTITY, "whether its calls are followed, and why not",
	  .get = pool_sight },
};

const size_t nr_pool_fields = sizeof(pool_fields) / sizeof(pool_fields[0]);

const struct loss_field loss_fields[NR_LOSSES] = {
	[LOSS_CALL_SLOT] = { "calls_without_slot",
			     "calls not accounted, because there were too many at once" },
	[LOSS_CALL_END] = { "calls_without_end", "calls whose end was not seen" },
	[LOSS_CALL_MSG] = { "calls_unreadable",
			    "calls whose message could not be read; they are counted without a session" },
	[LOSS_SESSION_SLOT] = { "sessions_without_slot",
				"sessions counted together, because no row was left" },
	[LOSS_SESSION_CLOSED] = { "sessions_unread",
				  "closed sessions whose row was reused before it was read; their last calls are in no total. And rows that could not be read for a second; what they gained is in no total yet" },
	[LOSS_POOL_SLOT] = { "pools_without_slot", "calls of TEE instances beyond the fourth" },
	[LOSS_EPISODE] = { "conditions_unreported",
			   "conditions that were counted, but had no room among the events" },
	[LOSS_CALL_RECORD] = { "calls_unrecorded",
			       "calls that were accounted, but not recorded one by one, because the recorder was too slow" },
	[LOSS_SHADOW_STATE] = { "shadows_forgot",
				"clients and TAs whose state a shadow policy lost, or never had, because no slot was left" },
	[LOSS_SHADOW_ANSWER] = { "shadows_unanswered",
				 "invalid answers of shadow policies; the driver's rule was counted instead" },
	[LOSS_SUPPLICANT] = { "supplicants_without_slot",
			      "requests taken by tee-supplicant threads that had no slot, and looks that did not reach all requests; deadlocks through them are not found" },
	[LOSS_CALL_UNSEEN] = { "calls_unseen", "calls that ended, but that no hook saw begin" },
	[LOSS_SIGHT] = { "hooks_silent",
			 "times that hooks stopped firing; what happened in between was not seen" },
	[LOSS_ARGUMENT] = { "argument_waits_unplaced",
			    "waits for the argument cache that are in the figures of no call: it began before the attach, found no slot, or no call followed within a second; and those after a call that are in its session's figures, but found no room in the recording" },
	[LOSS_SCMI] = { "scmi_untold",
			"SCMI transfers in no figure of SCMI, because there were too many at once" },
	[LOSS_LATE_CALLS] = { "calls_late",
			      "calls in flight at attach, which are shown; those that held a thread are not accounted, and the waits of the others count from the attach" },
};

const struct loss_field missed_field = { "probes_missed", "hook runs skipped by the kernel" };

/* Figures of a condition. */

#define CONDITION_NUMBER(name, known_if, expr)                                                     \
	static struct value condition_##name(const struct snap_cond *c)                            \
	{                                                                                          \
		return number_if(c->known && (known_if), (double)(expr));                          \
	}

CONDITION_NUMBER(count, true, c->count)
CONDITION_NUMBER(lasting, true, c->lasting)
CONDITION_NUMBER(since, c->lasting, c->since_ns)
CONDITION_NUMBER(time, true, c->ns)
CONDITION_NUMBER(longest, true, c->longest_ns)
CONDITION_NUMBER(peak, true, c->peak)

const struct condition_field condition_fields[] = {
	{ "count", UNIT_COUNT, KIND_TOTAL, "episodes since attach, including those in progress",
	  condition_count, .metric = "optee_condition_episodes_total" },
	{ "lasting", UNIT_COUNT, KIND_NOW, "episodes in progress now", condition_lasting,
	  .metric = "optee_condition_lasting" },
	{ "since", UNIT_NS, KIND_NOW,
	  "CLOCK_MONOTONIC when the first of these began; null if there is none",
	  .get = condition_since },
	{ "time", UNIT_NS, KIND_TOTAL, "total time of the episodes", condition_time,
	  .metric = "optee_condition_seconds_total" },
	{ "longest", UNIT_NS, KIND_PEAK, "how long the longest episode lasted", condition_longest,
	  .metric = "optee_condition_longest_seconds" },
	{ "peak", UNIT_COUNT, KIND_PEAK, "largest value of the figure that makes the condition",
	  condition_peak, .metric = "optee_condition_peak" },
};

const size_t nr_condition_fields = sizeof(condition_fields) / sizeof(condition_fields[0]);
