/* SPDX-License-Identifier: GPL-2.0-only */
/* What the daemon sees, into its history: as a recording, but with snapshots as changes. */
#ifndef OPTEE_TOP_HISTORY_WRITER_H
#define OPTEE_TOP_HISTORY_WRITER_H

#include "daemon/history.h"
#include "record/encoder.h"

struct history_writer {
	struct encoder encoder;
	struct history *history;
	const struct host *host;
	u64 whole_ns; /* when the last whole snapshot was given; 0: none was */
	u64 whole_bytes;
};

/* host: of the source that is fed from now on. 0 or -ENOMEM. */
int history_writer_init(struct history_writer *f, struct history *history, const struct host *host);
void history_writer_release(struct history_writer *f);

void history_writer_look(struct history_writer *f, const struct event *events, u32 n);
void history_writer_calls(struct history_writer *f, const struct call_record *calls, u32 n);
void history_writer_snapshot(struct history_writer *f, const struct snapshot *s);

#endif
