/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One life of the daemon's worker: as long as the driver is there, or as long as it is
 * not. It attaches the probes, gives up all privileges, and serves.
 */
#ifndef OPTEE_TOP_WORKER_H
#define OPTEE_TOP_WORKER_H

#include "daemon/daemon_parts.h"

/* Returns its exit status. SIGTERM, SIGINT and SIGHUP have to be blocked. */
int worker_run(const struct daemon_parts *parts);

#endif
