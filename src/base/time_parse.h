/* SPDX-License-Identifier: GPL-2.0-only */
/* Points in time as users write them. */
#ifndef OPTEE_TOP_TIME_PARSE_H
#define OPTEE_TOP_TIME_PARSE_H

#include <stdbool.h>
#include "types.h"

/* RFC 3339: 2026-01-02T03:04:05[.678]Z, or with +01:00. False: it is not. */
bool time_parse(const char *text, u64 *real_ns);

/* The same, or back from now: 90s, 15m, 2h, 3d. */
bool time_parse_since(const char *text, u64 now_ns, u64 *real_ns);

#endif
