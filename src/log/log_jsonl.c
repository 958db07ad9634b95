// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log as JSON lines, each an object of its own. Written without building an
 * object, but for the host and the events, which are few.
 */
#include <string.h>
#include "log/log_format.h"
#include "model/condition_table.h"
#include "model/hist.h"
#include "render/json.h"

const char *const log_types[NR_LOG_TYPES] = {
	[LOG_HOST] = "host",       [LOG_POOL] = "pool",       [LOG_TA] = "ta",
	[LOG_SESSION] = "session", [LOG_LOSSES] = "losses",   [LOG_EVENT] = "event",
	[LOG_GAP] = "gap",         [LOG_OMITTED] = "omitted",
};

/* The members of an object, behind those that the line has already. */
static void put_members(struct line_buffer *l, json_t *object)
{
	static const char *const heads[] = { "schema", "ts", "boot_id", "seq" };
	size_t room = sizeof(l->text) - l->len, len;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		json_object_del(object, heads[i]);
	/* It brings a { of its own, where the comma has to be. */
	len = object ? json_dumpb(object, l->text + l->len, room, JSON_LINE) : 0;
	json_decref(object);
	if (len < 2 || len > room) {
		l->full = true;
		return;
	}
	l->text[l->len] = ',';
	l->len += len - 1; /* line_close() puts the } */
}

static void put_condition(struct line_buffer *l, const struct snap_cond *c)
{
	if (!c->known) {
		line_put(l, "null");
		return;
	}
	line_open(l);
	line_figures(l, condition_figures(c));
	line_close(l);
}

static void put_pool(struct line_buffer *l, const struct log_item *item)
{
	struct figures f = pool_figures(item->s, item->pool);

	f.logged = true;
	line_figures(l, f);
	line_key(l, "conditions");
	line_open(l);
	for (int cond = 0; cond < NR_CONDS; cond++) {
		line_key(l, condition_table[cond].key);
		put_condition(l, &item->pool->conds[cond]);
	}
	line_close(l);
}

/* As in a frame: [lower edge, calls] of what is not empty. */
static void put_octaves(struct line_buffer *l, const char *name, const u64 *octaves)
{
	bool begun = false;
	char key[64];

	snprintf(key, sizeof(key), "%s_histogram", name);
	line_key(l, key);
	line_char(l, '[');
	for (unsigned int i = 0; i < HIST_OCTAVES; i++) {
		if (!octaves[i])
			continue;
		line_put(l, begun ? ",[" : "[");
		line_unsigned(l, i ? hist_octave_end(i - 1) : 0);
		line_char(l, ',');
		line_unsigned(l, octaves[i]);
		line_char(l, ']');
		begun = true;
	}
	line_char(l, ']');
}

static void put_rpc_kinds(struct line_buffer *l, const struct snap_ta *row)
{
	char key[64];

	line_key(l, "rpc_kinds");
	line_open(l);
	for (int kind = 0; kind < NR_RPC_KINDS; kind++) {
		if (!row->rpc_count[kind])
			continue;
		line_key(l, rpc_name(kind));
		line_open(l);
		for (size_t i = 0; i < nr_rpc_fields; i++) {
			const struct rpc_field *f = &rpc_fields[i];

			line_count(l, field_json_key(f->name, f->unit, key, sizeof(key)),
				   f->get(row, kind));
		}
		line_close(l);
	}
	line_close(l);
}

static void put_ta(struct line_buffer *l, const struct log_item *item)
{
	line_figures(l, ta_figures(item->s, item->ta));
	for (size_t i = 0; i < nr_ta_fields; i++)
		if (ta_fields[i].octaves)
			put_octaves(l, ta_fields[i].name, ta_fields[i].octaves(item->ta));
	put_rpc_kinds(l, item->ta);
}

static void put_session(struct line_buffer *l, const struct log_item *item)
{
	struct figures f = session_figures(item->s, item->session);

	f.logged = true;
	line_figures(l, f);
}

static void put_omitted(struct line_buffer *l, const struct log_omitted *omitted)
{
	line_count(l, "tee", omitted->tee);
	line_key(l, "condition");
	line_quote(l, condition_table[omitted->condition].key);
	line_count(l, "events", omitted->events);
	line_count(l, "since_ns", omitted->since_ns);
}

static void put_gap(struct line_buffer *l, const struct log_gap *gap)
{
	line_count(l, "lines", gap->lines);
	line_count(l, "since_ns", gap->since_ns);
	line_key(l, "error");
	line_quote(l, strerror(gap->error));
}

static void put(struct line_buffer *l, const struct log_item *item, u64 seq)
{
	line_head(l, item->host, item->real_ns);
	line_count(l, "epoch", item->host->mono_ns);
	line_count(l, "seq", seq);
	line_key(l, "type");
	line_quote(l, log_types[item->type]);
	if (item->type != LOG_HOST && item->type != LOG_EVENT) /* these bring it along */
		line_count(l, "mono_ns", item->mono_ns);
	switch (item->type) {
	case LOG_HOST:
		put_members(l, host_json(item->host));
		break;
	case LOG_POOL:
		put_pool(l, item);
		break;
	case LOG_TA:
		put_ta(l, item);
		break;
	case LOG_SESSION:
		put_session(l, item);
		break;
	case LOG_LOSSES:
		line_figures(l, loss_figures(&item->s->losses));
		break;
	case LOG_EVENT:
		put_members(l, event_line_json(item->host, item->event, seq));
		break;
	case LOG_GAP:
		put_gap(l, item->gap);
		break;
	case LOG_OMITTED:
		put_omitted(l, item->omitted);
		break;
	case NR_LOG_TYPES:
		break;
	}
	line_close(l);
	line_char(l, '\n');
}

const struct log_format log_jsonl = {
	.name = "jsonl",
	.files = { LOG_NAME_JSONL, LOG_NAME_JSONL, LOG_NAME_JSONL, LOG_NAME_JSONL, LOG_NAME_JSONL,
		   LOG_NAME_JSONL, LOG_NAME_JSONL, LOG_NAME_JSONL },
	.put = put,
};
