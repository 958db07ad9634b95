// SPDX-License-Identifier: GPL-2.0-only
/*
 * Once a minute, or as soon as much has come, there is a place where a reader can begin:
 * whoever comes has at most that to read before it knows all.
 */
#include <errno.h>
#include "base/clock.h"
#include "daemon/history_writer.h"

#define WHOLE_NS (60ULL * 1000000000)

/* A block that is too large makes the history forget: the next snapshot begins it anew. */
static int put(void *arg, enum block_type type, const u8 *data, size_t n)
{
	struct history_writer *f = arg;

	if (history_append(f->history, data, n, type == BLOCK_HOST, clock_now()))
		f->whole_ns = 0;
	return 0;
}

int history_writer_init(struct history_writer *f, struct history *history, const struct host *host)
{
	struct block_sink sink = { .put = put, .arg = f };

	*f = (struct history_writer){ .history = history, .host = host };
	if (encoder_init(&f->encoder, &sink))
		return -ENOMEM;
	f->encoder.changes = true;
	return 0;
}

void history_writer_release(struct history_writer *f)
{
	encoder_release(&f->encoder);
}

void history_writer_look(struct history_writer *f, const struct event *events, u32 n)
{
	encoder_look(&f->encoder, events, n);
}

void history_writer_calls(struct history_writer *f, const struct call_record *calls, u32 n)
{
	encoder_calls(&f->encoder, calls, n);
}

void history_writer_snapshot(struct history_writer *f, const struct snapshot *s)
{
	bool whole = !f->whole_ns || s->mono_ns - f->whole_ns >= WHOLE_NS ||
		     !history_begins(f->history) || history_wants_begin(f->history, f->whole_bytes);
	u64 from = history_end(f->history);

	if (whole) {
		encoder_host(&f->encoder, f->host);
		f->whole_ns = s->mono_ns;
	}
	encoder_snapshot(&f->encoder, s, whole);
	if (whole)
		f->whole_bytes = history_end(f->history) - from;
}
