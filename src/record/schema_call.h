/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording has of a call that has ended; see schema.h. */
#ifndef OPTEE_TOP_SCHEMA_CALL_H
#define OPTEE_TOP_SCHEMA_CALL_H

#include "event.h"
#include "record/codec.h"

/* A call, as its difference from the one before, which is all 0 for a block's first. */
void put_call(struct codec *c, const struct call_record *call, const struct call_record *before);
void get_call(struct codec *c, struct call_record *call, const struct call_record *before);

#endif
