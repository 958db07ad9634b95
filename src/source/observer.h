/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens now, as a source: seen by the daemon, where one runs and can do what is
 * asked for, else by probes of our own.
 */
#ifndef OPTEE_TOP_OBSERVER_H
#define OPTEE_TOP_OBSERVER_H

#include "source/daemon_client.h"
#include "source/live.h"

struct observer {
	bool by_daemon;
	struct daemon_client *stream; /* if so */
	struct live live;             /* else */
	struct source source;
};

/*
 * Waits for the driver, saying so, and begins to watch. want is for the daemon. again: p
 * was open before, and the driver it watched is gone. A failure has been reported, and
 * leaves nothing to close.
 */
enum status observer_open(struct observer *p, const struct opts *o,
			  const struct daemon_client_opts *want, bool again);
void observer_close(struct observer *p);

/* The source ended because the driver did, or the daemon. */
bool observer_left(const struct observer *p);

/* STATUS_FAILURE, after one line about it, if the daemon was given up for what it sent. */
enum status observer_fault(const struct observer *p, const struct opts *o);

/* Of the daemon's: up to where it came, so that another one can go on from there. */
u64 observer_reached(const struct observer *p);

/* Something was not seen. */
bool observer_lost(const struct observer *p);

/* A moment of CLOCK_REALTIME (ns) as one of CLOCK_MONOTONIC. */
u64 observer_mono(u64 real_ns);

#endif
