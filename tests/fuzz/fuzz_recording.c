// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: whatever a file has in it, reading it ends, and what comes of it can
 * be shown. Each input is read as it is, and again with the checksums put right,
 * for else nearly all of them would end there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include "block.h"
#include "event_text.h"
#include "json.h"
#include "recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show_events(const struct source *source, const struct event *events, u32 n)
{
	for (u32 i = 0; i < n; i++)
		json_decref(event_line_json(source->host, &events[i], i));
}

static void show_all(struct recording *r)
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
		recording_seek(r, recording_snapshots(r) - back);
		source.next(source.ctx);
	}
}

static void read_as_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct recording *r;
	char name[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (recording_open(&r, name) == STATUS_OK) {
		show_all(r);
		recording_close(r);
	}
	close(fd);
}

/* The CRC of each thing that looks like a block. */
static void repair(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + BLOCK_HEAD <= size; at++) {
		uint32_t stored, crc;

		if (memcmp(data + at, "\x89OTR", 4) != 0)
			continue;
		memcpy(&stored, data + at + 8, 4);
		if (stored > size - at - BLOCK_HEAD)
			continue;
		crc = (uint32_t)crc32(crc32(0, data + at + 4, 12), data + at + BLOCK_HEAD, stored);
		memcpy(data + at + 16, &crc, 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = calloc(1, size + 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	read_as_file(copy, size);
	repair(copy, size);
	read_as_file(copy, size);
	free(copy);
	return 0;
}
