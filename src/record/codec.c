// SPDX-License-Identifier: GPL-2.0-only
/* The codec's two directions, value by value. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/printable.h"
#include "record/codec.h"

bool codec_room(struct codec *c, size_t n)
{
	size_t size = c->size ? c->size : 1024;
	u8 *buf;

	if (c->failed)
		return false;
	while (size - c->at < n)
		size *= 2;
	buf = realloc(c->buf, size);
	if (!buf) {
		c->failed = true;
		return false;
	}
	c->buf = buf;
	c->size = size;
	return true;
}

u64 codec_get(struct codec *c)
{
	u64 v = 0;

	for (int shift = 0; shift < 64 && c->at < c->size && !c->failed; shift += 7) {
		u8 byte = c->buf[c->at++];

		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		v |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	c->failed = true;
	return 0;
}

static u64 get_upto(struct codec *c, u64 max)
{
	u64 v = codec_get(c);

	if (v <= max)
		return v;
	c->failed = true;
	return 0;
}

void code_u64(struct codec *c, u64 *v)
{
	if (c->writes)
		codec_put(c, *v < FIGURE_MAX ? *v : FIGURE_MAX);
	else
		*v = get_upto(c, FIGURE_MAX);
}

void code_u32(struct codec *c, u32 *v)
{
	code_upto(c, v, UINT_MAX);
}

void code_u8(struct codec *c, u8 *v)
{
	if (c->writes)
		codec_put(c, *v);
	else
		*v = (u8)get_upto(c, UCHAR_MAX);
}

void code_int(struct codec *c, int *v)
{
	s64 read;

	if (c->writes) {
		codec_put(c, zigzag(*v));
		return;
	}
	read = unzigzag(codec_get(c));
	if (read < -INTEGER_MAX || read > INTEGER_MAX)
		c->failed = true;
	*v = c->failed ? 0 : (int)read;
}

void code_bool(struct codec *c, bool *v)
{
	if (c->writes)
		codec_put(c, *v);
	else
		*v = get_upto(c, 1) != 0;
}

void code_upto(struct codec *c, u32 *v, u32 max)
{
	if (c->writes)
		codec_put(c, *v < max ? *v : max);
	else
		*v = (u32)get_upto(c, max);
}

void code_index(struct codec *c, u32 *v, u32 n)
{
	code_u32(c, v);
	if (*v < n)
		return;
	c->failed = true;
	if (!c->writes)
		*v = 0;
}

void code_index_or_none(struct codec *c, int *v, u32 n)
{
	code_int(c, v);
	if (*v >= -1 && (*v < 0 || (u32)*v < n))
		return;
	c->failed = true;
	if (!c->writes)
		*v = -1;
}

void code_bytes(struct codec *c, u8 *bytes, size_t n)
{
	if (!c->writes && c->size - c->at < n)
		c->failed = true;
	else if (c->writes && c->size - c->at < n)
		codec_room(c, n);
	if (c->failed) {
		if (!c->writes)
			memset(bytes, 0, n);
		return;
	}
	if (c->writes)
		memcpy(c->buf + c->at, bytes, n);
	else
		memcpy(bytes, c->buf + c->at, n);
	c->at += n;
}

void code_text(struct codec *c, char *text, size_t size)
{
	u32 len = c->writes ? (u32)strnlen(text, size - 1) : 0;

	code_upto(c, &len, (u32)size - 1);
	code_bytes(c, (u8 *)text, len);
	if (c->writes)
		return;
	memset(text + len, 0, size - len);
	if (!printable(text, len))
		c->failed = true; /* all text was made printable before it was written */
	if (c->failed)
		text[0] = '\0';
}
