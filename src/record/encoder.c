// SPDX-License-Identifier: GPL-2.0-only
/* Blocks are made one at a time and given away at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "record/encoder.h"
#include "record/schema_call.h"
#include "snapshot.h"

#define DEFLATED_MAX (32 << 10) /* changes that are longer cost too much to deflate each second */
#define CALLS_BYTES  (32 << 10) /* a block of calls is given when it is as long as that */

int encoder_init(struct encoder *e, const struct block_sink *sink)
{
	*e = (struct encoder){ .sink = *sink, .calls = schema_writer(), .packer = packer_new() };
	return e->packer ? 0 : -ENOMEM;
}

void encoder_release(struct encoder *e)
{
	packer_free(e->packer);
	free(e->calls.buf);
}

static void give(struct encoder *e, enum block_type type, const struct codec *c, bool deflate)
{
	const u8 *data;
	size_t n;

	if (e->error)
		return;
	data = c->failed ? NULL : packer_pack(e->packer, SCHEMA, type, c->buf, c->at, deflate, &n);
	e->error = data ? e->sink.put(e->sink.arg, type, data, n) : -ENOMEM;
}

void encoder_host(struct encoder *e, const struct host *h)
{
	struct codec c = schema_writer();

	code_host(&c, (struct host *)h);
	give(e, BLOCK_HOST, &c, true);
	free(c.buf);
}

void encoder_begin(struct encoder *e, const struct host *h)
{
	e->logged = 0;
	encoder_host(e, h);
}

static void give_calls(struct encoder *e)
{
	if (!e->block_calls)
		return;
	give(e, BLOCK_CALLS, &e->calls, e->compress);
	e->calls.at = 0;
	e->block_calls = 0;
	memset(&e->before, 0, sizeof(e->before));
}

void encoder_calls(struct encoder *e, const struct call_record *calls, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		put_call(&e->calls, &calls[i], &e->before);
		e->before = calls[i];
		e->block_calls++;
		if (e->calls.at >= CALLS_BYTES)
			give_calls(e);
	}
}

static void give_events(struct encoder *e, const struct event *events, u32 n)
{
	struct codec c = schema_writer();

	if (!n)
		return;
	codec_put(&c, n);
	for (u32 i = 0; i < n; i++)
		code_event(&c, (struct event *)&events[i]);
	give(e, BLOCK_EVENTS, &c, true);
	free(c.buf);
}

void encoder_look(struct encoder *e, const struct event *events, u32 n)
{
	give_events(e, events, n);
	e->logged += n;
}

/* Who was open in the snapshot before and is not in this one; and who is open in this one. */
static struct slot_list find_gone(struct encoder *e, const struct snapshot *s)
{
	struct slot_list gone = { .slots = e->gone };
	u32 slot = 0;

	for (u32 i = 0; i <= s->nr_sessions; i++) {
		u32 next = i < s->nr_sessions ? s->sessions[i].slot : SESSION_SLOTS;

		for (; slot < next; slot++) {
			if (e->open[slot])
				gone.slots[gone.nr++] = slot;
			e->open[slot] = false;
		}
		if (slot < SESSION_SLOTS)
			e->open[slot++] = s->sessions[i].open;
	}
	return gone;
}

void encoder_snapshot(struct encoder *e, const struct snapshot *s, bool whole)
{
	struct codec c = schema_writer();

	give_calls(e);
	if (e->logged < s->nr_events)
		give_events(e, s->events + e->logged, s->nr_events - e->logged);
	e->logged = events_ahead(e->logged, s);
	if (e->changes) {
		struct slot_list gone = find_gone(e, s);

		whole = whole || e->seq + 1 != s->seq;
		if (!whole)
			code_changes(&c, (struct snapshot *)s, NULL, &gone);
		e->seq = s->seq;
	}
	if (whole || !e->changes)
		code_snapshot(&c, (struct snapshot *)s, NULL);
	give(e, e->changes && !whole ? BLOCK_CHANGES : BLOCK_SNAPSHOT, &c,
	     whole || c.at < DEFLATED_MAX);
	free(c.buf);
}

void encoder_end(struct encoder *e)
{
	struct codec none = schema_writer();

	give_calls(e);
	give(e, BLOCK_END, &none, false);
}
