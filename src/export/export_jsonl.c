// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines: the host first, then calls, events and snapshots as they came. The
 * lines of calls are written without building an object: there are millions.
 */
#include "export/export_format.h"
#include "render/json.h"
#include "render/line_buffer.h"

static void print(struct export *x, json_t *line)
{
	if (!line || (json_dumpf(line, x->out, JSON_LINE) && !ferror(x->out)))
		x->out_of_memory = true;
	json_decref(line);
	putc('\n', x->out);
}

/* The line with its type among its first keys. */
static void print_typed(struct export *x, u64 real_ns, const char *type, json_t *body)
{
	json_t *line = line_json(x->host, real_ns, type);

	if (!body || json_object_update(line, body))
		x->out_of_memory = true;
	json_decref(body);
	print(x, line);
}

static void begin(struct export *x)
{
	print_typed(x, x->host->real_ns, "host", host_json(x->host));
}

static void snapshot(struct export *x, const struct snapshot *s)
{
	json_t *frame = snapshot_json(x->o, x->host, s);

	json_object_del(frame, "events"); /* they have lines of their own */
	print_typed(x, s->real_ns, "snapshot", frame);
}

static void event(struct export *x, const struct event *e)
{
	print_typed(x, e->real_ns, "event", event_line_json(x->host, e, x->events));
}

static void put_value(struct line_buffer *l, const struct call_value *v)
{
	switch (v->kind) {
	case CALL_UNKNOWN:
		line_put(l, "null");
		break;
	case CALL_NUMBER:
		line_unsigned(l, v->number);
		break;
	case CALL_TEXT:
		line_quote(l, v->text);
		break;
	case CALL_BOOL:
		line_put(l, v->number ? "true" : "false");
		break;
	}
}

static void call(struct export *x, const struct call_view *c)
{
	struct line_buffer l;

	line_clear(&l);
	line_head(&l, x->host, snapshot_real(c->snapshot, call_end(c->record)));
	line_key(&l, "type");
	line_quote(&l, call_is_release(c->record) ? "release" : "call");
	for (size_t i = 0; i < nr_call_fields; i++) {
		const struct call_field *f = &call_fields[i];
		struct call_value v;

		v.kind = CALL_UNKNOWN;
		f->get(c, &v);
		line_field(&l, f->name, f->unit);
		put_value(&l, &v);
	}
	line_close(&l);
	line_char(&l, '\n');
	line_send(&l, x->out);
}

const struct export_format export_jsonl = {
	.name = "jsonl",
	.begin = begin,
	.call = call,
	.event = event,
	.snapshot = snapshot,
};
