// SPDX-License-Identifier: GPL-2.0-only
/* The table of a call's figures. */
#include "model/call_fields.h"
#include "model/class_sums.h"

#define FIELD(name) static void get_##name(const struct call_view *c, struct call_value *v)

#define NUMBER(name, known, expr)                                                                  \
	FIELD(name)                                                                                \
	{                                                                                          \
		const struct call_record *r = c->record;                                           \
                                                                                                   \
		(void)r;                                                                           \
		if (known)                                                                         \
			*v = (struct call_value){ .kind = CALL_NUMBER, .number = (expr) };         \
	}

#define BOOL(name, expr)                                                                           \
	FIELD(name)                                                                                \
	{                                                                                          \
		*v = (struct call_value){ .kind = CALL_BOOL, .number = (expr) };                   \
	}

static void set_text(struct call_value *v, const char *text)
{
	if (!text)
		return;
	v->kind = CALL_TEXT;
	v->text = text;
}

u32 call_tee(const struct call_view *c)
{
	u32 pool = c->record->pool;

	return pool < c->snapshot->nr_pools ? c->snapshot->pools[pool].id : pool;
}

const char *call_ta(const struct call_view *c, char buf[UUID_LEN])
{
	if (!c->row || !c->row->uuid_known)
		return NULL;
	return c->row->ta ?: uuid_format(c->row->uuid, buf);
}

NUMBER(mono, true, call_end(r))
NUMBER(start, true, r->start_ns)
NUMBER(argument, sum_known(c->snapshot, SUM(argument_ns)), r->argument_ns)
NUMBER(wait, true, r->wait_ns)
NUMBER(limit_wait, true, r->limit_ns)
NUMBER(hold, true, r->hold_ns)
NUMBER(secure, true, r->secure_ns)
NUMBER(rpc, true, r->hold_ns > r->secure_ns ? r->hold_ns - r->secure_ns : 0)
NUMBER(tee, true, call_tee(c))
NUMBER(serial, r->serial, r->serial)
NUMBER(session, c->row && !(c->row->flags & (SESSION_OPENING | SESSION_UNNAMED)), c->row->id)
NUMBER(tid, true, r->tid)
NUMBER(pid, true, r->tgid)
NUMBER(func, r->op == CMD_INVOKE, r->func)
NUMBER(result, true, r->result)
BOOL(waited, !!(c->record->flags & RECORD_WAITED))
BOOL(nested, !!(c->record->flags & RECORD_NESTED))
BOOL(late, !!(c->record->flags & RECORD_LATE))

FIELD(ta)
{
	set_text(v, call_ta(c, v->room));
}

FIELD(client)
{
	set_text(v, c->row && c->row->comm[0] ? c->row->comm : NULL);
}

FIELD(cmd)
{
	set_text(v, cmd_name(c->record->op));
}

FIELD(class)
{
	set_text(v, class_name(c->record->class));
}

const struct call_field call_fields[] = {
	{ "mono", UNIT_NS, "CLOCK_MONOTONIC when it ended and gave its thread back",
	  .get = get_mono, .drawn = true },
	{ "start", UNIT_NS, "CLOCK_MONOTONIC when it asked for a thread", .get = get_start,
	  .drawn = true },
	{ "argument", UNIT_NS,
	  "before start, how long its task waited for an argument: for the cache's lock, and for the call that registers a new page; of a release, after the call",
	  .get = get_argument },
	{ "wait", UNIT_NS, "total time in the queue or on its way", .get = get_wait },
	{ "limit_wait", UNIT_NS, "of this, the time after ETHREAD_LIMIT answers",
	  .get = get_limit_wait },
	{ "hold", UNIT_NS, "how long it held a thread", .get = get_hold, .drawn = true },
	{ "secure", UNIT_NS, "of the hold, the time in the secure world", .get = get_secure },
	{ "rpc", UNIT_NS, "the rest of the hold: RPC and other time in Linux", .get = get_rpc },
	{ "tee", UNIT_COUNT, "N of /dev/teeN", .get = get_tee, .drawn = true },
	{ "serial", UNIT_COUNT, "serial number of its session, as in sessions; null if it has none",
	  .get = get_serial },
	{ "session", UNIT_COUNT, "the TEE's id of that session", .get = get_session },
	{ "ta", UNIT_TEXT, "name or UUID of its TA", .get = get_ta },
	{ "client", UNIT_TEXT, "name of the process that opened the session", .get = get_client },
	{ "tid", UNIT_COUNT, "thread id of the task that made it", .get = get_tid },
	{ "pid", UNIT_COUNT, "process id of that task", .get = get_pid },
	{ "cmd", UNIT_TEXT, "open, invoke, close, ...", .get = get_cmd },
	{ "func", UNIT_COUNT, "for an invoke, the TA's command", .get = get_func },
	{ "class", UNIT_TEXT, "normal or system", .get = get_class },
	{ "result", UNIT_COUNT, "its TEE_Result", .get = get_result },
	{ "waited", UNIT_COUNT, "true if it slept in the queue", .get = get_waited },
	{ "nested", UNIT_COUNT, "true if it was made inside an RPC of another call of its task",
	  .get = get_nested },
	{ "late", UNIT_COUNT,
	  "true if it was already asleep in the queue when optee-top attached: start and wait count from then",
	  .get = get_late },
};

const size_t nr_call_fields = sizeof(call_fields) / sizeof(call_fields[0]);
