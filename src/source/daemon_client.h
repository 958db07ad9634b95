/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon as a source: what it sends over its socket (src/daemon/daemon_server.h), read as it comes. */
#ifndef OPTEE_TOP_DAEMON_CLIENT_H
#define OPTEE_TOP_DAEMON_CLIENT_H

#include "record/schema.h"
#include "source/source.h"

struct daemon_client;

/* One that says nothing for so long is stopped, or the machine is very busy. */
#define DAEMON_SILENCE_NS 5000000000

struct daemon_client_opts {
	u64 since_ns; /* CLOCK_MONOTONIC: start there; ~0: start now */
	bool each;    /* get each snapshot of the history; else they are merged into one */
	bool fresh;   /* skip snapshots taken before we connected */
	bool calls;
	u64 silence_ns;  /* after so long without a word from it, say so; 0: never */
	bool has_screen; /* say nothing there once the source is used */
};

/*
 * Connects, and reads what the daemon says first. 0 or -errno: -ENOENT or -ECONNREFUSED
 * there is no daemon, -EACCES we may not, -ECONNRESET it was just ending, -EPROTO it is
 * another optee-top's, -EINTR we are asked to end; or one of which daemon_client_refused() knows
 * why.
 */
int daemon_client_open(struct daemon_client **client, const char *path,
		       const struct daemon_client_opts *o);

/* The same for a connected socket, which is closed with the client, or if this fails. */
int daemon_client_open_fd(struct daemon_client **client, int fd,
			  const struct daemon_client_opts *o);

/* Why the daemon turned us away, and what to do; NULL for any other error. */
const char *daemon_client_refused(int err);
void daemon_client_close(struct daemon_client *client);

/* What the daemon said first. */
const struct hello *daemon_client_hello(const struct daemon_client *client);

/*
 * Waits until the driver is there and the host is known. False: it has ended before, as a
 * worker does when the driver comes, or a signal asks us to end.
 */
bool daemon_client_wait_host(struct daemon_client *client);

/*
 * Snapshots come once a second: next() gives the newest one that has come, with the
 * figures of the time since the one it gave before, and waits for one if none has. NULL
 * with ENODEV: the driver has left, or the daemon. Valid until daemon_client_close().
 */
struct source daemon_client_source(struct daemon_client *client);

/* The daemon or its worker is gone, or we have given it up: see daemon_client_fault(). */
bool daemon_client_ended(const struct daemon_client *client);

/* Why we have given it up, as the end of a sentence; NULL: we have not. */
const char *daemon_client_fault(const struct daemon_client *client);

/* The time of the last snapshot that came; 0: none did. */
u64 daemon_client_reached(const struct daemon_client *client);

/* Did the daemon not see something? */
bool daemon_client_lost(const struct daemon_client *client);

#endif
