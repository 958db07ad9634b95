// SPDX-License-Identifier: GPL-2.0-only
/*
 * CSV as RFC 4180 has it, with a head line. An empty field is not known; a text that
 * is known and empty is "". A client chooses its name, and a spreadsheet takes a text
 * with = + - or @ in front for a formula: such a text gets a ' before it, and one
 * with a ' in front another, so that this can be undone.
 */
#include <jansson.h>
#include <string.h>
#include "event_text.h"
#include "export.h"
#include "help.h"
#include "json.h"

/* A line as it is written. */
struct line {
	FILE *out;
	bool begun;
};

static void next_field(struct line *l)
{
	if (l->begun)
		putc_unlocked(',', l->out);
	l->begun = true;
}

static void end_line(struct line *l)
{
	fputs("\r\n", l->out);
}

static void put_name(struct line *l, const char *name)
{
	next_field(l);
	fputs(name, l->out);
}

static void put_unknown(struct line *l)
{
	next_field(l);
}

static void put_number(struct line *l, u64 n)
{
	next_field(l);
	fprintf(l->out, "%llu", (unsigned long long)n);
}

static void put_text(struct line *l, const char *text)
{
	bool guarded = *text && strchr("=+-@'\t\r", *text);

	next_field(l);
	if (*text && !guarded && !text[strcspn(text, "\",\r\n")]) {
		fputs(text, l->out);
		return;
	}
	fputs(guarded ? "\"'" : "\"", l->out);
	for (; *text; text++) {
		if (*text == '"')
			putc_unlocked('"', l->out);
		putc_unlocked(*text, l->out);
	}
	putc_unlocked('"', l->out);
}

static void put_time(struct line *l, u64 real_ns)
{
	char stamp[TIMESTAMP_LEN];

	put_name(l, format_timestamp(real_ns, stamp));
}

static void put_value(struct line *l, const struct value *v, enum field_unit unit)
{
	if (!v->known)
		put_unknown(l);
	else if (unit == UNIT_TEXT)
		put_text(l, v->text);
	else {
		next_field(l);
		fprintf(l->out, unit == UNIT_PER_SECOND || unit == UNIT_PERCENT ? "%.3f" : "%.0f",
			v->number);
	}
}

/* One row a call. */

static void calls_head(struct line *l)
{
	char key[64];

	put_name(l, "ts");
	for (size_t i = 0; i < nr_call_fields; i++)
		put_name(l, field_json_key(call_fields[i].name, call_fields[i].unit, key,
					   sizeof(key)));
}

static void calls_row(struct export *x, const struct call_view *c)
{
	struct line l = { .out = x->out };

	put_time(&l, snapshot_real(c->snapshot, call_end(c->record)));
	for (size_t i = 0; i < nr_call_fields; i++) {
		struct call_value v;

		v.kind = CALL_UNKNOWN;
		call_fields[i].get(c, &v);
		if (v.kind == CALL_NUMBER)
			put_number(&l, v.number);
		else if (v.kind == CALL_TEXT)
			put_text(&l, v.text);
		else if (v.kind == CALL_BOOL)
			put_name(&l, v.number ? "true" : "false");
		else
			put_unknown(&l);
	}
	end_line(&l);
}

/* One row a session, or a pool, and snapshot. */

static void snapshot_head(struct line *l)
{
	put_name(l, "ts");
	put_name(l, "mono_ns");
	put_name(l, "seq");
	put_name(l, "interval_ns");
}

static void put_snapshot(struct line *l, const struct snapshot *s)
{
	put_time(l, s->real_ns);
	put_number(l, s->mono_ns);
	put_number(l, s->seq);
	if (s->interval_ns)
		put_number(l, s->interval_ns);
	else
		put_unknown(l);
}

static void sessions_head(struct line *l)
{
	char key[64];

	snapshot_head(l);
	for (size_t i = 0; i < nr_session_fields; i++)
		put_name(l, field_json_key(session_fields[i].name, session_fields[i].unit, key,
					   sizeof(key)));
}

static void sessions_rows(struct export *x, const struct snapshot *s)
{
	for (u32 n = 0; n < s->nr_sessions; n++) {
		struct line l = { .out = x->out };

		if (!opts_shows(x->o, s, &s->sessions[n]))
			continue;
		put_snapshot(&l, s);
		for (size_t i = 0; i < nr_session_fields; i++) {
			struct value v = session_fields[i].get(s, &s->sessions[n]);

			put_value(&l, &v, session_fields[i].unit);
		}
		end_line(&l);
	}
}

