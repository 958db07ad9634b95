/* SPDX-License-Identifier: GPL-2.0-only */
/* Drift, which only the looks find. */
#ifndef OPTEE_TOP_DRIFT_H
#define OPTEE_TOP_DRIFT_H

#include "collect/watch_state.h"

/* Do the driver and we count the same? A difference that lasts is a drift. */
void watch_drift_look(struct watch *w, u32 pool, u64 now);

#endif
