/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens now, as a source: seen by the daemon, where one runs and can do what is
 * asked for, else by probes of our own.
 */
#ifndef OPTEE_TOP_PRESENT_H
#define OPTEE_TOP_PRESENT_H

#include "source/daemon_client.h"
#include "source/live.h"

struct present {
	bool by_daemon;
	struct stream *stream; /* if so */
	struct live live;      /* else */
	struct source source;
};

/*
 * Waits for the driver, saying so, and begins to watch. want is for the daemon. again: p
 * was open before, and the driver it watched is gone. A failure has been reported, and
 * leaves nothing to close.
 */
enum status present_open(struct present *p, const struct opts *o, const struct stream_opts *want,
			 bool again);
void present_close(struct present *p);

/* The source ended because the driver did, or the daemon. */
bool present_left(const struct present *p);

/* STATUS_FAILURE, after one line about it, if the daemon was given up for what it sent. */
enum status present_fault(const struct present *p, const struct opts *o);

/* Of the daemon's: up to where it came, so that another one can go on from there. */
u64 present_reached(const struct present *p);

/* Something was not seen. */
bool present_lost(const struct present *p);

/* A moment of CLOCK_REALTIME (ns) as one of CLOCK_MONOTONIC. */
u64 present_mono(u64 real_ns);

#endif
