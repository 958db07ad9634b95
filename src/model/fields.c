// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a session, and what turns a value of any table into text or JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/class_sums.h"
#include "model/field_get.h"
#include "model/fields.h"
#include "model/scmi_names.h"

static struct value per_second(u64 n, u64 interval_ns)
{
	return number_if(interval_ns, (double)n * 1e9 / (double)interval_ns);
}

static u64 both(const struct class_sums sums[NR_CLASSES], size_t i)
{
	u64 n = 0;

	for (int class = 0; class < NR_CLASSES; class ++)
		n += sum_of(&sums[class], i);
	return n;
}

#define BOTH(row, member) both((row)->sums, SUM(member))

#define SESSION_FIELD(name)                                                                        \
	static struct value get_##name(const struct snapshot *s, const struct snap_session *row)

#define SESSION_NUMBER(name, known, expr)                                                          \
	SESSION_FIELD(name)                                                                        \
	{                                                                                          \
		UNUSED(s);                                                                         \
		return number_if(known, (double)(expr));                                           \
	}

#define SESSION_SUM(name, member)                                                                  \
	SESSION_FIELD(name)                                                                        \
	{                                                                                          \
		return number_if(sum_known(s, SUM(member)), (double)BOTH(row, member));            \
	}

/* A lower bound where waits of before the attach are in it. */
#define SESSION_BOUND(name, known, expr, late)                                                     \
	SESSION_FIELD(name)                                                                        \
	{                                                                                          \
		UNUSED(s);                                                                         \
		return bound_if(late, number_if(known, (double)(expr)));                           \
	}

SESSION_FIELD(tee)
{
	return number(s->pools[row->pool].id);
}

SESSION_NUMBER(session, row->serial && !(row->flags & (SESSION_OPENING | SESSION_UNNAMED)), row->id)
SESSION_NUMBER(serial, row->serial, row->serial)

SESSION_FIELD(ta)
{
	char uuid[UUID_LEN];

	UNUSED(s);
	if (row->flags & SESSION_NONE)
		return text("(no session)");
	if (row->flags & SESSION_REST)
		return text("(other sessions)");
	if (!row->uuid_known)
		return unknown();
	return text(row->ta ?: uuid_format(row->uuid, uuid));
}

SESSION_FIELD(uuid)
{
	char uuid[UUID_LEN];

	UNUSED(s);
	return row->uuid_known ? text(uuid_format(row->uuid, uuid)) : unknown();
}

SESSION_FIELD(client)
{
	UNUSED(s);
	return row->serial && row->tgid ? text(row->comm) : unknown();
}

SESSION_NUMBER(pid, row->serial && row->tgid, row->tgid)

SESSION_FIELD(origin)
{
	UNUSED(s);
	if (row->kind == CLIENT_UNKNOWN)
		return unknown();
	return text(row->kind == CLIENT_KERNEL ? "kernel" : "user");
}

SESSION_NUMBER(login, row->uuid_known, row->login)

SESSION_FIELD(class)
{
	UNUSED(s);
	return text(row->flags & SESSION_SYSTEM ? "system" : "normal");
}

SESSION_FIELD(state)
{
	UNUSED(s);
	if (!row->serial)
		return unknown();
	return text(!row->open ? "closed" : row->flags & SESSION_OPENING ? "opening" : "open");
}

/* Its channel may not be known when its protocols are. */
SESSION_FIELD(scmi)
{
	char all[72], channel[16] = "?";
	int at;

	UNUSED(s);
	if (!row->scmi_protocols)
		return unknown();
	if (row->scmi_channel)
		snprintf(channel, sizeof(channel), "%u", row->scmi_channel - 1);
	at = snprintf(all, sizeof(all), "%s:", channel);
	scmi_protocols_text(row->scmi_protocols, all + at, sizeof(all) - (size_t)at);
	return text(all);
}

SESSION_NUMBER(scmi_channel, row->scmi_channel, row->scmi_channel - 1)

/* A figure of now, or of the interval: for the whole of it the calls were seen. */
#define SEEN_NUMBER(name, known, expr)                                                             \
	SESSION_FIELD(name)                                                                        \
	{                                                                                          \
		return number_if(pool_followed(&s->pools[row->pool]) && (known), (double)(expr));  \
	}

#define SEEN_BOUND(name, known, expr, late)                                                        \
	SESSION_FIELD(name)                                                                        \
	{                                                                                          \
		bool seen = pool_followed(&s->pools[row->pool]);                                   \
                                                                                                   \
		return bound_if(late, number_if(seen && (known), (double)(expr)));                 \
	}

SESSION_FIELD(rate)
{
	if (!pool_followed(&s->pools[row->pool]))
		return unknown();
	return per_second(row->sums_iv.calls, s->interval_ns);
}

