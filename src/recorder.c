// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes is written block by block, in the order it came: events and calls as
 * they are looked for, then the snapshot. A block is whole in the file or not
 * there: what a failed write left of it is cut off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block.h"
#include "recorder.h"
#include "schema.h"

#define CALLS_BYTES (32 << 10) /* a block of calls is written when it is as long as that */

struct recorder {
	const char *file;
	int fd;
	bool regular;  /* a file that can be cut and synced */
	bool compress; /* calls, too */
	bool failed;
	u64 bytes, nr_calls;
	struct packer *packer;
	struct source from;
	u32 logged; /* of the events of the next snapshot, how many are in the file */
	struct codec calls;
	u32 block_calls; /* in it */
	struct call_record before;
};

enum status recorder_open(struct recorder **to, const char *file, bool compress)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return fail(STATUS_FAILURE, "cannot record to '%s': out of memory", file);
	r->file = file;
	r->compress = compress;
	r->calls = schema_writer();
	r->packer = packer_new();
	r->fd = !strcmp(file, "-") ?
			STDOUT_FILENO :
			open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
	r->regular = r->fd != STDOUT_FILENO;
	if (r->packer && r->fd >= 0) {
		*to = r;
		return STATUS_OK;
	}
	fail(STATUS_FAILURE, "cannot record to '%s': %s%s", file,
	     r->packer ? strerror(errno) : "out of memory",
	     errno == EEXIST ? "; choose another name, or remove it" : "");
	packer_free(r->packer);
	free(r);
	return STATUS_FAILURE;
}

static int write_all(struct recorder *r, const u8 *data, size_t n)
{
	while (n) {
		ssize_t done = write(r->fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		n -= (size_t)done;
	}
	return 0;
}

static void write_block(struct recorder *r, enum block_type type, const struct codec *c,
			bool deflate)
{
	const u8 *data;
	size_t n;
	int err = -ENOMEM;

	if (r->failed)
		return;
	data = c->failed ? NULL : packer_pack(r->packer, SCHEMA, type, c->buf, c->at, deflate, &n);
	if (data)
		err = write_all(r, data, n);
	if (!err) {
		r->bytes += n;
		return;
	}
	r->failed = true;
	if (r->regular && ftruncate(r->fd, (off_t)r->bytes))
		err = -errno;
	fail(STATUS_FAILURE, "cannot record to '%s': %s; it has all up to here (%llu bytes)",
	     r->file, strerror(-err), (unsigned long long)r->bytes);
}

static void write_calls(struct recorder *r)
{
	if (!r->block_calls)
		return;
	write_block(r, BLOCK_CALLS, &r->calls, r->compress);
	r->nr_calls += r->failed ? 0 : r->block_calls;
	r->calls.at = 0;
	r->block_calls = 0;
	memset(&r->before, 0, sizeof(r->before));
}

static void record_calls(struct recorder *r, const struct call_record *calls, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		put_call(&r->calls, &calls[i], &r->before);
		r->before = calls[i];
		r->block_calls++;
		if (r->calls.at >= CALLS_BYTES)
			write_calls(r);
	}
}

/* All calls there are. */
static void take_calls(struct recorder *r)
{
	const struct call_record *calls;
	u32 n;

	if (!r->from.calls)
		return;
	while ((n = r->from.calls(r->from.ctx, &calls)) > 0)
		record_calls(r, calls, n);
}

static void record_events(struct recorder *r, const struct event *events, u32 n)
{
	struct codec c = schema_writer();

	if (!n)
		return;
	codec_put(&c, n);
	for (u32 i = 0; i < n; i++)
		code_event(&c, (struct event *)&events[i]);
	write_block(r, BLOCK_EVENTS, &c, true);
	free(c.buf);
}

/* The calls of a snapshot are written before it, those that came later behind it. */
static const struct snapshot *recorder_next(void *ctx)
{
	struct recorder *r = ctx;
	struct codec c = schema_writer();
	const struct snapshot *s;

	take_calls(r);
	s = r->from.next(r->from.ctx);
	if (!s)
		return NULL;
	take_calls(r);
	write_calls(r);
	/* The events of the first snapshot come again with the second. */
	record_events(r, s->events + r->logged, s->nr_events - r->logged);
	r->logged = s->interval_ns ? 0 : s->nr_events;
	code_snapshot(&c, (struct snapshot *)s, NULL);
	write_block(r, BLOCK_SNAPSHOT, &c, true);
	free(c.buf);
	if (r->regular && !r->failed)
		fdatasync(r->fd);
	if (!r->failed)
		return s;
	errno = EIO;
	return NULL;
}

static u32 recorder_look(void *ctx, const struct event **events)
{
	struct recorder *r = ctx;
	u32 n = r->from.look(r->from.ctx, events);

	if (n == LOOK_ENDED)
		return n;
	record_events(r, *events, n);
	r->logged += n;
	take_calls(r);
	return r->failed ? LOOK_ENDED : n;
}

struct source recorder_source(struct recorder *r, const struct source *from)
{
	struct codec c = schema_writer();

	r->from = *from;
	r->logged = 0;
	code_host(&c, (struct host *)from->host);
	write_block(r, BLOCK_HOST, &c, true);
	free(c.buf);
	return (struct source){
		.ctx = r, .host = from->host, .next = recorder_next, .look = recorder_look
	};
}

enum status recorder_close(struct recorder *r)
{
	struct codec none = schema_writer();
	enum status status;

	write_calls(r);
	write_block(r, BLOCK_END, &none, false);
	if (r->regular && !r->failed && fsync(r->fd))
		fail(STATUS_FAILURE, "cannot record to '%s': %s", r->file, strerror(errno));
	status = r->failed ? STATUS_FAILURE : STATUS_OK;
	if (r->regular)
		close(r->fd);
	packer_free(r->packer);
	free(r->calls.buf);
	free(r);
	return status;
}

u64 recorder_calls(const struct recorder *r)
{
	return r->nr_calls + r->block_calls;
}
