// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of an admission policy: what it decided of the calls of one class. What the
 * driver counts of an attached one and what we count of a shadow is not all the same; what
 * a row does not have is not known in it.
 */
#include "model/field_get.h"
#include "model/fields.h"

#define POLICY_FIELD(name)                                                                         \
	static struct value policy_##name(const struct snap_policy *policy, enum call_class class)

#define POLICY_NUMBER(name, known, expr)                                                           \
	POLICY_FIELD(name)                                                                         \
	{                                                                                          \
		const struct policy_counts *counts = &policy->of.counts[class];                    \
                                                                                                   \
		UNUSED(counts);                                                                    \
		return number_if(known, (double)(expr));                                           \
	}

#define ENFORCED (policy->home == POLICY_ENFORCED)
#define SHADOW   (policy->home == POLICY_SHADOW)

POLICY_FIELD(name)
{
	UNUSED(class);
	return text(policy->of.name);
}

POLICY_FIELD(home)
{
	UNUSED(class);
	return text(policy_home_name(policy->home));
}

POLICY_FIELD(class)
{
	UNUSED(policy);
	return text(class_name(class));
}

POLICY_NUMBER(calls, true, counts->calls)
POLICY_NUMBER(enter, true, counts->enter)
POLICY_NUMBER(enter_reserved, true, counts->enter_reserved)
POLICY_NUMBER(wait_no_thread, SHADOW, counts->wait_no_thread)
POLICY_NUMBER(wait_kept, true, counts->wait_kept)
POLICY_NUMBER(wait_rate, true, counts->wait_rate)
POLICY_NUMBER(waited, ENFORCED, counts->waited)
POLICY_NUMBER(wait, ENFORCED, counts->wait_ns)
POLICY_NUMBER(wait_longest, ENFORCED && counts->waited, counts->wait_max_ns)
POLICY_NUMBER(stricter_kept, SHADOW, counts->stricter_kept)
POLICY_NUMBER(stricter_rate, SHADOW, counts->stricter_rate)
POLICY_NUMBER(looser, SHADOW, counts->looser)
/* Who asks for a reservation wants to make system calls. */
POLICY_NUMBER(reserve_yes, class == CLASS_SYSTEM, policy->of.reserve_yes)
POLICY_NUMBER(reserve_no, class == CLASS_SYSTEM, policy->of.reserve_no)

const struct policy_field policy_fields[] = {
	{ "policy", UNIT_TEXT, KIND_IDENTITY, "its name", .get = policy_name },
	{ "home", UNIT_TEXT, KIND_IDENTITY,
	  "enforced: the driver obeys it; shadow: it is only asked, once per call, with the queue as the driver made it (one step, not what the queue would have become)",
	  .get = policy_home },
	{ "class", UNIT_TEXT, KIND_IDENTITY, "normal or system calls", .get = policy_class },
	{ "calls", UNIT_COUNT, KIND_TOTAL,
	  "calls that got a thread since the policy was attached; for a shadow, calls it was asked about",
	  policy_calls, .metric = "optee_policy_calls_total" },
	{ "enter", UNIT_COUNT, KIND_TOTAL,
	  "enter verdicts; the driver asks when a thread is free, and again at each change",
	  policy_enter, "optee_policy_verdicts_total", "verdict", "enter" },
	{ "enter_reserved", UNIT_COUNT, KIND_TOTAL, "verdicts to enter by the reservation",
	  policy_enter_reserved, "optee_policy_verdicts_total", "verdict", "enter_reserved" },
	{ "wait_no_thread", UNIT_COUNT, KIND_TOTAL,
	  "for a shadow: no thread was free, whatever it said", policy_wait_no_thread,
	  "optee_policy_verdicts_total", "verdict", "wait_no_thread" },
	{ "wait_kept", UNIT_COUNT, KIND_TOTAL, "verdicts to wait although a thread was free",
	  policy_wait_kept, "optee_policy_verdicts_total", "verdict", "wait_kept" },
	{ "wait_rate", UNIT_COUNT, KIND_TOTAL,
	  "verdicts to wait and ask again later, to hold a rate", policy_wait_rate,
	  "optee_policy_verdicts_total", "verdict", "wait_rate" },
	{ "waited", UNIT_COUNT, KIND_TOTAL, "calls that had to wait", policy_waited,
	  .metric = "optee_policy_waited_total" },
	{ "wait", UNIT_NS, KIND_TOTAL, "total time these waited", policy_wait,
	  .metric = "optee_policy_wait_seconds_total" },
	{ "wait_longest", UNIT_NS, KIND_PEAK, "longest of these waits", policy_wait_longest,
	  .metric = "optee_policy_wait_longest_seconds" },
	{ "stricter_kept", UNIT_COUNT, KIND_TOTAL,
	  "for a shadow: the driver let the call in at once, and it would have kept the thread",
	  policy_stricter_kept, "optee_policy_differs_total", "how", "stricter_kept" },
	{ "stricter_rate", UNIT_COUNT, KIND_TOTAL,
	  "for a shadow: the driver let the call in at once, and it would have held it to a rate",
	  policy_stricter_rate, "optee_policy_differs_total", "how", "stricter_rate" },
	{ "looser", UNIT_COUNT, KIND_TOTAL,
	  "for a shadow: the driver made the call wait, and it would have let it in", policy_looser,
	  "optee_policy_differs_total", "how", "looser" },
	{ "reserve_yes", UNIT_COUNT, KIND_TOTAL,
	  "sessions that asked for a reservation and got one", policy_reserve_yes,
	  "optee_policy_reservations_total", "answer", "yes" },
	{ "reserve_no", UNIT_COUNT, KIND_TOTAL,
	  "sessions that asked for a reservation and were refused", policy_reserve_no,
	  "optee_policy_reservations_total", "answer", "no" },
};

const size_t nr_policy_fields = sizeof(policy_fields) / sizeof(policy_fields[0]);
