// SPDX-License-Identifier: GPL-2.0-only
/*
 * A source that writes down what passes. A block is whole in the file or not there:
 * what a failed write left of it is cut off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "record/encoder.h"
#include "source/recorder.h"

struct recorder {
	const char *file;
	int fd;
	bool regular; /* a file that can be cut and synced */
	u64 bytes;
	struct encoder encoder;
	struct source from;
};

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

static int write_block(void *arg, enum block_type type, const u8 *data, size_t n)
{
	struct recorder *r = arg;
	int err = write_all(r, data, n);

	(void)type;
	if (!err)
		r->bytes += n;
	else if (r->regular && ftruncate(r->fd, (off_t)r->bytes))
		err = -errno;
	return err;
}

enum status recorder_open(struct recorder **to, const char *file, bool compress)
{
	struct recorder *r = calloc(1, sizeof(*r));
	struct block_sink sink = { .put = write_block, .arg = r };
	int err = r ? encoder_init(&r->encoder, &sink) : -ENOMEM;

	if (!err) {
		r->file = file;
		r->encoder.compress = compress;
		r->fd = !strcmp(file, "-") ?
				STDOUT_FILENO :
				open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC,
				     0640);
		r->regular = r->fd != STDOUT_FILENO;
		err = r->fd < 0 ? -errno : 0;
	}
	if (!err) {
		*to = r;
		return STATUS_OK;
	}
	if (r)
		encoder_release(&r->encoder);
	free(r);
	return fail(STATUS_FAILURE, "cannot record to '%s': %s%s", file, strerror(-err),
		    err == -EEXIST ? "; choose another name, or remove it" : "");
}

/* Once: what comes after a failure is not recorded. True: it has failed, now or before. */
static bool failed(struct recorder *r)
{
	if (r->encoder.error && r->file) {
		fail(STATUS_FAILURE,
		     "cannot record to '%s': %s; it is complete up to here (%llu bytes)", r->file,
		     strerror(-r->encoder.error), (unsigned long long)r->bytes);
		r->file = NULL;
	}
	return r->encoder.error;
}

/* All calls there are. */
static void take_calls(struct recorder *r)
{
	const struct call_record *calls;
	u32 n;

	if (!r->from.calls)
		return;
	while ((n = r->from.calls(r->from.ctx, &calls)) > 0)
		encoder_calls(&r->encoder, calls, n);
}

/* The calls of a snapshot are written before it, those that came later behind it. */
static const struct snapshot *recorder_next(void *ctx)
{
	struct recorder *r = ctx;
	const struct snapshot *s;

	take_calls(r);
	s = r->from.next(r->from.ctx);
	if (!s)
		return NULL;
	take_calls(r);
	encoder_snapshot(&r->encoder, s, true);
	if (r->regular && !r->encoder.error)
		fdatasync(r->fd);
	if (!failed(r))
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
	encoder_look(&r->encoder, *events, n);
	take_calls(r);
	return failed(r) ? LOOK_ENDED : n;
}

static bool recorder_behind(void *ctx)
{
	struct recorder *r = ctx;

	return source_behind(&r->from);
}

struct source recorder_source(struct recorder *r, const struct source *from)
{
	r->from = *from;
	encoder_begin(&r->encoder, from->host);
	return (struct source){
		.ctx = r,
		.host = from->host,
		.next = recorder_next,
		.look = recorder_look,
		.behind = recorder_behind,
		.past_ns = from->past_ns,
		.pace_ns = from->pace_ns,
	};
}

enum status recorder_close(struct recorder *r)
{
	enum status status;

	encoder_end(&r->encoder);
	if (r->regular && !r->encoder.error && fsync(r->fd))
		r->encoder.error = -errno;
	status = failed(r) ? STATUS_FAILURE : STATUS_OK;
	if (r->regular)
		close(r->fd);
	encoder_release(&r->encoder);
	free(r);
	return status;
}