static void pools_head(struct line *l)
{
	char key[64];

	snapshot_head(l);
	for (size_t i = 0; i < nr_pool_fields; i++)
		put_name(l, field_json_key(pool_fields[i].name, pool_fields[i].unit, key,
					   sizeof(key)));
}

static void pools_rows(struct export *x, const struct snapshot *s)
{
	for (u32 n = 0; n < s->nr_pools; n++) {
		struct line l = { .out = x->out };

		put_snapshot(&l, s);
		for (size_t i = 0; i < nr_pool_fields; i++) {
			struct value v = pool_fields[i].get(s, &s->pools[n]);

			put_value(&l, &v, pool_fields[i].unit);
		}
		end_line(&l);
	}
}

/* One row an event: the keys of its JSON, those of 'why' after them. */

static void put_json(struct line *l, const json_t *value)
{
	char joined[MAX_PARTIES * (EVENT_LINE + 2)] = "";
	size_t at = 0;

	if (json_is_string(value)) {
		put_text(l, json_string_value(value));
	} else if (json_is_integer(value)) {
		next_field(l);
		fprintf(l->out, "%lld", (long long)json_integer_value(value));
	} else if (json_is_boolean(value)) {
		put_name(l, json_is_true(value) ? "true" : "false");
	} else if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value) && at < sizeof(joined); i++)
			at += (size_t)snprintf(joined + at, sizeof(joined) - at, "%s%s",
					       i ? "; " : "",
					       json_string_value(json_array_get(value, i)));
		put_text(l, joined);
	} else {
		put_unknown(l);
	}
}

static void events_head(struct line *l)
{
	put_name(l, "ts");
	for (const struct key_help *k = event_keys; k->key; k++)
		put_name(l, k->key);
	for (const struct key_help *k = why_keys; k->key; k++)
		if (strcmp(k->key, "text"))
			put_name(l, k->key);
}

static void events_row(struct export *x, const struct event *e)
{
	struct line l = { .out = x->out };
	json_t *o = event_line_json(x->host, e, x->events), *why = json_object_get(o, "why");
	char line[MAX_PARTIES * EVENT_LINE];

	if (!o) {
		x->out_of_memory = true;
		return;
	}
	put_json(&l, json_object_get(o, "ts"));
	for (const struct key_help *k = event_keys; k->key; k++)
		if (!strcmp(k->key, "why"))
			put_json(&l, json_object_get(why, "text"));
		else if (!strcmp(k->key, "who"))
			put_text(&l, event_who(e, line, sizeof(line)));
		else
			put_json(&l, json_object_get(o, k->key));
	for (const struct key_help *k = why_keys; k->key; k++)
		if (strcmp(k->key, "text"))
			put_json(&l, json_object_get(why, k->key));
	end_line(&l);
	json_decref(o);
}

static const struct table {
	const char *name;
	void (*head)(struct line *l);
	/* The rest as in struct export_format; one of them. */
	void (*call)(struct export *x, const struct call_view *c);
	void (*event)(struct export *x, const struct event *e);
	void (*snapshot)(struct export *x, const struct snapshot *s);
} tables[] = {
	{ "calls", calls_head, .call = calls_row },
	{ "sessions", sessions_head, .snapshot = sessions_rows },
	{ "pools", pools_head, .snapshot = pools_rows },
	{ "events", events_head, .event = events_row },
};

static const struct table *find(const char *what)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!strcmp(tables[i].name, what ?: "calls"))
			return &tables[i];
	return NULL;
}

bool export_csv_has(const char *what)
{
	return find(what);
}

static void begin(struct export *x)
{
	const struct table *t = find(x->o->what);
	struct line l = { .out = x->out };

	x->table = t;
	t->head(&l);
	end_line(&l);
}

static void call(struct export *x, const struct call_view *c)
{
	const struct table *t = x->table;

	if (t->call)
		t->call(x, c);
}

static void event(struct export *x, const struct event *e)
{
	const struct table *t = x->table;

	if (t->event)
		t->event(x, e);
}

static void snapshot(struct export *x, const struct snapshot *s)
{
	const struct table *t = x->table;

	if (t->snapshot)
		t->snapshot(x, s);
}

const struct export_format export_csv = {
	.name = "csv",
	.begin = begin,
	.call = call,
	.event = event,
	.snapshot = snapshot,
};
