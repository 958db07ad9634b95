// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot as JSON: an object of pools, sessions, calls in flight and losses.
 * What is not known is null. Histograms are sparse arrays of [edge_ns, count],
 * where the edge is the bucket's lower one and empty buckets are left out.
 */
#include "base/text.h"
#include "model/class_sums.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "model/figures.h"
#include "model/hist.h"
#include "options/filter.h"
#include "render/json.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *integer(u64 n)
{
	return json_integer((json_int_t)n);
}

static json_t *number_or_null(bool known, s64 n)
{
	return known ? json_integer(n) : json_null();
}

static void set_figures(json_t *object, struct figures f)
{
	char key[64];

	while (figures_next(&f))
		set(object, field_json_key(f.name, f.unit, key, sizeof(key)),
		    value_json(&f.value, f.unit));
}

/* What every line begins with. */
static void set_head(json_t *object, const struct host *host, u64 real_ns)
{
	char stamp[TIMESTAMP_LEN];

	set(object, "schema", json_string(JSON_SCHEMA));
	set(object, "ts", json_string(format_timestamp(real_ns, stamp)));
	set(object, "boot_id", host->boot_id[0] ? json_string(host->boot_id) : json_null());
}

void line_head(struct line_buffer *l, const struct host *host, u64 real_ns)
{
	char stamp[TIMESTAMP_LEN];

	line_open(l);
	line_key(l, "schema");
	line_quote(l, JSON_SCHEMA);
	line_key(l, "ts");
	line_quote(l, format_timestamp(real_ns, stamp));
	line_key(l, "boot_id");
	line_quote_or_null(l, host->boot_id);
}

json_t *line_json(const struct host *host, u64 real_ns, const char *type)
{
	json_t *o = json_object();

	set_head(o, host, real_ns);
	set(o, "type", json_string(type));
	return o;
}

json_t *host_json(const struct host *host)
{
	json_t *o = json_object();

	set(o, "version", json_string(host->version));
	set(o, "machine", json_string(host->machine));
	set(o, "release", json_string(host->release));
	set(o, "name", json_string(host->name));
	set(o, "hooks", json_string(host->hooks));
	set(o, "cpus", integer(host->cpus));
	set(o, "mono_ns", integer(host->mono_ns));
	set(o, "resolution_ns", integer(host->resolution_ns));
	set(o, "starved_ns", integer(host->starved_ns));
	set(o, "reserved", number_or_null(host->reserved >= 0, host->reserved));
	set(o, "calls", json_boolean(host->calls));
	return o;
}

static json_t *sums_json(const struct snapshot *s, const struct class_sums *sums)
{
	json_t *o = json_object();

	for (size_t i = 0; i < NR_SUMS; i++)
		set(o, sum_rows[i].key, sum_known(s, i) ? integer(sum_of(sums, i)) : json_null());
	return o;
}

static json_t *classes_json(const struct snapshot *s, const struct class_sums sums[NR_CLASSES])
{
	json_t *o = json_object();

	for (int class = 0; class < NR_CLASSES; class ++)
		set(o, class_name(class), sums_json(s, &sums[class]));
	return o;
}

static json_t *hist_json(const struct hist64 *h)
{
	json_t *array = json_array();

	for (unsigned int i = 0; h && i < HIST_BUCKETS; i++)
		if (hist_at(h, i))
			json_array_append_new(array, json_pack("[I,I]", (json_int_t)hist_edge(i),
							       (json_int_t)hist_at(h, i)));
	return array;
}

static json_t *condition_json(const struct snap_cond *c)
{
	json_t *o = json_object();

	if (!c->known)
		return json_decref(o), json_null();
	set_figures(o, condition_figures(c));
	return o;
}

static json_t *conditions_json(const struct snap_pool *pool)
{
	json_t *o = json_object();

	for (int cond = 0; cond < NR_CONDS; cond++)
		set(o, condition_table[cond].key, condition_json(&pool->conds[cond]));
	return o;
}

json_t *policy_json(const struct snap_policy *policy, enum call_class class)
{
	json_t *o = json_object();

	set_figures(o, policy_figures(policy, class));
	return o;
}

static json_t *policies_json(const struct snap_pool *pool)
{
	json_t *array = json_array();

	for (u32 i = 0; i < pool->nr_policies; i++)
		for (int class = 0; class < NR_CLASSES; class ++)
			json_array_append_new(array, policy_json(&pool->policies[i], class));
	return array;
}

