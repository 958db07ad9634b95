/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that have ended, one by one, out of the BPF programs' buffer. */
#ifndef OPTEE_TOP_CALL_RECORDS_H
#define OPTEE_TOP_CALL_RECORDS_H

#include "abi.h"

struct call_records;

/* ring: the file descriptor of the buffer. NULL: it cannot be mapped (errno). */
struct call_records *call_records_new(int ring);
void call_records_free(struct call_records *c);

/*
 * Takes the next records out of the buffer and points records at them; they are
 * valid until the next call. Returns their number; 0: there are none now.
 */
u32 call_records_next(struct call_records *c, const struct call_record **records);

#endif
