// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring. Blocks are forgotten one by one, so that a reader who is behind is cut off
 * only when what it has to read next is gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "daemon/history.h"

#define MAX_BEGINS 64 /* places where a reader can begin: one a minute, and one an attach */

/* Shared by the workers. The one before, which is not trusted, may have left anything here. */
struct ring {
	u64 start, end; /* places of the first block, and behind the last */
	struct begin {
		u64 at, mono_ns;
	} begins[MAX_BEGINS]; /* the oldest first */
	u32 nr_begins;
	u8 bytes[];
};

struct history {
	size_t size;
	struct ring *ring;
};

struct history *history_new(size_t bytes)
{
	struct history *h = malloc(sizeof(*h));

	if (!h)
		return NULL;
	h->size = bytes;
	h->ring = mmap(NULL, sizeof(*h->ring) + bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h->ring != MAP_FAILED)
		return h;
	free(h);
	return NULL;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	munmap(h->ring, sizeof(*h->ring) + h->size);
	free(h);
}

void history_clear(struct history *h)
{
	h->ring->start = h->ring->end;
	h->ring->nr_begins = 0;
}

/* It consists of complete blocks, and every place to begin is the start of one. */
static bool sound(const struct history *h)
{
	const struct ring *r = h->ring;
	u32 begins = 0;

	if (r->end - r->start > h->size || r->nr_begins > MAX_BEGINS)
		return false;
	for (u64 at = r->start; at != r->end;) {
		enum block_type type;
		size_t bytes = r->end - at < BLOCK_HEAD ? ~0UL : history_block(h, at, &type);

		if (bytes < BLOCK_HEAD || bytes > r->end - at)
			return false;
		begins += begins < r->nr_begins && r->begins[begins].at == at;
		at += bytes;
	}
	return begins == r->nr_begins;
}

void history_check(struct history *h)
{
	if (!sound(h))
		history_clear(h);
}

static void drop_begin(struct history *h)
{
	h->ring->nr_begins--;
	memmove(h->ring->begins, h->ring->begins + 1,
		h->ring->nr_begins * sizeof(*h->ring->begins));
}

/* The first begin goes, and all up to the next one. */
static void forget_first(struct history *h)
{
	drop_begin(h);
	h->ring->start = h->ring->nr_begins ? h->ring->begins[0].at : h->ring->end;
}

static void forget_block(struct history *h)
{
	enum block_type type;

	h->ring->start += history_block(h, h->ring->start, &type);
	if (h->ring->nr_begins && h->ring->begins[0].at < h->ring->start)
		drop_begin(h);
}

int history_bytes(const struct history *h, u64 at, size_t n, struct iovec pieces[2])
{
	size_t from = at & (h->size - 1), first = h->size - from < n ? h->size - from : n;

	pieces[0] = (struct iovec){ (void *)(h->ring->bytes + from), first };
	pieces[1] = (struct iovec){ (void *)h->ring->bytes, n - first };
	return n > first ? 2 : 1;
}

int history_append(struct history *h, const u8 *data, size_t n, bool begins, u64 mono_ns)
{
	struct iovec pieces[2];

	if (n > h->size) {
		history_clear(h);
		return -EMSGSIZE;
	}
	while (h->ring->end + n - h->ring->start > h->size)
		forget_block(h);
	if (begins && h->ring->nr_begins == MAX_BEGINS)
		forget_first(h);
	/* One is kept that is older, so that all of the time is there. */
	while (h->ring->nr_begins > 1 && mono_ns - h->ring->begins[1].mono_ns > HISTORY_NS)
		forget_first(h);
	if (begins)
		h->ring->begins[h->ring->nr_begins++] = (struct begin){ h->ring->end, mono_ns };
	history_bytes(h, h->ring->end, n, pieces);
	memcpy(pieces[0].iov_base, data, pieces[0].iov_len);
	memcpy(pieces[1].iov_base, data + pieces[0].iov_len, pieces[1].iov_len);
	h->ring->end += n;
	return 0;
}

bool history_begins(const struct history *h)
{
	return h->ring->nr_begins;
}

bool history_wants_begin(const struct history *h, u64 bytes)
{
	u64 since = h->ring->nr_begins ? h->ring->end - h->ring->begins[h->ring->nr_begins - 1].at :
					 ~0ULL;

	return since > h->size / 4 && since / 4 > bytes;
}

u64 history_begin(const struct history *h, u64 since_ns)
{
	u64 at = h->ring->nr_begins ? h->ring->begins[0].at : h->ring->end;

	for (u32 i = 0; i < h->ring->nr_begins && h->ring->begins[i].mono_ns <= since_ns; i++)
		at = h->ring->begins[i].at;
	return at;
}

u64 history_end(const struct history *h)
{
	return h->ring->end;
}

bool history_has(const struct history *h, u64 at)
{
	return at >= h->ring->start && at <= h->ring->end;
}

size_t history_block(const struct history *h, u64 at, enum block_type *type)
{
	u8 head[BLOCK_HEAD];
	struct iovec pieces[2];

	history_bytes(h, at, sizeof(head), pieces);
	memcpy(head, pieces[0].iov_base, pieces[0].iov_len);
	memcpy(head + pieces[0].iov_len, pieces[1].iov_base, pieces[1].iov_len);
	*type = head[4];
	return block_bytes(head);
}

u64 history_span(const struct history *h, u64 now_ns)
{
	u64 ns = h->ring->nr_begins ? now_ns - h->ring->begins[0].mono_ns : 0;

	return ns < HISTORY_NS ? ns : HISTORY_NS;
}

u64 history_size(const struct history *h)
{
	return h->ring->end - h->ring->start;
}
