// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring. Blocks are forgotten one by one, so that a reader who is behind is cut off
 * only when what it has to read next is gone.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "history.h"

#define MAX_BEGINS 64 /* places where a reader can begin: one a minute, and one an attach */

struct history {
	size_t size;
	u64 start, end; /* places of the first block, and behind the last */
	struct begin {
		u64 at, mono_ns;
	} begins[MAX_BEGINS]; /* the oldest first */
	u32 nr_begins;
	u8 bytes[];
};

struct history *history_new(size_t bytes)
{
	struct history *h = mmap(NULL, sizeof(*h) + bytes, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (h == MAP_FAILED)
		return NULL;
	h->size = bytes;
	return h;
}

void history_free(struct history *h)
{
	if (h)
		munmap(h, sizeof(*h) + h->size);
}

void history_clear(struct history *h)
{
	h->start = h->end;
	h->nr_begins = 0;
}

static void drop_begin(struct history *h)
{
	h->nr_begins--;
	memmove(h->begins, h->begins + 1, h->nr_begins * sizeof(*h->begins));
}

/* The first begin goes, and all up to the next one. */
static void forget_first(struct history *h)
{
	drop_begin(h);
	h->start = h->nr_begins ? h->begins[0].at : h->end;
}

static void forget_block(struct history *h)
{
	enum block_type type;

	h->start += history_block(h, h->start, &type);
	if (h->nr_begins && h->begins[0].at < h->start)
		drop_begin(h);
}

int history_bytes(const struct history *h, u64 at, size_t n, struct iovec pieces[2])
{
	size_t from = at & (h->size - 1), first = h->size - from < n ? h->size - from : n;

	pieces[0] = (struct iovec){ (void *)(h->bytes + from), first };
	pieces[1] = (struct iovec){ (void *)h->bytes, n - first };
	return n > first ? 2 : 1;
}

int history_append(struct history *h, const u8 *data, size_t n, bool begins, u64 mono_ns)
{
	struct iovec pieces[2];

	if (n > h->size) {
		history_clear(h);
		return -EMSGSIZE;
	}
	while (h->end + n - h->start > h->size)
		forget_block(h);
	if (begins && h->nr_begins == MAX_BEGINS)
		forget_first(h);
	/* One is kept that is older, so that all of the time is there. */
	while (h->nr_begins > 1 && mono_ns - h->begins[1].mono_ns > HISTORY_NS)
		forget_first(h);
	if (begins)
		h->begins[h->nr_begins++] = (struct begin){ h->end, mono_ns };
	history_bytes(h, h->end, n, pieces);
	memcpy(pieces[0].iov_base, data, pieces[0].iov_len);
	memcpy(pieces[1].iov_base, data + pieces[0].iov_len, pieces[1].iov_len);
	h->end += n;
	return 0;
}

bool history_begins(const struct history *h)
{
	return h->nr_begins;
}

bool history_wants_begin(const struct history *h, u64 bytes)
{
	u64 since = h->nr_begins ? h->end - h->begins[h->nr_begins - 1].at : ~0ULL;

	return since > h->size / 4 && since / 4 > bytes;
}

u64 history_begin(const struct history *h, u64 since_ns)
{
	u64 at = h->nr_begins ? h->begins[0].at : h->end;

	for (u32 i = 0; i < h->nr_begins && h->begins[i].mono_ns <= since_ns; i++)
		at = h->begins[i].at;
	return at;
}

u64 history_end(const struct history *h)
{
	return h->end;
}

bool history_has(const struct history *h, u64 at)
{
	return at >= h->start && at <= h->end;
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
	u64 ns = h->nr_begins ? now_ns - h->begins[0].mono_ns : 0;

	return ns < HISTORY_NS ? ns : HISTORY_NS;
}

u64 history_size(const struct history *h)
{
	return h->end - h->start;
}