/* A client's call from before the attach may be one of a session that was open then. */
static bool may_have_late_calls(const struct snapshot *s, const struct snap_session *row)
{
	for (u32 i = 0; row->flags & SESSION_LATE && i < s->nr_calls; i++) {
		const struct snap_call *call = &s->calls[i];

		if (call->late && call->session < 0 && call->pool == row->pool &&
		    call->tgid == row->tgid)
			return true;
	}
	return false;
}

SEEN_NUMBER(in_flight, !may_have_late_calls(s, row), row->in_flight)
SESSION_NUMBER(in_flight_peak, true, row->in_flight_peak)
SESSION_SUM(calls, calls)
SESSION_SUM(failed, failed)
SESSION_NUMBER(last_failure, row->last_failure, row->last_failure)
SESSION_SUM(waited, waited)
SESSION_SUM(limits, limits)
SESSION_SUM(limit_wait, limit_ns)
SESSION_SUM(waited_late, waited_late)
SESSION_BOUND(wait, true, BOTH(row, wait_ns), BOTH(row, waited_late))
SESSION_SUM(argument_waits, argument_waits)
SESSION_SUM(argument, argument_ns)
SESSION_SUM(releases, releases)
SESSION_SUM(release, release_ns)

SESSION_FIELD(argument_longest)
{
	return number_if(BOTH(row, calls) && sum_known(s, SUM(argument_max_ns)),
			 (double)max_of(row->sums[0].argument_max_ns,
					row->sums[1].argument_max_ns));
}

SESSION_SUM(hold, hold_ns)
SESSION_SUM(secure, secure_ns)
SESSION_NUMBER(rpc, true, less(BOTH(row, hold_ns), BOTH(row, secure_ns)))

SESSION_BOUND(wait_longest, BOTH(row, calls),
	      max_of(row->sums[0].wait_max_ns, row->sums[1].wait_max_ns), BOTH(row, waited_late))
SESSION_NUMBER(hold_longest, BOTH(row, calls),
	       max_of(row->sums[0].hold_max_ns, row->sums[1].hold_max_ns))
SEEN_BOUND(wait_p50, row->wait_iv.calls, row->wait_iv.p50, row->sums_iv.waited_late)
SEEN_BOUND(wait_p99, row->wait_iv.calls, row->wait_iv.p99, row->sums_iv.waited_late)
SEEN_BOUND(wait_max, row->wait_iv.calls, row->wait_iv.max, row->sums_iv.waited_late)
SEEN_NUMBER(hold_p50, row->hold_iv.calls, row->hold_iv.p50)
SEEN_NUMBER(hold_p99, row->hold_iv.calls, row->hold_iv.p99)
SEEN_NUMBER(secure_p99, row->secure_iv.calls, row->secure_iv.p99)

SESSION_FIELD(secure_share)
{
	if (!pool_followed(&s->pools[row->pool]))
		return unknown();
	return percent(row->sums_iv.secure_ns, row->sums_iv.hold_ns);
}

SESSION_FIELD(rpc_share)
{
	if (!pool_followed(&s->pools[row->pool]))
		return unknown();
	return percent(less(row->sums_iv.hold_ns, row->sums_iv.secure_ns), row->sums_iv.hold_ns);
}

