// SPDX-License-Identifier: GPL-2.0-only
/* A binary heap. */
#include <stdlib.h>
#include "export/call_order.h"
#include "model/call_fields.h"

bool call_order_init(struct call_order *o)
{
	*o = (struct call_order){ .heap = calloc(CALL_ORDER_WINDOW, sizeof(*o->heap)) };
	return o->heap;
}

void call_order_free(struct call_order *o)
{
	free(o->heap);
	*o = (struct call_order){};
}

static bool earlier(const struct call_record *a, const struct call_record *b)
{
	u64 a_end = call_end(a), b_end = call_end(b);

	return a_end != b_end ? a_end < b_end : a->start_ns < b->start_ns;
}

void call_order_put(struct call_order *o, const struct call_record *call)
{
	u32 at = o->count++;

	for (; at && earlier(call, &o->heap[(at - 1) / 2]); at = (at - 1) / 2)
		o->heap[at] = o->heap[(at - 1) / 2];
	o->heap[at] = *call;
}

bool call_order_take(struct call_order *o, struct call_record *call)
{
	const struct call_record *last;
	u32 at = 0, child;

	if (!o->count)
		return false;
	*call = o->heap[0];
	last = &o->heap[--o->count];
	for (; (child = 2 * at + 1) < o->count; at = child) {
		if (child + 1 < o->count && earlier(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!earlier(&o->heap[child], last))
			break;
		o->heap[at] = o->heap[child];
	}
	o->heap[at] = *last;
	return true;
}
