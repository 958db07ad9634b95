/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CSV as RFC 4180 has it. An empty field is not known; a text that is known and empty
 * is "". A client chooses its name, and a spreadsheet takes a text with = + - or @ in
 * front for a formula: such a text gets a ' before it, and one with a ' in front
 * another, so that this can be undone.
 */
#ifndef OPTEE_TOP_CSV_H
#define OPTEE_TOP_CSV_H

#include "model/figures.h"
#include "render/line_buffer.h"

/* Each is a field. */
void csv_name(struct line_buffer *l, const char *name); /* our own word: as it is */
void csv_key(struct line_buffer *l, const char *name, enum field_unit unit);
void csv_unknown(struct line_buffer *l);
void csv_number(struct line_buffer *l, u64 n);
void csv_text(struct line_buffer *l, const char *text);
void csv_time(struct line_buffer *l, u64 real_ns);

/* The figures of a row; their names, for the head line. */
void csv_figures(struct line_buffer *l, struct figures f);
void csv_figures_head(struct line_buffer *l, struct figures f);

/* An array of texts is one of them with "; " between; of anything else the field is empty. */
void csv_json(struct line_buffer *l, const json_t *value);

/* The end of the line. */
void csv_end(struct line_buffer *l);

/* The fields of an event: the keys of its JSON, those of 'why' after them. */
void csv_event_head(struct line_buffer *l);
void csv_event(struct line_buffer *l, const json_t *event, const char *who);

#endif
