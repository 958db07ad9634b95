/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon as a source: what it sends over its socket (src/daemon/daemon_server.h), read as it comes. */
#ifndef OPTEE_TOP_STREAM_H
#define OPTEE_TOP_STREAM_H

#include "record/schema.h"
#include "source/source.h"

struct stream;

struct stream_opts {
	u64 since_ns; /* CLOCK_MONOTONIC: start there; ~0: start now */
	bool each;    /* get each snapshot of the history; else they are merged into one */
	bool fresh;   /* skip snapshots taken before we connected */
	bool calls;
};

/*
 * Connects, and reads what the daemon says first. 0 or -errno: -ENOENT or -ECONNREFUSED
 * there is no daemon, -EACCES we may not, -ECONNRESET it was just ending, -EPROTO it is
 * another optee-top's, -EINTR we are asked to end; or one of which stream_refused() knows
 * why.
 */
int stream_open(struct stream **st, const char *path, const struct stream_opts *o);

/* The same for a connected socket, which is closed with the stream, or if this fails. */
int stream_open_fd(struct stream **st, int fd, const struct stream_opts *o);

/* Why the daemon turned us away, and what to do; NULL for any other error. */
const char *stream_refused(int err);
void stream_close(struct stream *st);

/* What the daemon said first. */
const struct hello *stream_hello(const struct stream *st);

/*
 * Waits until the driver is there and the host is known. False: it has ended before, as a
 * worker does when the driver comes, or a signal asks us to end.
 */
bool stream_wait_host(struct stream *st);

/*
 * Snapshots come once a second: next() gives the newest one that has come, with the
 * figures of the time since the one it gave before, and waits for one if none has. NULL
 * with ENODEV: the driver has left, or the daemon. Valid until stream_close().
 */
struct source stream_source(struct stream *st);

/* The daemon or its worker is gone, or we have given it up: see stream_fault(). */
bool stream_ended(const struct stream *st);

/* Why we have given it up, as the end of a sentence; NULL: we have not. */
const char *stream_fault(const struct stream *st);

/* The time of the last snapshot that came; 0: none did. */
u64 stream_reached(const struct stream *st);

/* Did the daemon not see something? */
bool stream_lost(const struct stream *st);

#endif
