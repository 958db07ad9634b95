/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plain values to bytes and back. One function for both ways: it reads or writes
 * what it is pointed at, as the codec says, so that what writes a structure is
 * what reads it. Numbers take as many bytes as they need, seven bits in each, the
 * lowest first; signed ones have their sign in the lowest bit. So byte order and
 * word size of a machine do not matter.
 *
 * A reader trusts nothing: what does not fit sets failed, and from then on all
 * that is read is 0.
 */
#ifndef OPTEE_TOP_CODEC_H
#define OPTEE_TOP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

#define VARINT_MAX  10           /* bytes of the largest number */
#define FIGURE_MAX  (1ULL << 62) /* no count and no time in ns is larger: 146 years */

#define INTEGER_MAX (1 << 24) /* no signed figure, a number of calls or threads, is larger */

struct codec {
	u8 *buf;
	size_t at;   /* bytes written, or read */
	size_t size; /* of buf when it is written, of what is in it when it is read */
	u16 schema;  /* of what is read or written; 0: of no schema */
	u32 nr_sums; /* that it has of a struct class_sums */
	bool writes;
	bool failed; /* no room, out of memory, or not what was expected */
};

/* A writer; it makes room as it needs it. free(c->buf) when done. */
static inline struct codec codec_writer(void)
{
	return (struct codec){ .writes = true };
}

/* Reads only; buf stays the caller's. */
static inline struct codec codec_reader(const void *buf, size_t size)
{
	return (struct codec){ .buf = (u8 *)buf, .size = size };
}

/* Makes room for n bytes more; false: out of memory. */
bool codec_room(struct codec *c, size_t n);

u64 codec_get(struct codec *c);

static inline void codec_put(struct codec *c, u64 v)
{
	if (c->size - c->at < VARINT_MAX && !codec_room(c, VARINT_MAX))
		return;
	for (; v >= 0x80; v >>= 7)
		c->buf[c->at++] = (u8)(v | 0x80);
	c->buf[c->at++] = (u8)v;
}

/* A small change, up or down, is a small number. */
static inline u64 zigzag(s64 v)
{
	return (u64)v << 1 ^ (v < 0 ? ~0ULL : 0);
}

static inline s64 unzigzag(u64 v)
{
	return (s64)(v >> 1 ^ -(v & 1));
}

/* At most FIGURE_MAX, so that nobody who reckons with it runs over. */
void code_u64(struct codec *c, u64 *v);
void code_u32(struct codec *c, u32 *v);
void code_u8(struct codec *c, u8 *v);
/* At most INTEGER_MAX, or its negative. */
void code_int(struct codec *c, int *v);
void code_bool(struct codec *c, bool *v);

/* At most max: what is more is written as max, and not read. */
void code_upto(struct codec *c, u32 *v, u32 max);

/* An index into a table of n entries; where n is 0 every index is out of range. */
void code_index(struct codec *c, u32 *v, u32 n);

/* The same, or -1 for no entry. */
void code_index_or_none(struct codec *c, int *v, u32 n);

/* Printable UTF-8, NUL-terminated in size bytes. */
void code_text(struct codec *c, char *text, size_t size);

void code_bytes(struct codec *c, u8 *bytes, size_t n);

#endif
