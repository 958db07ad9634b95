// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records are copied out in batches, so that their room is free again before
 * anybody works on them.
 */
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "collect/call_records.h"

#define BATCH 64

struct call_records {
	struct ring_buffer *ring;
	u32 nr;
	struct call_record batch[BATCH];
};

static int take(void *arg, void *data, size_t len)
{
	struct call_records *c = arg;

	if (len == sizeof(*c->batch))
		memcpy(&c->batch[c->nr++], data, sizeof(*c->batch));
	return c->nr < BATCH ? 0 : -1; /* this one is taken, and it is enough */
}

struct call_records *call_records_new(int ring)
{
	struct call_records *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->ring = ring_buffer__new(ring, take, c, NULL);
	if (c->ring)
		return c;
	free(c);
	return NULL;
}

void call_records_free(struct call_records *c)
{
	if (!c)
		return;
	ring_buffer__free(c->ring);
	free(c);
}

u32 call_records_next(struct call_records *c, const struct call_record **records)
{
	c->nr = 0;
	ring_buffer__consume(c->ring);
	*records = c->batch;
	return c->nr;
}
