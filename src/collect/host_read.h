/* SPDX-License-Identifier: GPL-2.0-only */
/* This machine, as a source tells of it. */
#ifndef OPTEE_TOP_HOST_READ_H
#define OPTEE_TOP_HOST_READ_H

#include "host.h"
#include "probe/attach.h"

/* The running kernel, with the probes that are attached to it. */
void host_read(struct host *h, const struct probes *probes, const struct attach_opts *opts);

/* Only what a line of JSON begins with. */
void host_read_boot_id(struct host *h);

#endif
