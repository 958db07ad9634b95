// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of sessions. Columns come from the field table and are as wide as
 * what was seen in them; what does not fit is left out at the right, where the
 * arrow keys reach it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/printable.h"
#include "options/filter.h"
#include "view/view_conditions.h"
#include "view/view_table.h"
#include "view/view_value.h"

#define NAME_MOST 36  /* the widest name of a TA: its UUID */
#define ROW_LEN   512 /* a line of the table, and more than all columns take */

struct column {
	const struct session_field *field;
	int natural, width;
};

static bool row_shown(const struct table *t, const struct opts *o, const struct snapshot *s,
		      const struct snap_session *row)
{
	bool idle = !row->in_flight && !row->sums_iv.calls;

	return !(t->hide_closed && !row->open) && !(t->hide_idle && idle) &&
	       filter_shows(o, s, row);
}

void table_arrange(struct table *t, const struct opts *o, const struct snapshot *s)
{
	u32 *rows = realloc(t->rows, (s->nr_sessions + 1) * sizeof(*rows));

	t->nr_rows = 0;
	if (!rows)
		return;
	t->rows = rows;
	sessions_order(s, o->sort, o->reverse, rows);
	for (u32 i = 0; i < s->nr_sessions; i++) {
		const struct snap_session *row = &s->sessions[rows[i]];

		if (!row_shown(t, o, s, row))
			continue;
		if (t->follow && row->slot == t->slot && row->serial == t->serial)
			t->at = t->nr_rows;
		rows[t->nr_rows++] = rows[i];
	}
	if (t->at >= t->nr_rows)
		t->at = t->nr_rows ? t->nr_rows - 1 : 0;
}

const struct snap_session *table_selected(const struct table *t, const struct snapshot *s)
{
	return t->nr_rows ? &s->sessions[t->rows[t->at]] : NULL;
}

void table_move(struct table *t, const struct snapshot *s, int key)
{
	const struct snap_session *row;

	key_moves(key, &t->at, t->nr_rows, t->seen);
	row = table_selected(t, s);
	t->follow = row && t->at; /* the first place stays the first place */
	t->slot = row ? row->slot : 0;
	t->serial = row ? row->serial : 0;
}

/* The names of TA and client take what room there is. */
static bool elastic(const struct session_field *f)
{
	return f->unit == UNIT_TEXT && f->width > 10;
}

/* Columns are as wide as what was seen in them, so that many fit on a narrow terminal. */
static void table_measure(struct table *t, const struct snapshot *s)
{
	char text[80];

	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];
		int most = f->unit != UNIT_TEXT ? (int)sizeof(text) :
			   elastic(f)           ? NAME_MOST :
						  f->width;

		if (!session_field_shown(f, s))
			continue;
		if (!t->widths[i])
			t->widths[i] = (int)strlen(f->head);
		for (int n = t->top; n < t->nr_rows && n < t->top + t->seen; n++) {
			int len = printable_width(
				view_value(f, s, &s->sessions[t->rows[n]], text, sizeof(text)));

			if (len > t->widths[i])
				t->widths[i] = len < most ? len : most;
		}
	}
}

/* Fills columns (room for all fields), each with a blank before it; returns their number. */
static int table_columns(struct table *t, const struct snapshot *s, struct column *columns,
			 int width)
{
	int n = 0, skip = t->skip;
	size_t names = 0;

	for (size_t i = 0; i < nr_session_fields; i++)
		if (session_fields[i].head && elastic(&session_fields[i]))
			names = i;
	t->more = false;
	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];
		int least = elastic(f) ? f->width * 3 / 5 : t->widths[i];

		if (!session_field_shown(f, s) || (i > names && skip-- > 0))
			continue;
		if (least > t->widths[i])
			least = t->widths[i];
		t->more = least + 1 > width;
		if (t->more)
			break;
		width -= least + 1;
		columns[n++] = (struct column){ f, t->widths[i], least };
	}
	for (bool gave = true; gave;) {
		gave = false;
		for (int i = 0; i < n && width > 0; i++)
			if (columns[i].width < columns[i].natural) {
				columns[i].width++;
				width--;
				gave = true;
			}
	}
	return n;
}

