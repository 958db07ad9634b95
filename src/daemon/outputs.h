/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the daemon's snapshots go besides its clients: log files, metrics, the textfile. */
#ifndef OPTEE_TOP_OUTPUTS_H
#define OPTEE_TOP_OUTPUTS_H

#include "base/loop.h"
#include "daemon/daemon_parts.h"
#include "daemon/daemon_server.h"

struct outputs;

/* All that parts->options asks for. NULL: out of memory. */
struct outputs *outputs_new(struct loop *loop, const struct daemon_parts *parts,
			    const struct daemon_server *server);

/* Serves metrics at another listening descriptor, which stays the caller's. 0 or -errno. */
int outputs_listen(struct outputs *out, int fd);

/* host and s must stay valid until the next call of this. */
void outputs_take(struct outputs *out, const struct host *host, const struct snapshot *s);

/* Nothing has come; time has passed. */
void outputs_turn(struct outputs *out, u64 now);

/* Reads the option file again, and reopens the log files. */
void outputs_reopen(struct outputs *out);

/* With the last data written. */
void outputs_free(struct outputs *out);

#endif
