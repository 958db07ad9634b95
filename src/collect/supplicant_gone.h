/* SPDX-License-Identifier: GPL-2.0-only */
/* Supplicant gone: requests wait for a tee-supplicant that has closed its file. */
#ifndef OPTEE_TOP_SUPPLICANT_GONE_H
#define OPTEE_TOP_SUPPLICANT_GONE_H

#include "abi.h"

struct watch;

void watch_supplicant_gone_look(struct watch *w, u32 pool, u64 now);

#endif
