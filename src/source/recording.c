// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording as a source. All its blocks are looked up and checked as it is
 * opened; what is in one is read when it is its turn.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "record/block_file.h"
#include "record/decoder.h"
#include "source/recording.h"

/* Places in a list of blocks. */
struct places {
	u32 *at;
	u32 nr;
	size_t room;
};

struct recording {
	const char *name;
	struct block_file file;
	struct block_place *blocks;
	size_t nr_blocks, room;
	struct places snapshots, hosts; /* which of the blocks are some */
	bool damaged;                   /* and whether that is still to be said: */
	bool spoiled;
	bool lost; /* a snapshot says so */
	struct host host;
	size_t at;     /* the block that next() goes on with */
	u32 passed;    /* snapshots before it */
	size_t looked; /* that look() goes on with */
	struct decoder decoder;
	struct event_list events, looks; /* of the snapshot; of the last look */
	size_t calls_at, calls_end;      /* blocks that the calls before the snapshot are in */
};

/* Opening. */

/* Room for one element more; false: out of memory. */
static bool grow(void **array, size_t *room, size_t nr, size_t size)
{
	size_t more = *room ? 2 * *room : 64;
	void *bigger;

	if (nr < *room)
		return true;
	bigger = realloc(*array, more * size);
	if (!bigger)
		return false;
	*array = bigger;
	*room = more;
	return true;
}

static bool add_place(struct places *p, size_t block)
{
	if (!grow((void **)&p->at, &p->room, p->nr, sizeof(*p->at)))
		return false;
	p->at[p->nr++] = (u32)block;
	return true;
}

static bool add_block(struct recording *r, const struct block_place *b)
{
	if (r->nr_blocks == UINT_MAX ||
	    !grow((void **)&r->blocks, &r->room, r->nr_blocks, sizeof(*r->blocks)))
		return false;
	r->blocks[r->nr_blocks++] = *b;
	if (b->type == BLOCK_SNAPSHOT)
		return add_place(&r->snapshots, r->nr_blocks - 1);
	return b->type != BLOCK_HOST || add_place(&r->hosts, r->nr_blocks - 1);
}

static enum status not_read(const struct recording *r, const char *why)
{
	return fail(STATUS_FAILURE, "cannot read '%s': %s", r->name, why);
}

static enum status wrong_schema(const struct recording *r, u16 schema)
{
	return fail(STATUS_FAILURE,
		    "cannot read '%s': it has schema %u, and this optee-top reads %u to %u; use %s",
		    r->name, schema, SCHEMA_OLDEST, SCHEMA,
		    schema > SCHEMA ? "a newer optee-top" : "the optee-top that wrote it");
}

/* What is missing is said now: the views do not stop for it. */
static void say_damage(struct recording *r, bool ended)
{
	const struct block_file *f = &r->file;
	u64 inside = f->damaged - (f->tail > 0);

	r->damaged = f->damaged || !ended;
	if (inside)
		say("'%s' is damaged in %llu place%s: %llu bytes are skipped", r->name,
		    (unsigned long long)inside, inside == 1 ? "" : "s",
		    (unsigned long long)(f->skipped - f->tail));
	if (!ended)
		say("'%s' was cut off: only what precedes the cut is used", r->name);
	else if (f->tail)
		say("'%s' has %llu bytes after its end: they are skipped", r->name,
		    (unsigned long long)f->tail);
}

static enum status find_blocks(struct recording *r)
{
	struct block_place b;
	bool ended = false;
	u32 other = 0;

	if (!r->file.size)
		return not_read(r, "it is empty");
	while (block_file_next(&r->file, &b)) {
		if (b.schema < SCHEMA_OLDEST || b.schema > SCHEMA) {
			if (!r->nr_blocks)
				return wrong_schema(r, b.schema);
			other++;
			r->file.skipped += BLOCK_HEAD + b.stored;
			continue;
		}
		ended = b.type == BLOCK_END;
		if (!add_block(r, &b))
			return not_read(r, "out of memory");
	}
	r->file.damaged += other;
	if (!r->nr_blocks)
		return not_read(r, "it is not a recording of optee-top");
	say_damage(r, ended);
	return STATUS_OK;
}

/* Said at last: while it is read a view may have the terminal. */
static void spoiled(struct recording *r)
{
	r->spoiled |= !r->damaged;
	r->damaged = true;
}

static bool read_block(struct recording *r, const struct block_place *place, struct block *b)
{
	if (block_file_read(&r->file, place, b))
		return true;
	spoiled(r);
	return false;
}

static void read_host(struct recording *r, const struct block_place *place)
{
	struct block b;

	if (read_block(r, place, &b) && !decode_host(&b, &r->host))
		spoiled(r);
}

/* The host that a block is of. */
static void read_host_of(struct recording *r, size_t block)
{
	u32 from = 0, to = r->hosts.nr; /* the first of the hosts that is behind the block */

	while (from < to) {
		u32 middle = from + (to - from) / 2;

		if (r->hosts.at[middle] < block)
			from = middle + 1;
		else
			to = middle;
	}
	if (from)
		read_host(r, &r->blocks[r->hosts.at[from - 1]]);
}

enum status recording_open(struct recording **to, const char *file)
{
	struct recording *r = calloc(1, sizeof(*r));
	enum status status;
	int err;

