// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON lines: the host first, then calls, events and snapshots as they came. The
 * lines of calls are written without building an object: there are millions.
 */
#include "export.h"
#include "json.h"

static void print(struct export *x, json_t *line)
{
	if (!line || (json_dumpf(line, x->out, JSON_COMPACT) && !ferror(x->out)))
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

/* Printable ASCII is what texts are: this only keeps a forged one from breaking the line. */
static void put_text(FILE *out, const char *text)
{
	putc_unlocked('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~') {
			fprintf(out, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			putc_unlocked('\\', out);
		putc_unlocked(c, out);
	}
	putc_unlocked('"', out);
}

static void put_value(FILE *out, const struct call_value *v)
{
	switch (v->kind) {
	case CALL_UNKNOWN:
		fputs("null", out);
		break;
	case CALL_NUMBER:
		fprintf(out, "%llu", (unsigned long long)v->number);
		break;
	case CALL_TEXT:
		put_text(out, v->text);
		break;
	case CALL_BOOL:
		fputs(v->number ? "true" : "false", out);
		break;
	}
}

static void call(struct export *x, const struct call_view *c)
{
	char stamp[TIMESTAMP_LEN], key[64];
	FILE *out = x->out;

	fprintf(out, "{\"schema\":\"" JSON_SCHEMA "\",\"ts\":\"%s\",\"boot_id\":",
		format_timestamp(snapshot_real(c->snapshot, call_end(c->record)), stamp));
	if (x->host->boot_id[0])
		put_text(out, x->host->boot_id);
	else
		fputs("null", out);
	fputs(",\"type\":\"call\"", out);
	for (size_t i = 0; i < nr_call_fields; i++) {
		const struct call_field *f = &call_fields[i];
		struct call_value v;

		v.kind = CALL_UNKNOWN;
		f->get(c, &v);
		fprintf(out, ",\"%s\":", field_json_key(f->name, f->unit, key, sizeof(key)));
		put_value(out, &v);
	}
	fputs("}\n", out);
}

const struct export_format export_jsonl = {
	.name = "jsonl",
	.begin = begin,
	.call = call,
	.event = event,
	.snapshot = snapshot,
};
