/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls in the order of their ends. They come nearly so, but from several CPUs:
 * a window of them is held back and the earliest given out first.
 */
#ifndef OPTEE_TOP_CALL_ORDER_H
#define OPTEE_TOP_CALL_ORDER_H

#include <stdbool.h>
#include "abi.h"

#define CALL_ORDER_WINDOW 16384

struct call_order {
	struct call_record *heap; /* the earliest end first */
	u32 count;
};

/* False: out of memory. */
bool call_order_init(struct call_order *o);
void call_order_free(struct call_order *o);

static inline bool call_order_full(const struct call_order *o)
{
	return o->count == CALL_ORDER_WINDOW;
}

/* There must be room. */
void call_order_put(struct call_order *o, const struct call_record *call);

/* Takes the earliest out; false: there is none. */
bool call_order_take(struct call_order *o, struct call_record *call);

#endif