/* A blank and the text; returns where the next cell begins. */
static size_t put_cell(char line[ROW_LEN], size_t at, const struct column *c, const char *text)
{
	size_t room = ROW_LEN - at;
	char cell[80];
	int len;

	if (c->field->unit != UNIT_TEXT)
		len = snprintf(line + at, room, " %*s", c->width, text);
	else if (printable_width(text) > c->width)
		len = snprintf(line + at, room, " %s+",
			       printable_fit(cell, sizeof(cell), text, c->width - 1));
	else
		len = snprintf(line + at, room, " %s",
			       printable_fit(cell, sizeof(cell), text, c->width));
	return (size_t)len < room ? at + (size_t)len : ROW_LEN - 1;
}

static bool waits(const struct snapshot *s, u32 session)
{
	for (u32 i = 0; i < s->nr_calls; i++)
		if (s->calls[i].queued && s->calls[i].session == (int)session)
			return true;
	return false;
}

static void table_draw_row(const struct table *t, struct screen *scr, int y,
			   const struct snapshot *s, const struct episode_log *l, int n,
			   const struct column *columns, int nr_columns)
{
	const struct snap_session *row = &s->sessions[t->rows[n]];
	bool waiting = waits(s, t->rows[n]);
	enum mark mark = episode_log_session(l, s, t->rows[n]);
	enum style style = n == t->at                  ? STYLE_SELECTED :
			   mark == MARK_ALARM          ? STYLE_ALARM :
			   waiting                     ? STYLE_WAITING :
			   !row->open                  ? STYLE_DIM :
			   row->flags & SESSION_SYSTEM ? STYLE_SYSTEM :
							 STYLE_PLAIN;
	char line[ROW_LEN], text[80];
	size_t at = 0;

	for (int i = 0; i < nr_columns; i++) {
		view_value(columns[i].field, s, row, text, sizeof(text));
		at = put_cell(line, at, &columns[i], text);
	}
	snprintf(line + at, sizeof(line) - at, "%*s", n == t->at ? screen_width(scr) : 0, "");
	line[0] = mark == MARK_ALARM ? MARK_SIGNS[mark] :
		  waiting            ? '*' :
		  mark               ? MARK_SIGNS[mark] :
		  !row->open         ? 'x' :
				       ' ';
	screen_put(scr, y, 0, style, line);
}

static void table_draw_head(const struct table *t, struct screen *scr, int y, const struct opts *o,
			    const struct column *columns, int nr_columns)
{
	char line[ROW_LEN];
	int x = 0, last = screen_width(scr) - 1;

	snprintf(line, sizeof(line), "%*s", last + 1, "");
	screen_put(scr, y, 0, STYLE_HEAD, line);
	for (int i = 0; i < nr_columns; i++) {
		const struct session_field *f = columns[i].field;

		put_cell(line, 0, &columns[i], f->head);
		screen_put(scr, y, x, STYLE_HEAD, " ");
		screen_put(scr, y, x + 1, f == o->sort ? STYLE_HEAD_SORT : STYLE_HEAD, line + 1);
		x += columns[i].width + 1;
	}
	if (t->skip)
		screen_put(scr, y, 0, STYLE_HEAD, "<");
	if (t->more)
		screen_put(scr, y, last, STYLE_HEAD, ">");
}

void table_draw(struct table *t, struct screen *scr, int y, int seen, const struct opts *o,
		const struct snapshot *s, const struct episode_log *l)
{
	struct column *columns = calloc(nr_session_fields, sizeof(*columns));
	int n, width = screen_width(scr);

	if (!columns)
		return;
	t->seen = seen;
	scroll_to(t->at, &t->top, t->nr_rows, t->seen);
	table_measure(t, s);
	n = table_columns(t, s, columns, width);
	if (t->more)
		n = table_columns(t, s, columns, width - 1);
	table_draw_head(t, scr, y, o, columns, n);
	for (int i = 0; i < t->seen && t->top + i < t->nr_rows; i++)
		table_draw_row(t, scr, y + 1 + i, s, l, t->top + i, columns, n);
	free(columns);
}
