// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording as a source. All its blocks are looked up and checked as it is
 * opened; what is in one is read when it is its turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "decoder.h"
#include "recording.h"

struct recording {
	const char *file;
	u8 *data;
	size_t size;
	bool mapped;
	struct block *blocks;
	size_t nr_blocks, room;
	u32 *snapshots; /* which of the blocks are some */
	u32 nr_snapshots, snapshots_room;
	bool damaged; /* and whether that is still to be said: */
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

static int slurp(struct recording *r, int fd)
{
	size_t room = 0;

	for (;;) {
		ssize_t n;

		if (r->size == room) {
			u8 *data = realloc(r->data, room = room ? 2 * room : 1 << 16);

			if (!data)
				return -ENOMEM;
			r->data = data;
		}
		n = read(fd, r->data + r->size, room - r->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		r->size += (size_t)n;
	}
}

static int load_file(struct recording *r, int fd)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return slurp(r, fd);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return slurp(r, fd);
	r->data = data;
	r->size = (size_t)st.st_size;
	r->mapped = true;
	return 0;
}

static int load(struct recording *r, const char *file)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, err;

	if (fd < 0)
		return -errno;
	err = load_file(r, fd);
	if (fd != STDIN_FILENO)
		close(fd);
	return err;
}

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

static bool add_block(struct recording *r, const struct block *b)
{
	size_t room = r->snapshots_room;

	if (!grow((void **)&r->blocks, &r->room, r->nr_blocks, sizeof(*r->blocks)))
		return false;
	r->blocks[r->nr_blocks++] = *b;
	if (b->type != BLOCK_SNAPSHOT)
		return true;
	if (!grow((void **)&r->snapshots, &room, r->nr_snapshots, sizeof(*r->snapshots)))
		return false;
	r->snapshots_room = (u32)room;
	r->snapshots[r->nr_snapshots++] = (u32)(r->nr_blocks - 1);
	return true;
}

static enum status not_read(const struct recording *r, const char *why)
{
	return fail(STATUS_FAILURE, "cannot read '%s': %s", r->file, why);
}

static enum status wrong_schema(const struct recording *r, u16 schema)
{
	return fail(STATUS_FAILURE,
		    "cannot read '%s': it has schema %u, and this optee-top reads %u to %u; use %s",
		    r->file, schema, SCHEMA_OLDEST, SCHEMA,
		    schema > SCHEMA ? "a newer optee-top" : "the optee-top that wrote it");
}

/* What is missing is said now: the views do not stop for it. */
static void say_damage(struct recording *r, const struct block_scan *scan, bool ended)
{
	u64 inside = scan->damaged - scan->cut_off;

	r->damaged = scan->damaged || !ended;
	if (inside)
		say("'%s' is damaged in %llu place%s: %llu bytes are left out", r->file,
		    (unsigned long long)inside, inside == 1 ? "" : "s",
		    (unsigned long long)scan->skipped);
	if (!ended)
		say("'%s' was cut off: it goes up to where that was", r->file);
}

static enum status find_blocks(struct recording *r)
{
	struct block_scan scan = { .data = r->data, .size = r->size };
	bool ended = false;
	struct block b;
	u32 other = 0;

	if (!r->size)
		return not_read(r, "it is empty");
	while (block_next(&scan, &b)) {
		if (b.schema < SCHEMA_OLDEST || b.schema > SCHEMA) {
			if (!r->nr_blocks)
				return wrong_schema(r, b.schema);
			other++;
			continue;
		}
		ended = b.type == BLOCK_END;
		if (!add_block(r, &b))
			return not_read(r, "out of memory");
	}
	scan.damaged += other;
	if (!r->nr_blocks)
		return not_read(r, "it is not a recording of optee-top");
	say_damage(r, &scan, ended);
	return STATUS_OK;
}

/* Said at last: while it is read a view may have the terminal. */
static void spoiled(struct recording *r)
{
	r->spoiled |= !r->damaged;
	r->damaged = true;
}

static void read_host(struct recording *r, const struct block *b)
{
	if (!decode_host(b, &r->host))
		spoiled(r);
}

enum status recording_open(struct recording **to, const char *file)
{
	struct recording *r = calloc(1, sizeof(*r));
	enum status status;
	int err;

	if (!r)
		return fail(STATUS_FAILURE, "cannot read '%s': out of memory", file);
	r->file = file;
	r->host.reserved = -1;
	err = load(r, file);
	status = err ? not_read(r, strerror(-err)) : find_blocks(r);
	if (status == STATUS_OK && decoder_init(&r->decoder))
		status = not_read(r, "out of memory");
	if (status != STATUS_OK) {
		recording_close(r);
		return status;
	}
	for (size_t i = 0; i < r->nr_blocks; i++)
		if (r->blocks[i].type == BLOCK_HOST) {
			read_host(r, &r->blocks[i]);
			break;
		}
	*to = r;
	return STATUS_OK;
}

void recording_close(struct recording *r)
{
	if (r->spoiled)
		say("'%s' has a block that cannot be read: it is left out", r->file);
	if (r->mapped)
		munmap(r->data, r->size);
	else
		free(r->data);
	free(r->blocks);
	free(r->snapshots);
	decoder_release(&r->decoder);
	free(r->events.events);
	free(r->looks.events);
	free(r);
}

/* Reading, block by block. */

/* Appended to those that are in the list. */
static void read_events(struct recording *r, const struct block *b, struct event_list *l)
{
	if (!decode_events(b, l))
		spoiled(r);
}

static bool read_snapshot(struct recording *r, const struct block *b)
{
	bool good = decode_snapshot(&r->decoder, b);

	if (good)
		r->lost |= losses_any(&r->decoder.snap.losses);
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
		const struct block *b = &r->blocks[r->at];

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
		const struct block *b = &r->blocks[r->looked];

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
	for (; r->calls_at < r->calls_end; r->calls_at++) {
		const struct block *b = &r->blocks[r->calls_at];

		if (b->type != BLOCK_CALLS)
			continue;
		r->calls_at++;
		if (decoder_open_calls(&r->decoder, b))
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
	return r->nr_snapshots;
}

u32 recording_passed(const struct recording *r)
{
	return r->passed;
}

void recording_seek(struct recording *r, u32 snapshot)
{
	r->at = snapshot ? r->snapshots[snapshot - 1] + 1 : 0;
	r->passed = snapshot;
	r->looked = r->at;
	r->events.nr = 0;
	for (size_t i = r->at; i-- > 0;)
		if (r->blocks[i].type == BLOCK_HOST) {
			read_host(r, &r->blocks[i]);
			break;
		}
}
