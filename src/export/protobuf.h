/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes protocol buffers: fields of numbers, texts and messages in a buffer of a
 * fixed size. What does not fit is dropped and remembered in full.
 */
#ifndef OPTEE_TOP_PROTOBUF_H
#define OPTEE_TOP_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

struct protobuf {
	u8 *data;
	size_t len, size;
	bool full;
};

void protobuf_number(struct protobuf *p, u32 field, u64 value);
void protobuf_fixed64(struct protobuf *p, u32 field, u64 value);
void protobuf_text(struct protobuf *p, u32 field, const char *text);
void protobuf_bytes(struct protobuf *p, u32 field, const void *bytes, size_t len);

/* What is written between the two is a message in that field; begin's result is for end. */
size_t protobuf_begin(struct protobuf *p, u32 field);
void protobuf_end(struct protobuf *p, size_t begun);

#endif
