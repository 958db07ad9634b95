/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that have ended, one by one, out of the BPF programs' buffer. */
#ifndef OPTEE_TOP_CALLS_H
#define OPTEE_TOP_CALLS_H

#include "abi.h"

struct calls;

/* ring: the file descriptor of the buffer. NULL: it cannot be mapped (errno). */
struct calls *calls_new(int ring);
void calls_free(struct calls *c);

/*
 * Takes the next records out of the buffer and points records at them; they are
 * valid until the next call. Returns their number; 0: there are none now.
 */
u32 calls_next(struct calls *c, const struct call_record **records);

#endif
