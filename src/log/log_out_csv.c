// SPDX-License-Identifier: GPL-2.0-only
/*
 * A log as it is, and its lines as rows of CSV: the columns are those of the log's own
 * CSV files (src/log/log_csv.c).
 */
#include <string.h>
#include "log/log_export.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "render/csv.h"

static void jsonl_line(struct log_out *x, const struct log_entry *entry, const json_t *json)
{
	(void)json;
	fwrite(entry->text, 1, entry->len, x->out);
	putc('\n', x->out);
}

const struct log_out_format log_out_jsonl = {
	.name = "jsonl",
	.line = jsonl_line,
	.types = ~0U,
};

static void csv_begin(struct log_out *x)
{
	line_clear(&x->line);
	log_csv.head(&x->line, x->table);
	line_send(&x->line, x->out);
}

static void put_members(struct line_buffer *l, const json_t *json, struct figures f)
{
	char key[64];

	while (figures_next(&f))
		csv_json(l,
			 json_object_get(json, field_json_key(f.name, f.unit, key, sizeof(key))));
}

static void put_pool(struct line_buffer *l, const json_t *json)
{
	const json_t *conditions = json_object_get(json, "conditions");
	struct figures f = pool_figures(NULL, NULL);

	f.logged = true;
	put_members(l, json, f);
	for (int cond = 0; cond < NR_CONDS; cond++)
		put_members(l, json_object_get(conditions, condition_table[cond].key),
			    condition_figures(NULL));
}

static void put_ta(struct line_buffer *l, const json_t *json)
{
	put_members(l, json, ta_figures(NULL, NULL));
}

static void put_session(struct line_buffer *l, const json_t *json)
{
	struct figures f = session_figures(NULL, NULL);

	f.logged = true;
	put_members(l, json, f);
}

static void put_lost(struct line_buffer *l, const json_t *json)
{
	put_members(l, json, loss_figures(NULL));
}

static void copy_text(char *to, size_t len, const json_t *party, const char *key)
{
	snprintf(to, len, "%s", json_string_value(json_object_get(party, key)) ?: "");
}

/* As much of a party as its text is made of. */
static struct event_party read_party(const json_t *json)
{
	const char *phase = json_string_value(json_object_get(json, "phase"));
	const json_t *session = json_object_get(json, "session");
	struct event_party p = {
		.tid = (u32)json_integer_value(json_object_get(json, "tid")),
		.serial = json_is_integer(session),
		.session = (u32)json_integer_value(session),
		.waits = json_is_true(json_object_get(json, "waits")),
	};

	copy_text(p.comm, sizeof(p.comm), json, "comm");
	copy_text(p.client, sizeof(p.client), json, "client");
	copy_text(p.ta, sizeof(p.ta), json, "ta");
	if (phase && (!strcmp(phase, phase_name(PHASE_ARGUMENT)) ||
		      !strcmp(phase, phase_name(PHASE_RELEASE))))
		p.phase = PHASE_ARGUMENT;
	return p;
}

static enum condition read_condition(const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "condition"));
	int cond = 0;

	while (name && cond < NR_CONDS && strcmp(name, condition_table[cond].name) != 0)
		cond++;
	return cond < NR_CONDS ? cond : 0; /* of a newer program: its parties wait or hold */
}

/* Who, as event_who() has it, but all of them. */
static void put_event(struct line_buffer *l, const json_t *json)
{
	const json_t *who = json_object_get(json, "who");
	char text[MAX_PARTIES * EVENT_LINE] = "";
	s64 unlisted = json_integer_value(json_object_get(json, "unlisted"));
	enum condition cond = read_condition(json);
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(who) && at < sizeof(text); i++) {
		struct event_party p = read_party(json_array_get(who, i));
		char party[EVENT_LINE];

		if (!json_is_true(json_object_get(json_array_get(who, i), "involved")))
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "",
				       event_party_text(cond, &p, party, sizeof(party)));
	}
	if (unlisted > 0 && at < sizeof(text))
		snprintf(text + at, sizeof(text) - at, "%s%lld not listed", at ? ", " : "",
			 (long long)unlisted);
	csv_event(l, json, text);
}

static void put_gap(struct line_buffer *l, const json_t *json)
{
	csv_json(l, json_object_get(json, "lines"));
	csv_json(l, json_object_get(json, "since_ns"));
	csv_json(l, json_object_get(json, "error"));
}

static void csv_line(struct log_out *x, const struct log_entry *entry, const json_t *json)
{
	static void (*const rows[NR_LOG_TYPES])(struct line_buffer *, const json_t *) = {
		[LOG_POOL] = put_pool,   [LOG_TA] = put_ta,       [LOG_SESSION] = put_session,
		[LOG_LOSSES] = put_lost, [LOG_EVENT] = put_event, [LOG_GAP] = put_gap,
	};
	struct line_buffer *l = &x->line;

	if (entry->type != x->table)
		return;
	csv_name(l, json_string_value(json_object_get(json, "ts")) ?: "");
	csv_json(l, json_object_get(json, "boot_id"));
	csv_json(l, json_object_get(json, "epoch"));
	csv_json(l, json_object_get(json, "seq"));
	if (entry->type != LOG_EVENT)
		csv_json(l, json_object_get(json, "mono_ns"));
	rows[entry->type](l, json);
	csv_end(l);
	line_send(l, x->out);
}

const struct log_out_format log_out_csv = {
	.name = "csv",
	.begin = csv_begin,
	.line = csv_line,
	.types = 1U << LOG_SESSION | 1U << LOG_POOL | 1U << LOG_TA | 1U << LOG_EVENT |
		 1U << LOG_LOSSES | 1U << LOG_GAP,
};
