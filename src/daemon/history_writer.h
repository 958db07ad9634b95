/* SPDX-License-Identifier: GPL-2.0-only */
/* What the daemon sees, into its history: as a recording, but with snapshots as changes. */
#ifndef OPTEE_TOP_FEED_H
#define OPTEE_TOP_FEED_H

#include "daemon/history.h"
#include "record/encoder.h"

struct feed {
	struct encoder encoder;
	struct history *history;
	const struct host *host;
	u64 whole_ns; /* when the last whole snapshot was given; 0: none was */
	u64 whole_bytes;
};

/* host: of the source that is fed from now on. 0 or -ENOMEM. */
int feed_init(struct feed *f, struct history *history, const struct host *host);
void feed_release(struct feed *f);

void feed_look(struct feed *f, const struct event *events, u32 n);
void feed_calls(struct feed *f, const struct call_record *calls, u32 n);
void feed_snapshot(struct feed *f, const struct snapshot *s);

#endif