	if (!r)
		return fail(STATUS_FAILURE, "cannot read '%s': out of memory", file);
	r->name = file;
	r->host.reserved = -1;
	err = block_file_open(&r->file, file);
	status = err ? not_read(r, strerror(-err)) : find_blocks(r);
	if (status == STATUS_OK && decoder_init(&r->decoder))
		status = not_read(r, "out of memory");
	if (status != STATUS_OK) {
		recording_close(r);
		return status;
	}
	if (r->hosts.nr)
		read_host(r, &r->blocks[r->hosts.at[0]]);
	*to = r;
	return STATUS_OK;
}

void recording_close(struct recording *r)
{
	if (r->file.changed)
		say("'%s' was changed while it was being read: what is gone is skipped", r->name);
	else if (r->spoiled)
		say("'%s' has a block that cannot be read: it is skipped", r->name);
	block_file_close(&r->file);
	free(r->blocks);
	free(r->snapshots.at);
	free(r->hosts.at);
	decoder_release(&r->decoder);
	free(r->events.events);
	free(r->looks.events);
	free(r);
}

/* Reading, block by block. */

/* Appended to those that are in the list. */
static void read_events(struct recording *r, const struct block_place *place, struct event_list *l)
{
	struct block b;

	if (read_block(r, place, &b) && !decode_events(&b, l))
		spoiled(r);
}

static bool read_snapshot(struct recording *r, const struct block_place *place)
{
	struct block b;
	bool good = read_block(r, place, &b) && decode_snapshot(&r->decoder, &b);

	if (good)
		r->lost |= !snapshot_complete(&r->decoder.snap);
	else
		spoiled(r);
	return good;
}

static const struct snapshot *recording_next(void *ctx)
{
	struct recording *r = ctx;
	struct snapshot *s = &r->decoder.snap;

	if (s->interval_ns) /* else they come again: the first is not shown by itself */
		r->events.nr = 0;
	r->calls_at = r->at;
	decoder_skip_calls(&r->decoder); /* those that nobody asked for are past */
	for (; r->at < r->nr_blocks; r->at++) {
		const struct block_place *b = &r->blocks[r->at];

		if (b->type == BLOCK_HOST)
			read_host(r, b);
		else if (b->type == BLOCK_EVENTS)
			read_events(r, b, &r->events);
		if (b->type != BLOCK_SNAPSHOT)
			continue;
		r->passed++;
		if (!read_snapshot(r, b))
			continue;
		r->calls_end = r->at++;
		r->looked = r->at;
		s->events = r->events.events;
		s->nr_events = r->events.nr;
		return s;
	}
	r->calls_end = r->at;
	errno = 0;
	return NULL;
}

static u32 recording_look(void *ctx, const struct event **events)
{
	struct recording *r = ctx;

	r->looks.nr = 0;
	for (; r->looked < r->nr_blocks; r->looked++) {
		const struct block_place *b = &r->blocks[r->looked];

		if (b->type == BLOCK_SNAPSHOT && r->looked >= r->at)
			return 0; /* but of those that next() has passed: it could not read them */
		if (b->type != BLOCK_EVENTS)
			continue;
		read_events(r, b, &r->looks);
		if (!r->looks.nr)
			continue;
		r->looked++;
		*events = r->looks.events;
		return r->looks.nr;
	}
	return LOOK_ENDED;
}

/* The next block of calls before the snapshot; false: there is none. */
static bool next_calls(struct recording *r)
{
	while (r->calls_at < r->calls_end) {
		const struct block_place *place = &r->blocks[r->calls_at++];
		struct block b;

		if (place->type != BLOCK_CALLS || !read_block(r, place, &b))
			continue;
		if (decoder_open_calls(&r->decoder, &b))
			return true;
		spoiled(r);
	}
	return false;
}

static u32 recording_calls(void *ctx, const struct call_record **calls)
{
	struct recording *r = ctx;
	bool damaged = false;
	u32 n;

	do {
		n = decode_calls(&r->decoder, calls, &damaged);
		if (damaged)
			spoiled(r);
	} while (!n && next_calls(r));
	return n;
}

struct source recording_source(struct recording *r)
{
	return (struct source){
		.ctx = r,
		.host = &r->host,
		.next = recording_next,
		.look = recording_look,
		.calls = recording_calls,
		.at_once = true,
	};
}

bool recording_damaged(const struct recording *r)
{
	return r->damaged;
}

enum status recording_strict(const struct recording *r)
{
	if (r->damaged)
		return STATUS_INCOMPLETE; /* it was said, or is going to be */
	if (r->lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return STATUS_OK;
}

u32 recording_snapshots(const struct recording *r)
{
	return r->snapshots.nr;
}

u32 recording_passed(const struct recording *r)
{
	return r->passed;
}

/* The block behind the snapshot before this one. */
static size_t block_of(const struct recording *r, u32 snapshot)
{
	return snapshot ? r->snapshots.at[snapshot - 1] + 1 : 0;
}

void recording_seek(struct recording *r, u32 snapshot)
{
	r->at = block_of(r, snapshot);
	r->passed = snapshot;
	r->looked = r->at;
	r->events.nr = 0;
	read_host_of(r, r->at);
}

void recording_events(struct recording *r, u32 snapshot,
		      void (*take)(void *arg, const struct event *e), void *arg)
{
	for (size_t i = 0; i < block_of(r, snapshot); i++) {
		if (r->blocks[i].type != BLOCK_EVENTS)
			continue;
		r->looks.nr = 0;
		read_events(r, &r->blocks[i], &r->looks);
		for (u32 e = 0; e < r->looks.nr; e++)
			take(arg, &r->looks.events[e]);
	}
}
