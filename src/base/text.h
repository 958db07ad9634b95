/* SPDX-License-Identifier: GPL-2.0-only */
/* Text made safe and readable, once, where it enters or leaves. */
#ifndef OPTEE_TOP_TEXT_H
#define OPTEE_TOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "types.h"

#define UUID_LEN 37

/*
 * Copies at most n bytes of src, up to its NUL, to dst as printable UTF-8: every byte that
 * is no part of a printable character, and the backslash, becomes \xNN. dst has room for
 * 4 * n + 1 bytes. Returns dst.
 */
const char *text_sanitise(char *dst, const char *src, size_t n);

/* The bytes that text_sanitise() was given; what does not fit is left out. Returns dst. */
char *text_raw(char *dst, size_t len, const char *shown);

/* Is part in a sanitised text, as it is shown or as it was? */
bool text_has(const char *shown, const char *part);

/* 16 bytes in network order as 8-4-4-4-12 digits; returns buf. */
const char *uuid_format(const u8 uuid[16], char buf[UUID_LEN]);

/* 950ns, 1.2us, 34ms, 5.6s, 210s: six characters at most. Returns buf. */
const char *format_ns(u64 ns, char *buf, size_t len);

#define TIMESTAMP_LEN 64

/* CLOCK_REALTIME as RFC 3339 has it, UTC, to the microsecond. Returns buf. */
const char *format_timestamp(u64 real_ns, char buf[TIMESTAMP_LEN]);

/* The name of a task as it is now, sanitised; "" when there is no such task. */
void task_comm(u32 tid, char to[COMM_LEN * 4 + 1]);

#endif
