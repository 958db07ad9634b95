// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a TA: what its sessions did, closed ones included. For what is kept or
 * exported for long, where a row a session would be too many.
 */
#include "model/class_sums.h"
#include "model/field_get.h"
#include "model/fields.h"

#define TA_FIELD(name)                                                                             \
	static struct value ta_##name(const struct snapshot *s, const struct snap_ta *row)

#define TA_NUMBER(name, known, expr)                                                               \
	TA_FIELD(name)                                                                             \
	{                                                                                          \
		UNUSED(s);                                                                         \
		return number_if(known, (double)(expr));                                           \
	}

#define TA_SUM(name, member)                                                                       \
	TA_FIELD(name)                                                                             \
	{                                                                                          \
		return number_if(sum_known(s, SUM(member)), (double)row->sums.member);             \
	}

#define TA_OCTAVES(name)                                                                           \
	static const u64 *octaves_##name(const struct snap_ta *row)                                \
	{                                                                                          \
		return row->name;                                                                  \
	}

TA_FIELD(tee)
{
	return number(s->pools[row->pool].id);
}

TA_FIELD(ta)
{
	UNUSED(s);
	if (row->other)
		return text(TA_OTHERS);
	return row->known ? text(row->ta) : unknown();
}

TA_FIELD(class)
{
	UNUSED(s);
	return text(class_name(row->class));
}

TA_NUMBER(opened, true, row->opened)
TA_FIELD(open)
{
	return number_if(pool_followed(&s->pools[row->pool]), row->open);
}

TA_SUM(calls, calls)
TA_SUM(failed, failed)
TA_SUM(waited, waited)
TA_SUM(limits, limits)
TA_SUM(limit_wait, limit_ns)
TA_SUM(waited_late, waited_late)
TA_SUM(wait, wait_ns)
TA_NUMBER(wait_longest, row->sums.calls, row->sums.wait_max_ns)
TA_SUM(argument_waits, argument_waits)
TA_SUM(argument, argument_ns)
TA_SUM(releases, releases)
TA_SUM(release, release_ns)
TA_SUM(hold, hold_ns)
TA_NUMBER(hold_longest, row->sums.calls, row->sums.hold_max_ns)
TA_SUM(secure, secure_ns)

TA_OCTAVES(wait)
TA_OCTAVES(hold)
TA_OCTAVES(secure)

const struct ta_field ta_fields[] = {
	{ "tee", UNIT_COUNT, KIND_IDENTITY, "N of /dev/teeN", .get = ta_tee },
	{ "ta", UNIT_TEXT, KIND_IDENTITY,
	  "name of the TA or pseudo TA, or its UUID if it is not a well-known one; unknown for sessions opened before optee-top attached; '(others)' for TAs without a row of their own",
	  .get = ta_ta },
	{ "class", UNIT_TEXT, KIND_IDENTITY,
	  "system for sessions whose calls could use the reserve when a call ended, otherwise normal",
	  .get = ta_class },
	{ "sessions_opened", UNIT_COUNT, KIND_TOTAL, "sessions opened, or found open", ta_opened,
	  .metric = "optee_sessions_opened_total" },
	{ "sessions_open", UNIT_COUNT, KIND_NOW, "sessions open now", ta_open,
	  .metric = "optee_sessions_open" },
	{ "calls", UNIT_COUNT, KIND_TOTAL, "calls that ended", ta_calls,
	  .metric = "optee_calls_total" },
	{ "failed", UNIT_COUNT, KIND_TOTAL, "calls that ended with a result other than TEE_SUCCESS",
	  ta_failed, .metric = "optee_calls_failed_total" },
	{ "waited", UNIT_COUNT, KIND_TOTAL, "calls that slept in the queue", ta_waited,
	  .metric = "optee_calls_waited_total" },
	{ "waited_late", UNIT_COUNT, KIND_TOTAL,
	  "of these, calls already asleep when optee-top attached: their waits count from then, so they waited at least that long",
	  ta_waited_late, .metric = "optee_calls_waited_late_total" },
	{ "limits", UNIT_COUNT, KIND_TOTAL, "ETHREAD_LIMIT answers from the secure world",
	  ta_limits, .metric = "optee_thread_limits_total" },
	{ "limit_wait", UNIT_NS, KIND_TOTAL, "total wait after ETHREAD_LIMIT answers; part of wait",
	  ta_limit_wait, .metric = "optee_limit_wait_seconds_total" },
	{ "wait", UNIT_NS, KIND_TOTAL, "total queue wait", ta_wait, .metric = "optee_wait_seconds",
	  .octaves = octaves_wait },
	{ "wait_longest", UNIT_NS, KIND_PEAK, "longest queue wait", ta_wait_longest,
	  .metric = "optee_wait_longest_seconds" },
	{ "argument_waits", UNIT_COUNT, KIND_TOTAL,
	  "calls whose task first waited for an argument: for the cache's lock, and for the call that registers a new page",
	  ta_argument_waits, .metric = "optee_argument_waits_total" },
	{ "argument", UNIT_NS, KIND_TOTAL, "total time of that, before the queue", ta_argument,
	  .metric = "optee_argument_wait_seconds_total" },
	{ "releases", UNIT_COUNT, KIND_TOTAL,
	  "calls after which the task waited for the cache's lock to give the argument back",
	  ta_releases, .metric = "optee_releases_total" },
	{ "release", UNIT_NS, KIND_TOTAL, "total time of that", ta_release,
	  .metric = "optee_release_wait_seconds_total" },
	{ "hold", UNIT_NS, KIND_TOTAL, "total time a thread was held", ta_hold,
	  .metric = "optee_hold_seconds", .octaves = octaves_hold },
	{ "hold_longest", UNIT_NS, KIND_PEAK, "longest time a thread was held", ta_hold_longest,
	  .metric = "optee_hold_longest_seconds" },
	{ "secure", UNIT_NS, KIND_TOTAL,
	  "total time in the secure world; the rest of hold is RPC and other time in Linux",
	  ta_secure, .metric = "optee_secure_seconds", .octaves = octaves_secure },
};

const size_t nr_ta_fields = sizeof(ta_fields) / sizeof(ta_fields[0]);

static u64 rpc_count(const struct snap_ta *row, enum rpc_kind kind)
{
	return row->rpc_count[kind];
}

static u64 rpc_time(const struct snap_ta *row, enum rpc_kind kind)
{
	return row->rpc_ns[kind];
}

const struct rpc_field rpc_fields[] = {
	{ "count", UNIT_COUNT, KIND_TOTAL, "RPCs, by purpose", rpc_count, "optee_rpc_total" },
	{ "time", UNIT_NS, KIND_TOTAL, "total time of these RPCs", rpc_time,
	  "optee_rpc_seconds_total" },
};

const size_t nr_rpc_fields = sizeof(rpc_fields) / sizeof(rpc_fields[0]);