static json_t *scmi_json(const struct snap_pool *pool)
{
	json_t *array;

	if (!pool->scmi_known)
		return json_null();
	array = json_array();
	for (u32 i = 0; i < pool->nr_scmi; i++) {
		json_t *o = json_object();

		set_figures(o, scmi_figures(&pool->scmi[i]));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *pool_json(const struct snapshot *s, const struct snap_pool *pool)
{
	json_t *o = json_object();

	set_figures(o, pool_figures(s, pool));
	set(o, "class_sums", pool_counted(pool) ? classes_json(s, pool->sums) : json_null());
	set(o, "conditions", conditions_json(pool));
	set(o, "policies", policies_json(pool));
	set(o, "scmi", scmi_json(pool));
	return o;
}

static json_t *session_json(const struct snapshot *s, const struct snap_session *row)
{
	json_t *o = json_object(), *ops = json_object(), *rpc = json_object();

	set_figures(o, session_figures(s, row));
	for (int cmd = 0; cmd < NR_CMDS; cmd++)
		if (row->ops[cmd])
			set(ops, cmd_name(cmd), integer(row->ops[cmd]));
	set(o, "ops", ops);
	for (int kind = 0; kind < NR_RPC_KINDS; kind++)
		if (row->rpc_count[kind])
			set(rpc, rpc_name(kind),
			    json_pack("{s:I,s:I}", "count", (json_int_t)row->rpc_count[kind],
				      "time_ns", (json_int_t)row->rpc_ns[kind]));
	set(o, "rpc_kinds", rpc);
	set(o, "class_sums", classes_json(s, row->sums));
	set(o, "wait_histogram", hist_json(row->wait));
	set(o, "hold_histogram", hist_json(row->hold));
	set(o, "secure_histogram", hist_json(row->secure));
	return o;
}

/* What a call is and where it stands. */
static void set_call(json_t *o, enum call_cmd cmd, u32 func, bool late, enum call_class class,
		     enum call_phase phase, enum rpc_kind rpc_kind)
{
	bool known = call_is_known(phase, cmd);

	set(o, "cmd",
	    !known || (late && cmd == CMD_UNKNOWN) ? json_null() : json_string(cmd_name(cmd)));
	set(o, "func", number_or_null(cmd == CMD_INVOKE, func));
	set(o, "class", known ? json_string(class_name(class)) : json_null());
	set(o, "phase", phase != PHASE_FREE ? json_string(phase_name(phase)) : json_null());
	set(o, "rpc_kind", phase == PHASE_RPC ? json_string(rpc_name(rpc_kind)) : json_null());
}

static json_t *bound_json(bool unsure, bool at_least)
{
	return unsure ? json_null() : json_boolean(at_least);
}

static json_t *call_json(const struct snapshot *s, const struct snap_call *call)
{
	const struct snap_session *row = call->session >= 0 ? &s->sessions[call->session] : NULL;
	json_t *o = json_object();

	set(o, "tee", integer(s->pools[call->pool].id));
	set(o, "serial", row && row->serial ? integer(row->serial) : json_null());
	set(o, "tid", integer(call->tid));
	set(o, "pid", integer(call->tgid));
	set(o, "comm", call->comm[0] ? json_string(call->comm) : json_null());
	set_call(o, call->cmd, call->func, call->late, call->class, call->phase, call->rpc_kind);
	set(o, "queued", json_boolean(call->queued));
	set(o, "nested", json_boolean(call->nested));
	set(o, "late", json_boolean(call->late));
	set(o, "age_ns", number_or_null(call->age_ns, (s64)call->age_ns));
	set(o, "age_at_least", bound_json(call->bounds_unsure, call->age_at_least));
	set(o, "phase_ns", number_or_null(call->phase_ns, (s64)call->phase_ns));
	set(o, "phase_at_least", bound_json(call->bounds_unsure, call->phase_at_least));
	return o;
}

static json_t *losses_json(const struct snap_losses *losses)
{
	json_t *o = json_object();

	set_figures(o, loss_figures(losses));
	return o;
}

static json_t *call_records_json(const struct host *host, const struct snapshot *s)
{
	json_t *o, *per_cpu;
	u64 emitted = 0, lost = 0;

	if (!host->calls)
		return json_null();
	o = json_object();
	per_cpu = json_array();
	for (u32 cpu = 0; cpu < s->nr_cpus; cpu++) {
		const struct record_count *n = &s->records[cpu];

		emitted += n->emitted;
		lost += n->lost;
		json_array_append_new(per_cpu, json_pack("[I,I]", (json_int_t)n->emitted,
							 (json_int_t)n->lost));
	}
	set(o, "emitted", integer(emitted));
	set(o, "lost", integer(lost));
	set(o, "per_cpu", per_cpu);
	return o;
}

static json_t *party_json(const struct event *e, u32 i)
{
	enum condition_evidence evidence = condition_table[e->condition].evidence;
	const struct event_party *p = &e->parties[i];
	json_t *o = json_object();

	set(o, "tid", number_or_null(p->tid, p->tid));
	set(o, "pid", number_or_null(p->tgid, p->tgid));
	set(o, "comm", p->comm[0] ? json_string(p->comm) : json_null());
	set(o, "serial", number_or_null(p->serial, (s64)p->serial));
	set(o, "session", number_or_null(p->serial, p->session));
	set(o, "client",
	    p->serial && (p->tgid || p->client[0]) ? json_string(p->client) : json_null());
	set(o, "ta", p->ta[0] ? json_string(p->ta) : json_null());
	set_call(o, p->cmd, p->func, p->late, p->class, p->phase, p->rpc_kind);
	set(o, "waits", json_boolean(p->waits));
	set(o, "since_ns", number_or_null(p->since_ns, (s64)p->since_ns));
	set(o, "since_at_least", bound_json(p->since_unsure, p->since_at_least));
	set(o, "involved", json_boolean(event_involves(e, i)));
	if (evidence == EVIDENCE_WAKE) {
		set(o, "culprit", json_boolean(e->culprit == (int)i));
		set(o, "swallowed_ns", number_or_null(p->swallowed_ns, (s64)p->swallowed_ns));
	}
	if (evidence == EVIDENCE_CHAIN)
		set(o, "behind_tid",
		    p->behind >= 0 && !p->one_of ? integer(e->parties[p->behind].tid) :
						   json_null());
	return o;
}

static json_t *why_json(const struct event *e)
{
	char text[EVENT_LINE];
	json_t *o = json_object();

	set(o, "text", json_string(event_why(e, text, sizeof(text))));
	set(o, "threads", number_or_null(e->threads >= 0, e->threads));
	set(o, "reserved", number_or_null(e->reserved >= 0, e->reserved));
	set(o, "in_use_normal", json_integer(e->in_use[CLASS_NORMAL]));
	set(o, "in_use_system", json_integer(e->in_use[CLASS_SYSTEM]));
	set(o, "waiting_normal", json_integer(e->waiting[CLASS_NORMAL]));
	set(o, "waiting_system", json_integer(e->waiting[CLASS_SYSTEM]));
	set(o, "driver_free", number_or_null(e->driver_free >= 0, e->driver_free));
	set(o, "system_sessions",
	    number_or_null(e->driver_sys_sessions >= 0, e->driver_sys_sessions));
	set(o, "drift",
	    number_or_null(condition_table[e->condition].evidence == EVIDENCE_DRIFT, e->drift));
	return o;
}

static json_t *event_json(const struct event *e)
{
	json_t *o = json_object(), *who = json_array(), *chain = json_array();
	char line[EVENT_LINE];

	set(o, "tee", integer(e->tee));
	set(o, "condition", json_string(condition_table[e->condition].name));
	set(o, "state", json_string(event_state_name(e->state)));
	set(o, "episode", integer(e->episode));
	set(o, "mono_ns", integer(e->mono_ns));
	set(o, "since_ns", integer(e->since_ns));
	set(o, "duration_ns", integer(e->duration_ns));
	set(o, "end_unseen", json_boolean(e->end_unseen));
	set(o, "peak", integer(e->peak));
	set(o, "peak_of", json_string(condition_table[e->condition].peak));
	set(o, "why", why_json(e));
	for (u32 i = 0; i < e->nr_parties; i++)
		json_array_append_new(who, party_json(e, i));
	set(o, "who", who);
	set(o, "unlisted", integer((u32)event_unlisted(e)));
	for (u32 i = 0; event_chain(e, i, line, sizeof(line)); i++)
		json_array_append_new(chain, json_string(line));
	set(o, "chain", chain);
	set(o, "unreported", integer(e->unreported));
	return o;
}

json_t *event_line_json(const struct host *host, const struct event *e, u64 seq)
{
	json_t *root = json_object(), *event = event_json(e);

	set_head(root, host, e->real_ns);
	set(root, "seq", integer(seq));
	json_object_update(root, event);
	json_decref(event);
	return root;
}

json_t *snapshot_json(const struct opts *o, const struct host *host, const struct snapshot *s)
{
	json_t *root = json_object(), *pools = json_array(), *sessions = json_array(),
	       *calls = json_array(), *events = json_array();

	set_head(root, host, s->real_ns);
	set(root, "mono_ns", integer(s->mono_ns));
	set(root, "seq", integer(s->seq));
	set(root, "interval_ns", number_or_null(s->interval_ns, (s64)s->interval_ns));
	for (u32 i = 0; i < s->nr_pools; i++)
		json_array_append_new(pools, pool_json(s, &s->pools[i]));
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (filter_shows(o, s, &s->sessions[i]))
			json_array_append_new(sessions, session_json(s, &s->sessions[i]));
	for (u32 i = 0; i < s->nr_calls; i++)
		json_array_append_new(calls, call_json(s, &s->calls[i]));
	set(root, "pools", pools);
	set(root, "sessions", sessions);
	set(root, "calls", calls);
	for (u32 i = 0; i < s->nr_events; i++)
		json_array_append_new(events, event_json(&s->events[i]));
	set(root, "events", events);
	set(root, "losses", losses_json(&s->losses));
	set(root, "call_records", call_records_json(host, s));
	return root;
}

bool json_print(json_t *json, size_t flags)
{
	bool fine = json && (!json_dumpf(json, stdout, flags) || ferror(stdout));

	json_decref(json);
	putchar('\n');
	return fine;
}
