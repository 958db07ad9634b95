/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line of text that is put together in memory and goes out whole: what the log
 * files and the exports are made of. Numbers are written without printf(): there are
 * thousands in a turn.
 */
#ifndef OPTEE_TOP_LINE_BUFFER_H
#define OPTEE_TOP_LINE_BUFFER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include "model/figures.h"

#define LINE_ROOM 65536

struct line_buffer {
	size_t len;
	bool full;  /* something found no room: the line is of no use */
	bool begun; /* of CSV: it has a field; of JSON: the object that is open has a member */
	char text[LINE_ROOM];
};

void line_clear(struct line_buffer *l);
void line_char(struct line_buffer *l, char c);
void line_put(struct line_buffer *l, const char *text);
void line_bytes(struct line_buffer *l, const char *bytes, size_t len);
void line_number(struct line_buffer *l, s64 n);
void line_unsigned(struct line_buffer *l, u64 n);
void line_format(struct line_buffer *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sends it to out and clears it; what found no room is not sent. */
void line_send(struct line_buffer *l, FILE *out);

/* JSON. A member is its key, and then one of the others. */
void line_open(struct line_buffer *l);  /* { */
void line_close(struct line_buffer *l); /* } */
void line_key(struct line_buffer *l, const char *key);
void line_field(struct line_buffer *l, const char *name, enum field_unit unit); /* its key */
void line_quote(struct line_buffer *l, const char *text);         /* printable UTF-8 */
void line_quote_or_null(struct line_buffer *l, const char *text); /* null: empty */
void line_count(struct line_buffer *l, const char *key, u64 n);   /* a member */
void line_figures(struct line_buffer *l, struct figures f);       /* a member each */

#endif
