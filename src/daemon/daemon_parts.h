/* SPDX-License-Identifier: GPL-2.0-only */
/* What the supervisor, its workers and their outputs share. */
#ifndef OPTEE_TOP_DAEMON_PARTS_H
#define OPTEE_TOP_DAEMON_PARTS_H

#include <sys/types.h>
#include "base/listener.h"
#include "daemon/history.h"
#include "options/opts.h"

/* How far a worker has come. */
enum serving { SERVING_NOT, SERVING_WITHOUT_DRIVER, SERVING };

/* Where others come, and from renewed[1] a worker gets listener.fd anew when it was made again. */
struct daemon_socket {
	struct listener listener; /* fd -1: none */
	int renewed[2];
};

/* What the supervisor has made for all its workers. */
struct daemon_parts {
	pid_t supervisor;
	const struct opts *o;       /* the command line, and */
	const struct opts *options; /* the same with those of the file */
	struct identity identity;
	struct daemon_socket clients, metrics;
	struct history *history;
	volatile enum serving *serves; /* shared with the worker, who sets it */
};

/* Exit status of a worker that found that the driver has come, or has left; else enum status. */
#define WORKER_AGAIN 64

#endif
