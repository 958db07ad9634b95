// SPDX-License-Identifier: GPL-2.0-only
/* Blocks: made, found, and checked. zlib has the compression and the CRC. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "record/block.h"

/* Little memory and few instructions: what is recorded is small and the device may be, too. */
#define LEVEL       1
#define WINDOW_BITS 12
#define MEM_LEVEL   5

const u8 block_sync[4] = { 0x89, 'O', 'T', 'R' };

struct packer {
	z_stream z;
	u8 *buf;
	size_t room;
};

struct packer *packer_new(void)
{
	struct packer *p = calloc(1, sizeof(*p));

	if (p && deflateInit2(&p->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL,
			      Z_DEFAULT_STRATEGY) == Z_OK)
		return p;
	free(p);
	return NULL;
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	deflateEnd(&p->z);
	free(p->buf);
	free(p);
}

static void put_number(u8 *to, u32 v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (u8)(v >> (8 * i));
}

static u32 get_number(const u8 *from, int bytes)
{
	u32 v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (u32)from[i] << (8 * i);
	return v;
}

static u32 checksum(const u8 *head, const u8 *data, size_t n)
{
	return (u32)crc32(crc32(0, head + 4, 12), data, (uInt)n);
}

/* Bytes that came of n; 0: it would not become less. */
static size_t deflate_into(struct packer *p, const void *data, size_t n)
{
	if (deflateReset(&p->z) != Z_OK)
		return 0;
	p->z.next_in = (Bytef *)data;
	p->z.avail_in = (uInt)n;
	p->z.next_out = p->buf + BLOCK_HEAD;
	p->z.avail_out = (uInt)n;
	return deflate(&p->z, Z_FINISH) == Z_STREAM_END ? p->z.total_out : 0;
}

/* The longest content of a block with so many bytes behind its head. */
static size_t content_max(enum block_type type, size_t stored)
{
	return (type == BLOCK_CALLS ? CALLS_INFLATE : BLOCK_INFLATES) * (BLOCK_HEAD + stored);
}

const u8 *packer_pack(struct packer *p, u16 schema, enum block_type type, const void *data,
		      size_t n, bool deflate, size_t *bytes)
{
	size_t stored = 0;

	if (n > BLOCK_MAX)
		return NULL;
	if (p->room < BLOCK_HEAD + n) {
		u8 *buf = realloc(p->buf, BLOCK_HEAD + n);

		if (!buf)
			return NULL;
		p->buf = buf;
		p->room = BLOCK_HEAD + n;
	}
	if (deflate)
		stored = deflate_into(p, data, n);
	if (n > content_max(type, stored))
		stored = 0; /* a reader would refuse it */
	memcpy(p->buf, block_sync, sizeof(block_sync));
	p->buf[4] = (u8)type;
	p->buf[5] = stored ? BLOCK_DEFLATED : 0;
	put_number(p->buf + 6, schema, 2);
	if (!stored) {
		stored = n;
		if (n)
			memcpy(p->buf + BLOCK_HEAD, data, n);
	}
	put_number(p->buf + 8, (u32)stored, 4);
	put_number(p->buf + 12, (u32)n, 4);
	put_number(p->buf + 16, checksum(p->buf, p->buf + BLOCK_HEAD, stored), 4);
	*bytes = BLOCK_HEAD + stored;
	return p->buf;
}

bool block_head(const u8 head[BLOCK_HEAD], struct block *b)
{
	if (memcmp(head, block_sync, sizeof(block_sync)) != 0)
		return false;
	*b = (struct block){
		.type = head[4],
		.deflated = head[5] & BLOCK_DEFLATED,
		.schema = (u16)get_number(head + 6, 2),
		.data = head + BLOCK_HEAD,
		.stored = get_number(head + 8, 4),
		.size = get_number(head + 12, 4),
		.crc = get_number(head + 16, 4),
	};
	b->end = BLOCK_HEAD + (size_t)b->stored;
	return b->stored <= BLOCK_MAX && b->size <= BLOCK_MAX;
}

size_t block_bytes(const u8 head[BLOCK_HEAD])
{
	return BLOCK_HEAD + get_number(head + 8, 4);
}

int block_parse(const u8 *data, size_t size, struct block *b)
{
	if (memcmp(data, block_sync, size < sizeof(block_sync) ? size : sizeof(block_sync)) != 0)
		return -1;
	if (size < BLOCK_HEAD)
		return 0;
	if (!block_head(data, b))
		return -1;
	if (size < b->end)
		return 0;
	return b->crc == checksum(data, b->data, b->stored) ? 1 : -1;
}

u8 *block_content(const struct block *b)
{
	uLongf size = b->size;
	u8 *content;

	if (b->deflated && size > content_max(b->type, b->stored))
		return NULL;
	content = malloc(size + 1);
	if (!content)
		return NULL;
	if (!b->deflated && b->stored == b->size) {
		memcpy(content, b->data, size);
		return content;
	}
	if (b->deflated && uncompress(content, &size, b->data, b->stored) == Z_OK &&
	    size == b->size)
		return content;
	free(content);
	return NULL;
}
