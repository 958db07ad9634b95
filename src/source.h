/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the views get their snapshots from: the running kernel, or a recording. */
#ifndef OPTEE_TOP_SOURCE_H
#define OPTEE_TOP_SOURCE_H

#include "snapshot.h"

/*
 * Takes the next snapshot; it is valid until the next call. NULL: there is none,
 * and errno says why: ENODEV the driver was unloaded, 0 the recording is over.
 */
typedef const struct snapshot *(*snapshot_fn)(void *source);

#endif
