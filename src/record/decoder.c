// SPDX-License-Identifier: GPL-2.0-only
/* Blocks, read. Nothing in one is trusted: what does not fit costs that block. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "model/hist.h"
#include "record/decoder.h"
#include "record/schema_call.h"

int decoder_init(struct decoder *d)
{
	memset(d, 0, sizeof(*d));
	d->snap.sessions = calloc(SESSION_SLOTS, sizeof(*d->snap.sessions));
	d->snap.tas = calloc(MAX_TAS, sizeof(*d->snap.tas));
	d->snap.calls = calloc(MAX_CALLS, sizeof(*d->snap.calls));
	d->hists = calloc(SESSION_HISTS, sizeof(*d->hists));
	d->gone = calloc(SESSION_SLOTS, sizeof(*d->gone));
	if (d->snap.sessions && d->snap.tas && d->snap.calls && d->hists && d->gone)
		return 0;
	decoder_release(d);
	return -ENOMEM;
}

void decoder_release(struct decoder *d)
{
	for (u32 n = 0; d->hists && n < SESSION_HISTS; n++)
		for (int i = 0; i < 3; i++)
			hist_release(&d->hists[n][i]);
	free(d->snap.sessions);
	free(d->snap.tas);
	free(d->snap.calls);
	free(d->hists);
	free(d->gone);
	free(d->calls_data);
	memset(d, 0, sizeof(*d));
}

/* The content of a block, to be freed with free(c.buf). NULL there: it has none. */
static struct codec open_block(const struct block *b)
{
	u8 *content = block_content(b);
	struct codec c = codec_reader(content, content ? b->size : 0);

	c.schema = b->schema;
	return c;
}

bool decode_hello(const struct block *b, struct hello *h)
{
	struct codec c = open_block(b);
	struct hello hello = {};

	if (!c.buf)
		return false;
	code_hello(&c, &hello);
	free(c.buf);
	if (c.failed)
		return false;
	*h = hello;
	return true;
}

bool decode_host(const struct block *b, struct host *h)
{
	struct codec c = open_block(b);
	struct host host = {};

	if (!c.buf)
		return false;
	code_host(&c, &host);
	free(c.buf);
	if (c.failed)
		return false;
	*h = host;
	return true;
}

static void read_whole(struct decoder *d, struct codec *c)
{
	struct snapshot *s = &d->snap;

	*s = (struct snapshot){ .sessions = s->sessions, .tas = s->tas, .calls = s->calls };
	code_snapshot(c, s, d->hists);
}

static void read_changes(struct decoder *d, struct codec *c)
{
	struct slot_list gone = { .slots = d->gone };
	u64 seq = d->snap.seq, mono_ns = d->snap.mono_ns;

	code_changes(c, &d->snap, d->hists, &gone);
	c->failed |= d->snap.seq != seq + 1 || d->snap.mono_ns < mono_ns;
}

bool decode_snapshot(struct decoder *d, const struct block *b)
{
	struct codec c;

	if (b->type == BLOCK_CHANGES && !d->whole)
		return false;
	c = open_block(b);
	if (!c.buf) {
		d->whole = false;
		return false;
	}
	if (b->type == BLOCK_CHANGES)
		read_changes(d, &c);
	else
		read_whole(d, &c);
	d->whole = !c.failed;
	free(c.buf);
	return d->whole;
}

static bool room_for_events(struct event_list *l, u64 n)
{
	struct event *events;

	if (n > LIST_EVENTS || l->nr + n > LIST_EVENTS)
		return false;
	if (l->nr + n <= l->room)
		return true;
	events = realloc(l->events, (l->nr + n) * sizeof(*events));
	if (!events)
		return false;
	l->events = events;
	l->room = l->nr + (u32)n;
	return true;
}

bool decode_events(const struct block *b, struct event_list *l)
{
	struct codec c = open_block(b);
	u64 n;

	if (!c.buf)
		return false;
	n = codec_get(&c);
	if (!room_for_events(l, n)) {
		c.failed = true;
		l->dropped += n < c.size ? n : 0; /* more than bytes: that is no number of events */
	}
	for (u64 i = 0; i < n && !c.failed; i++) {
		struct event *e = &l->events[l->nr];

		memset(e, 0, sizeof(*e));
		code_event(&c, e);
		l->nr += !c.failed;
	}
	free(c.buf);
	return !c.failed;
}

bool decoder_open_calls(struct decoder *d, const struct block *b)
{
	free(d->calls_data);
	d->calls = open_block(b);
	d->calls_data = d->calls.buf;
	memset(&d->before, 0, sizeof(d->before));
	return d->calls_data;
}

void decoder_skip_calls(struct decoder *d)
{
	d->calls.at = d->calls.size;
}

u32 decode_calls(struct decoder *d, const struct call_record **calls, bool *damaged)
{
	u32 n = 0;

	while (n < CALLS_ASKED && d->calls_data && d->calls.at < d->calls.size) {
		get_call(&d->calls, &d->given[n], &d->before);
		if (d->calls.failed) {
			*damaged = true;
			decoder_skip_calls(d);
			break;
		}
		d->before = d->given[n++];
	}
	*calls = d->given;
	return n;
}
