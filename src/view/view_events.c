// SPDX-License-Identifier: GPL-2.0-only
/* One event a line, or one JSON object a line. */
#include <stdio.h>
#include <string.h>
#include "base/printable.h"
#include "base/stop.h"
#include "model/event_text.h"
#include "options/filter.h"
#include "render/json.h"
#include "view/view_events.h"

static void print_text(const struct event *e)
{
	char line[EVENT_REPORT];

	printf("%s\n", event_report(e, line, sizeof(line)));
	if (e->state != EVENT_BEGIN)
		return;
	for (u32 i = 0; event_chain(e, i, line, EVENT_LINE); i++)
		printf("    %s\n", line);
}

static enum status print_event(const struct opts *o, const struct host *host, const struct event *e,
			       u64 seq)
{
	if (!o->json)
		print_text(e);
	else if (!json_print(event_line_json(host, e, seq), JSON_LINE))
		return fail(STATUS_FAILURE, "cannot print an event: out of memory");
	return STATUS_OK;
}

/* Prints what passes -p, until -n says that it is enough. *told counts what is no history. */
static enum status print_events(const struct opts *o, const struct source *source,
				const struct event *events, u32 n, u64 *seq, u64 *told)
{
	enum status status = STATUS_OK;

	for (u32 i = 0; i < n && status == STATUS_OK; i++) {
		if (!filter_shows_event(o, &events[i]) || (o->frames && *told >= (u64)o->frames))
			continue;
		status = print_event(o, source->host, &events[i], ++*seq);
		*told += events[i].mono_ns >= source->past_ns;
	}
	return n && status == STATUS_OK ? stop_flush() : status;
}

enum status view_events(const struct opts *o, const struct source *source)
{
	enum status status = STATUS_OK;
	const struct event *events;
	u64 seq = 0, told = 0, due = clock_now();
	u64 end = o->duration && !source->at_once ? due + (u64)(o->duration * 1e9) : ~0ULL;

	stop_catch();
	printable_guard_stdout();
	while (status == STATUS_OK && !stop_asked && (!o->frames || told < (u64)o->frames)) {
		u32 n = source->look(source->ctx, &events);

		if (n == LOOK_ENDED)
			break;
		status = print_events(o, source, events, n, &seq, &told);
		if (source->forget)
			source->forget(source->ctx);
		if (source->at_once) {
			if (!n)
				source->next(source->ctx);
			continue;
		}
		if (n && source_behind(source))
			continue; /* of history there may be more than one look takes */
		if (due >= end)
			break;
		due = next_deadline(due, LOOK_NS, clock_now());
		stop_sleep(due);
	}
	return status;
}
