// SPDX-License-Identifier: GPL-2.0-only
/* CSV (src/render/csv.h) with a head line: of calls, sessions, pools or events. */
#include <string.h>
#include "export/export_csv.h"
#include "export/export_format.h"
#include "model/event_text.h"
#include "options/filter.h"
#include "render/csv.h"
#include "render/json.h"

static void end_line(struct export *x, struct line_buffer *l)
{
	csv_end(l);
	line_send(l, x->out);
}

/* One row a call. */

static void calls_head(struct line_buffer *l)
{
	csv_name(l, "ts");
	for (size_t i = 0; i < nr_call_fields; i++)
		csv_key(l, call_fields[i].name, call_fields[i].unit);
}

static void put_call(struct export *x, const struct call_view *c)
{
	struct line_buffer l;

	line_clear(&l);
	csv_time(&l, snapshot_real(c->snapshot, call_end(c->record)));
	for (size_t i = 0; i < nr_call_fields; i++) {
		struct call_value v;

		v.kind = CALL_UNKNOWN;
		call_fields[i].get(c, &v);
		if (v.kind == CALL_NUMBER)
			csv_number(&l, v.number);
		else if (v.kind == CALL_TEXT)
			csv_text(&l, v.text);
		else if (v.kind == CALL_BOOL)
			csv_name(&l, v.number ? "true" : "false");
		else
			csv_unknown(&l);
	}
	end_line(x, &l);
}

static void calls_row(struct export *x, const struct call_view *c)
{
	if (!call_is_release(c->record))
		put_call(x, c);
}

static void releases_row(struct export *x, const struct call_view *c)
{
	if (call_is_release(c->record))
		put_call(x, c);
}

/* One row a session, or a pool, and snapshot. */

static void snapshot_head(struct line_buffer *l)
{
	csv_name(l, "ts");
	csv_name(l, "mono_ns");
	csv_name(l, "seq");
	csv_name(l, "interval_ns");
}

static void put_snapshot(struct line_buffer *l, const struct snapshot *s)
{
	csv_time(l, s->real_ns);
	csv_number(l, s->mono_ns);
	csv_number(l, s->seq);
	if (s->interval_ns)
		csv_number(l, s->interval_ns);
	else
		csv_unknown(l);
}

static void sessions_head(struct line_buffer *l)
{
	snapshot_head(l);
	csv_figures_head(l, session_figures(NULL, NULL));
}

static void sessions_rows(struct export *x, const struct snapshot *s)
{
	for (u32 n = 0; n < s->nr_sessions; n++) {
		struct line_buffer l;

		if (!filter_shows(x->o, s, &s->sessions[n]))
			continue;
		line_clear(&l);
		put_snapshot(&l, s);
		csv_figures(&l, session_figures(s, &s->sessions[n]));
		end_line(x, &l);
	}
}

static void pools_head(struct line_buffer *l)
{
	snapshot_head(l);
	csv_figures_head(l, pool_figures(NULL, NULL));
}

static void pools_rows(struct export *x, const struct snapshot *s)
{
	for (u32 n = 0; n < s->nr_pools; n++) {
		struct line_buffer l;

		line_clear(&l);
		put_snapshot(&l, s);
		csv_figures(&l, pool_figures(s, &s->pools[n]));
		end_line(x, &l);
	}
}

/* One row an event. */

static void events_head(struct line_buffer *l)
{
	csv_name(l, "ts");
	csv_event_head(l);
}

static void events_row(struct export *x, const struct event *e)
{
	json_t *o = event_line_json(x->host, e, x->events);
	char who[MAX_PARTIES * EVENT_LINE];
	struct line_buffer l;

	if (!o) {
		x->out_of_memory = true;
		return;
	}
	line_clear(&l);
	csv_json(&l, json_object_get(o, "ts"));
	csv_event(&l, o, event_who(e, who, sizeof(who)));
	end_line(x, &l);
	json_decref(o);
}

static const struct table {
	const char *name;
	void (*head)(struct line_buffer *l);
	/* The rest as in struct export_format; one of them. */
	void (*call)(struct export *x, const struct call_view *c);
	void (*event)(struct export *x, const struct event *e);
	void (*snapshot)(struct export *x, const struct snapshot *s);
} tables[] = {
	{ "calls", calls_head, .call = calls_row },
	{ "releases", calls_head, .call = releases_row },
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
	struct line_buffer l;

	x->table = t;
	line_clear(&l);
	t->head(&l);
	end_line(x, &l);
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