const struct session_field session_fields[] = {
	{ "tee", NULL, 0, UNIT_COUNT, KIND_IDENTITY, "N of /dev/teeN", .get = get_tee },
	{ "serial", NULL, 0, UNIT_COUNT, KIND_IDENTITY,
	  "serial number of the session since optee-top attached", .get = get_serial },
	{ "session", "SESS", 5, UNIT_COUNT, KIND_IDENTITY,
	  "the TEE's session id, which is reused after a close", .get = get_session },
	{ "ta", "TA", 20, UNIT_TEXT, KIND_IDENTITY,
	  "name of the TA or pseudo TA, or its UUID if it is not a well-known one; '-' if the session was opened before optee-top attached",
	  .get = get_ta },
	{ "uuid", NULL, 0, UNIT_TEXT, KIND_IDENTITY, "UUID of the TA", .get = get_uuid },
	{ "client", "CLIENT", 15, UNIT_TEXT, KIND_IDENTITY,
	  "name of the process that opened the session", .get = get_client },
	{ "pid", "PID", 7, UNIT_COUNT, KIND_IDENTITY, "its process id", .get = get_pid },
	{ "origin", "ORIGIN", 6, UNIT_TEXT, KIND_IDENTITY,
	  "user, or kernel if the client is in the kernel", .get = get_origin },
	{ "login", NULL, 0, UNIT_COUNT, KIND_IDENTITY, "TEE_IOCTL_LOGIN_* of the session",
	  .get = get_login },
	{ "class", "CLASS", 6, UNIT_TEXT, KIND_IDENTITY,
	  "system if its calls may use the reserve, otherwise normal", .get = get_class },
	{ "scmi", "SCMI", 10, UNIT_TEXT, KIND_IDENTITY,
	  "the channel and the protocols of SCMI that the session has served since optee-top attached, such as 1:clock; unknown for any other session, and before the first transfer",
	  .get = get_scmi, .rare = true },
	{ "scmi_channel", NULL, 0, UNIT_COUNT, KIND_IDENTITY, "that channel's number",
	  .get = get_scmi_channel },
	{ "state", NULL, 0, UNIT_TEXT, KIND_NOW, "opening, open or closed", .get = get_state },
	{ "calls_rate", "CALLS/s", 8, UNIT_PER_SECOND, KIND_INTERVAL,
	  "calls per second that ended in the interval", .get = get_rate },
	{ "in_flight", "FLY", 4, UNIT_COUNT, KIND_NOW, "calls in flight or queued now",
	  .get = get_in_flight },
	{ "in_flight_peak", NULL, 0, UNIT_COUNT, KIND_PEAK, "most calls in flight at once",
	  .get = get_in_flight_peak },
	{ "wait_p50", "WAIT50", 7, UNIT_NS, KIND_INTERVAL, "queue wait, median of the interval",
	  .get = get_wait_p50 },
	{ "wait_p99", "WAIT99", 7, UNIT_NS, KIND_INTERVAL,
	  "queue wait, 99th percentile of the interval", .get = get_wait_p99 },
	{ "wait_max", "WAITMAX", 7, UNIT_NS, KIND_INTERVAL, "longest queue wait of the interval",
	  .get = get_wait_max },
	{ "hold_p50", NULL, 0, UNIT_NS, KIND_INTERVAL,
	  "time a thread was held, median of the interval", .get = get_hold_p50 },
	{ "hold_p99", "HOLD99", 7, UNIT_NS, KIND_INTERVAL,
	  "time a thread was held, 99th percentile of the interval", .get = get_hold_p99 },
	{ "secure_p99", NULL, 0, UNIT_NS, KIND_INTERVAL,
	  "time in the secure world, 99th percentile of the interval", .get = get_secure_p99 },
	{ "secure_share", "SEC%", 5, UNIT_PERCENT, KIND_INTERVAL,
	  "share of the hold spent in the secure world, for calls that ended in the interval",
	  .get = get_secure_share },
	{ "rpc_share", "RPC%", 5, UNIT_PERCENT, KIND_INTERVAL,
	  "the rest of the hold: RPC and other time in Linux", .get = get_rpc_share },
	{ "calls", "CALLS", 9, UNIT_COUNT, KIND_TOTAL, "calls that ended", .get = get_calls },
	{ "failed", "FAIL", 5, UNIT_COUNT, KIND_TOTAL,
	  "of these, calls with a result other than TEE_SUCCESS", .get = get_failed },
	{ "argument_longest", "ARGMAX", 7, UNIT_NS, KIND_PEAK,
	  "longest wait for an argument since attach, before a call could queue",
	  .get = get_argument_longest },
	{ "last_failure", NULL, 0, UNIT_COUNT, KIND_NOW, "TEE_Result of the last failed call",
	  .get = get_last_failure },
	{ "waited", NULL, 0, UNIT_COUNT, KIND_TOTAL, "calls that slept in the queue",
	  .get = get_waited },
	{ "waited_late", NULL, 0, UNIT_COUNT, KIND_TOTAL,
	  "of these, calls already asleep when optee-top attached: their waits count from then, so wait, its longest and its percentiles are lower bounds",
	  .get = get_waited_late },
	{ "limits", NULL, 0, UNIT_COUNT, KIND_TOTAL, "ETHREAD_LIMIT answers from the secure world",
	  .get = get_limits },
	{ "limit_wait", NULL, 0, UNIT_NS, KIND_TOTAL,
	  "total wait after ETHREAD_LIMIT answers; part of wait", .get = get_limit_wait },
	{ "wait", NULL, 0, UNIT_NS, KIND_TOTAL, "total queue wait", .get = get_wait },
	{ "wait_longest", NULL, 0, UNIT_NS, KIND_PEAK, "longest queue wait",
	  .get = get_wait_longest },
	{ "argument_waits", NULL, 0, UNIT_COUNT, KIND_TOTAL,
	  "calls whose task first waited for an argument: for the cache's lock, and for the call that registers a new page",
	  .get = get_argument_waits },
	{ "argument", NULL, 0, UNIT_NS, KIND_TOTAL,
	  "total time of that; it is before the queue, and not part of wait", .get = get_argument },
	{ "releases", NULL, 0, UNIT_COUNT, KIND_TOTAL,
	  "calls after which the task waited for the cache's lock to give the argument back",
	  .get = get_releases },
	{ "release", NULL, 0, UNIT_NS, KIND_TOTAL, "total time of that; it is not part of hold",
	  .get = get_release },
	{ "hold", NULL, 0, UNIT_NS, KIND_TOTAL, "total time a thread was held", .get = get_hold },
	{ "hold_longest", NULL, 0, UNIT_NS, KIND_PEAK, "longest time a thread was held",
	  .get = get_hold_longest },
	{ "secure", NULL, 0, UNIT_NS, KIND_TOTAL, "total time in the secure world",
	  .get = get_secure },
	{ "rpc", NULL, 0, UNIT_NS, KIND_TOTAL, "hold minus secure", .get = get_rpc },
};

