// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever a file has in it, reading it ends, and what comes of it can be shown. Each input
 * is read as it is, and again with the checksums put right, for else nearly all of them
 * would end there.
 */
#include "fuzz.h"
#include "model/event_text.h"
#include "export/export.h"
#include "render/json.h"
#include "source/recording.h"

static void show_events(const struct source *source, const struct event *events, u32 n)
{
	char line[EVENT_REPORT];

	for (u32 i = 0; i < n; i++) {
		json_decref(event_line_json(source->host, &events[i], i));
		event_report(&events[i], line, sizeof(line));
		for (u32 link = 0; event_chain(&events[i], link, line, EVENT_LINE); link++)
			;
	}
}

static void take_event(void *arg, const struct event *e)
{
	(void)arg;
	(void)e;
}

static void show_recording(struct recording *r)
{
	static const struct opts o;
	struct source source = recording_source(r);
	const struct call_record *calls;
	const struct event *events;
	const struct snapshot *s;
	u32 n;

	while ((s = source.next(source.ctx))) {
		json_decref(snapshot_json(&o, source.host, s));
		show_events(&source, s->events, s->nr_events);
		while (source.calls(source.ctx, &calls))
			;
		n = source.look(source.ctx, &events);
		if (n != LOOK_ENDED)
			show_events(&source, events, n);
	}
	for (u32 back = 1; back <= 4 && back <= recording_snapshots(r); back++) {
		recording_events(r, recording_snapshots(r) - back, take_event, NULL);
		recording_seek(r, recording_snapshots(r) - back);
		source.next(source.ctx);
	}
}

static void export_as(struct recording *r, const char *format, const char *what)
{
	const struct opts o = { .format = format, .what = what };
	struct source source = recording_source(r);
	FILE *out = fopen("/dev/null", "w");

	recording_seek(r, 0);
	export_run(&o, export_format(&o), &source, out);
	fclose(out);
}

static void read_recording(const uint8_t *data, size_t size)
{
	struct recording *r;
	char path[32];
	int fd = fuzz_file(data, size, path);

	if (recording_open(&r, path) == STATUS_OK) {
		show_recording(r);
		export_as(r, "jsonl", NULL);
		export_as(r, "perfetto", NULL);
		export_as(r, "csv", "calls");
		export_as(r, "csv", "events");
		recording_close(r);
	}
	close(fd);
}

static void fuzz_recording(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);

	read_recording(copy, size);
	fuzz_repair(copy, size, 0);
	read_recording(copy, size);
	free(copy);
}

FUZZ_TARGET(recording);
