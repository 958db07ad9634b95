/* SPDX-License-Identifier: GPL-2.0-only */
/* The sessions and calls that were there before us. */
#ifndef OPTEE_TOP_PAST_H
#define OPTEE_TOP_PAST_H

#include <stdbool.h>

struct probes;

/* Looks for them. False, with errno: nothing was looked for. */
bool past_find(struct probes *p);

#endif
