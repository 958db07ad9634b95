/* SPDX-License-Identifier: GPL-2.0-only */
/* A copy of a call that the hooks may be writing to. */
#ifndef OPTEE_TOP_CALL_COPY_H
#define OPTEE_TOP_CALL_COPY_H

#include <stdbool.h>
#include "abi.h"

/* False: there is no call, or it changes all the time. */
bool call_copy(struct call *to, const struct call *from);

#endif
