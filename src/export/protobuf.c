// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire format: a key of field number and kind, then the value. Numbers have
 * seven bits a byte, the lowest first; texts and messages their length before them.
 */
#include <string.h>
#include "export/protobuf.h"

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2 };

#define VARINT_MAX 10 /* bytes of a u64 */

static void put(struct protobuf *p, const void *bytes, size_t len)
{
	if (p->full || p->size - p->len < len) {
		p->full = true;
		return;
	}
	if (len)
		memcpy(p->data + p->len, bytes, len);
	p->len += len;
}

static size_t varint(u8 to[VARINT_MAX], u64 value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		to[n++] = (u8)(value | 0x80);
	to[n++] = (u8)value;
	return n;
}

static void put_varint(struct protobuf *p, u64 value)
{
	u8 bytes[VARINT_MAX];

	put(p, bytes, varint(bytes, value));
}

static void put_key(struct protobuf *p, u32 field, enum wire wire)
{
	put_varint(p, (u64)field << 3 | wire);
}

void protobuf_number(struct protobuf *p, u32 field, u64 value)
{
	put_key(p, field, WIRE_VARINT);
	put_varint(p, value);
}

void protobuf_fixed64(struct protobuf *p, u32 field, u64 value)
{
	u8 bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (u8)(value >> 8 * i);
	put_key(p, field, WIRE_FIXED64);
	put(p, bytes, sizeof(bytes));
}

void protobuf_bytes(struct protobuf *p, u32 field, const void *bytes, size_t len)
{
	put_key(p, field, WIRE_LENGTH);
	put_varint(p, len);
	put(p, bytes, len);
}

void protobuf_text(struct protobuf *p, u32 field, const char *text)
{
	protobuf_bytes(p, field, text, strlen(text));
}

/* One byte is kept for the length: most messages need no more. */
size_t protobuf_begin(struct protobuf *p, u32 field)
{
	put_key(p, field, WIRE_LENGTH);
	put(p, "", 1);
	return p->len;
}

void protobuf_end(struct protobuf *p, size_t begun)
{
	u8 bytes[VARINT_MAX];
	size_t len, more;

	if (p->full)
		return;
	len = p->len - begun;
	more = varint(bytes, len) - 1;
	if (p->size - p->len < more) {
		p->full = true;
		return;
	}
	if (more)
		memmove(p->data + begun + more, p->data + begun, len);
	memcpy(p->data + begun - 1, bytes, more + 1);
	p->len += more;
}