const size_t nr_session_fields = sizeof(session_fields) / sizeof(session_fields[0]);

const struct session_field *session_field_find(const char *name)
{
	for (size_t i = 0; i < nr_session_fields; i++)
		if (!strcmp(session_fields[i].name, name))
			return &session_fields[i];
	return NULL;
}

bool session_field_shown(const struct session_field *f, const struct snapshot *s)
{
	if (!f->head || !f->rare)
		return f->head;
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (f->get(s, &s->sessions[i]).known)
			return true;
	return false;
}

const char *value_format(const struct value *v, enum field_unit unit, char *buf, size_t len)
{
	if (v->at_least) {
		struct value exact = *v;

		exact.at_least = false;
		snprintf(buf, len, ">=");
		value_format(&exact, unit, buf + 2, len - 2);
		return buf;
	}
	if (!v->known)
		snprintf(buf, len, "-");
	else if (unit == UNIT_TEXT)
		snprintf(buf, len, "%s", v->text);
	else if (unit == UNIT_NS)
		format_ns((u64)v->number, buf, len);
	else if (unit == UNIT_PERCENT)
		snprintf(buf, len, "%.0f", v->number);
	else if (unit == UNIT_PER_SECOND)
		snprintf(buf, len, v->number < 9.95 ? "%.1f" : "%.0f", v->number);
	else
		snprintf(buf, len, "%.0f", v->number);
	return buf;
}

const struct unit_words unit_words[NR_UNITS] = {
	[UNIT_TEXT] = { "", "", "text" },
	[UNIT_COUNT] = { "", "", "count" },
	[UNIT_NS] = { "_ns", "", "ns" },
	[UNIT_PER_SECOND] = { "_per_second", "/s", "per second" },
	[UNIT_PERCENT] = { "_percent", "%", "percent" },
	[UNIT_BYTES] = { "_bytes", " bytes", "bytes" },
};

const char *field_json_key(const char *name, enum field_unit unit, char *buf, size_t len)
{
	char *end = memccpy(buf, name, '\0', len);

	/* By hand: each figure of each line of a log has a key. */
	if (end)
		memccpy(end - 1, unit_words[unit].key, '\0', len - (size_t)(end - 1 - buf));
	buf[len - 1] = '\0';
	return buf;
}

json_t *value_json(const struct value *v, enum field_unit unit)
{
	if (!v->known)
		return json_null();
	if (unit == UNIT_TEXT)
		return json_string(v->text);
	if (unit == UNIT_PER_SECOND || unit == UNIT_PERCENT)
		return json_real(v->number);
	return json_integer((json_int_t)v->number);
}

struct order {
	const struct snapshot *snapshot;
	const struct session_field *by;
	bool reverse;
};

static int compare(const void *left, const void *right, void *arg)
{
	const struct order *o = arg;
	const struct snap_session *a = &o->snapshot->sessions[*(const u32 *)left];
	const struct snap_session *b = &o->snapshot->sessions[*(const u32 *)right];
	struct value x = o->by->get(o->snapshot, a), y = o->by->get(o->snapshot, b);
	int c;

	if (x.known != y.known)
		return x.known ? -1 : 1;
	if (o->by->unit == UNIT_TEXT)
		c = strcmp(x.text, y.text);
	else
		c = (x.number < y.number) - (x.number > y.number);
	if (!c)
		return (a->serial > b->serial) - (a->serial < b->serial);
	return o->reverse ? -c : c;
}

void sessions_order(const struct snapshot *s, const struct session_field *by, bool reverse,
		    u32 *order)
{
	struct order o = { .snapshot = s, .by = by, .reverse = reverse };

	for (u32 i = 0; i < s->nr_sessions; i++)
		order[i] = i;
	qsort_r(order, s->nr_sessions, sizeof(*order), compare, &o);
}
