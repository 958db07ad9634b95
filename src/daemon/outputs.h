/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the daemon's snapshots go besides its clients: log files, metrics, the textfile. */
#ifndef OPTEE_TOP_OUTLETS_H
#define OPTEE_TOP_OUTLETS_H

#include "base/loop.h"
#include "daemon/daemon_parts.h"
#include "daemon/daemon_server.h"

struct outlets;

/* All that parts->options asks for. NULL: out of memory. */
struct outlets *outlets_new(struct loop *loop, const struct daemon_parts *parts,
			    const struct serve *serve);

/* host and s must stay valid until the next call of this. */
void outlets_take(struct outlets *out, const struct host *host, const struct snapshot *s);

/* Nothing has come; time has passed. */
void outlets_turn(struct outlets *out, u64 now);

/* Reads the option file again, and reopens the log files. */
void outlets_reopen(struct outlets *out);

/* With the last data written. */
void outlets_free(struct outlets *out);

#endif
