/* SPDX-License-Identifier: GPL-2.0-only */
/* The admission policies of a pool: the one that its driver has, then the shadows. */
#ifndef OPTEE_TOP_COLLECT_POLICIES_H
#define OPTEE_TOP_COLLECT_POLICIES_H

#include "probe/attach.h"
#include "snapshot.h"

/* index: of the pool in struct shared. */
void collect_policies(const struct probes *probes, u32 index, struct snap_pool *to);

#endif
