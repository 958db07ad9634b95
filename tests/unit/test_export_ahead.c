// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which an export has things. Calls that end while a snapshot is read: their
 * sessions may be in the next one only, and the export waits for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "export/export.h"
#include "unit.h"

/* A session was opened while the first snapshot was taken, and used; the second one has it. */
static struct snap_session opening = { .serial = 6, .flags = SESSION_OPENING, .comm = "o" };
static const struct snap_session opened[] = { { .serial = 6, .id = 12, .comm = "o" },
					      { .serial = 7, .id = 13, .comm = "n" } };
static const struct call_record ahead[] = {
	{ .start_ns = 4000, .hold_ns = 900, .serial = 6, .op = CMD_OPEN },
	{ .start_ns = 5000, .hold_ns = 100, .serial = 6, .op = CMD_INVOKE },
	{ .start_ns = 5000, .hold_ns = 300, .serial = 7, .op = CMD_OPEN },
	{ .start_ns = 5000, .hold_ns = 200, .serial = 8, .op = CMD_OPEN }, /* nothing has it */
};
static u32 looks;

static const struct snapshot *next_of_three(void *ctx)
{
	static struct snapshot of;

	(void)ctx;
	errno = 0;
	of = (struct snapshot){ .seq = ++looks, .mono_ns = 5000ULL * looks, .real_ns = 5000 };
	if (looks == 1) {
		of.nr_sessions = 1;
		of.sessions = &opening;
	} else {
		of.nr_sessions = 2;
		of.sessions = (struct snap_session *)opened;
	}
	return looks <= 3 ? &of : NULL;
}

static u32 ahead_calls(void *ctx, const struct call_record **found)
{
	static u32 told;

	(void)ctx;
	*found = ahead;
	if (told == looks)
		return 0;
	told = looks;
	return looks == 1 ? 4 : 0;
}

UNIT_TEST(sessions_of_calls_ahead)
{
	static const struct host host = { .mono_ns = 2000 };
	const struct source source = { .host = &host, .next = next_of_three, .calls = ahead_calls };
	const struct opts o = { .format = "jsonl" };
	static const struct {
		const char *type;
		int session, serial;
	} want[] = { { "host", 0, 0 },  { "snapshot", 0, 0 }, { "call", 12, 6 },
		     { "call", 12, 6 }, { "snapshot", 0, 0 }, { "call", 0, 8 },
		     { "call", 13, 7 }, { "snapshot", 0, 0 } };
	char *text = NULL, *rest;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(export_run(&o, export_format(&o), &source, out), STATUS_OK);
	fclose(out);
	rest = text;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		json_t *line = json_loads(strsep(&rest, "\n"), 0, NULL);

		assert_string_equal(json_string_value(json_object_get(line, "type")), want[i].type);
		assert_int_equal(json_integer_value(json_object_get(line, "session")),
				 want[i].session);
		assert_int_equal(json_integer_value(json_object_get(line, "serial")),
				 want[i].serial);
		json_decref(line);
	}
	assert_string_equal(rest, "");
	free(text);
}

static const struct snapshot *next_with_events(void *ctx)
{
	static struct event events[] = { { .mono_ns = 40, .episode = 1 },
					 { .mono_ns = 60, .episode = 2 },
					 { .mono_ns = 50, .episode = 3 },
					 { .mono_ns = 60, .episode = 4 } };
	static struct snapshot of = { .seq = 1, .mono_ns = 100, .events = events, .nr_events = 4 };
	bool *given = ctx;

	errno = 0;
	if (*given)
		return NULL;
	*given = true;
	return &of;
}

/* An event that a CPU reported late comes where it belongs. */
UNIT_TEST(events_in_the_order_of_time)
{
	static const struct host host;
	static const int want[] = { 1, 3, 2, 4 };
	const struct opts o = { .format = "jsonl" };
	bool given = false;
	const struct source source = { .host = &host, .ctx = &given, .next = next_with_events };
	char *text = NULL, *rest, *line;
	size_t len, n = 0;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(export_run(&o, export_format(&o), &source, out), STATUS_OK);
	fclose(out);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		json_t *object = json_loads(line, 0, NULL);
		const char *type = json_string_value(json_object_get(object, "type"));

		if (type && !strcmp(type, "event")) {
			assert_true(n < 4);
			assert_int_equal(json_integer_value(json_object_get(object, "episode")),
					 want[n++]);
		}
		json_decref(object);
	}
	assert_int_equal(n, 4);
	free(text);
}
