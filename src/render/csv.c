// SPDX-License-Identifier: GPL-2.0-only
/* Fields of CSV, put into a line. */
#include <string.h>
#include "base/text.h"
#include "model/event_text.h"
#include "render/csv.h"
#include "render/json_keys.h"

static void next_field(struct line_buffer *l)
{
	if (l->begun)
		line_char(l, ',');
	l->begun = true;
}

void csv_name(struct line_buffer *l, const char *name)
{
	next_field(l);
	line_put(l, name);
}

void csv_key(struct line_buffer *l, const char *name, enum field_unit unit)
{
	char key[64];

	csv_name(l, field_json_key(name, unit, key, sizeof(key)));
}

void csv_unknown(struct line_buffer *l)
{
	next_field(l);
}

void csv_number(struct line_buffer *l, u64 n)
{
	next_field(l);
	line_unsigned(l, n);
}

void csv_text(struct line_buffer *l, const char *text)
{
	bool guarded = *text && strchr("=+-@'\t\r", *text);

	next_field(l);
	if (*text && !guarded && !text[strcspn(text, "\",\r\n")]) {
		line_put(l, text);
		return;
	}
	line_put(l, guarded ? "\"'" : "\"");
	for (; *text; text++) {
		if (*text == '"')
			line_char(l, '"');
		line_char(l, *text);
	}
	line_char(l, '"');
}

void csv_time(struct line_buffer *l, u64 real_ns)
{
	char stamp[TIMESTAMP_LEN];

	csv_name(l, format_timestamp(real_ns, stamp));
}

static void csv_value(struct line_buffer *l, const struct value *v, enum field_unit unit)
{
	if (!v->known) {
		csv_unknown(l);
	} else if (unit == UNIT_TEXT) {
		csv_text(l, v->text);
	} else {
		next_field(l);
		if (unit == UNIT_PER_SECOND || unit == UNIT_PERCENT)
			line_format(l, "%.3f", v->number);
		else
			line_number(l, (s64)v->number);
	}
}

void csv_figures(struct line_buffer *l, struct figures f)
{
	while (figures_next(&f))
		csv_value(l, &f.value, f.unit);
}

void csv_figures_head(struct line_buffer *l, struct figures f)
{
	while (figures_next(&f))
		csv_key(l, f.name, f.unit);
}

/* The texts of an array with "; " between; what is longer than any of ours is cut off. */
static void put_joined(struct line_buffer *l, const json_t *array)
{
	char joined[MAX_PARTIES * (EVENT_LINE + 2)] = "";
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(array) && at < sizeof(joined); i++)
		at += (size_t)snprintf(joined + at, sizeof(joined) - at, "%s%s", i ? "; " : "",
				       json_string_value(json_array_get(array, i)) ?: "");
	csv_text(l, joined);
}

void csv_json(struct line_buffer *l, const json_t *value)
{
	if (json_is_string(value)) {
		csv_text(l, json_string_value(value));
	} else if (json_is_integer(value)) {
		next_field(l);
		line_number(l, (s64)json_integer_value(value));
	} else if (json_is_real(value)) {
		next_field(l);
		line_format(l, "%.3f", json_real_value(value));
	} else if (json_is_boolean(value)) {
		csv_name(l, json_is_true(value) ? "true" : "false");
	} else if (json_is_array(value)) {
		put_joined(l, value);
	} else {
		csv_unknown(l);
	}
}

void csv_end(struct line_buffer *l)
{
	line_bytes(l, "\r\n", 2);
}

void csv_event_head(struct line_buffer *l)
{
	for (const struct key_help *k = event_keys; k->key; k++)
		csv_name(l, k->key);
	for (const struct key_help *k = why_keys; k->key; k++)
		if (strcmp(k->key, "text"))
			csv_name(l, k->key);
}

void csv_event(struct line_buffer *l, const json_t *event, const char *who)
{
	const json_t *why = json_object_get(event, "why");

	for (const struct key_help *k = event_keys; k->key; k++)
		if (!strcmp(k->key, "why"))
			csv_json(l, json_object_get(why, "text"));
		else if (!strcmp(k->key, "who"))
			csv_text(l, who);
		else
			csv_json(l, json_object_get(event, k->key));
	for (const struct key_help *k = why_keys; k->key; k++)
		if (strcmp(k->key, "text"))
			csv_json(l, json_object_get(why, k->key));
}
