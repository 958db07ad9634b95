/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal, and pages of styled text laid out before they are drawn on it.
 * src/view/screen.c is the only file that knows curses; the views above it deal in
 * styles, keys and places.
 */
#ifndef OPTEE_TOP_SCREEN_H
#define OPTEE_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

enum style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_HEAD,      /* headings of a table */
	STYLE_HEAD_SORT, /* the one it is sorted by */
	STYLE_SELECTED,
	STYLE_NORMAL, /* a thread that works for a normal call */
	STYLE_SYSTEM, /* what is of the system class */
	STYLE_WAITING,
	STYLE_ALARM, /* what must not be */
	NR_STYLES
};

/* A key is a printable character or one of these. */
enum {
	K_NONE = 0,    /* the deadline came first */
	K_END = 0x100, /* a signal asks us to end, or the terminal is gone */
	K_RESIZE,      /* draw again */
	K_UP,
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_HOME,
	K_LAST,
	K_ENTER,
	K_ESCAPE,
	K_BACKSPACE,
	K_ERASE_LINE,
	K_F1,
	K_F6,
	K_OTHER,
};

struct screen;

/*
 * Takes the terminal of standard output over. NULL: it cannot be used, and the
 * reason was told. SIGINT, SIGTERM, SIGHUP and SIGQUIT become K_END.
 */
struct screen *screen_open(void);

/* Gives the terminal back as it was. */
void screen_close(struct screen *scr);

int screen_width(const struct screen *scr);
int screen_height(const struct screen *scr);

/* A frame: all is blank at its start and seen at its end. */
void screen_begin(struct screen *scr);
void screen_end(struct screen *scr);

/* What does not fit is cut off. */
void screen_put(struct screen *scr, int y, int x, enum style style, const char *text);

/* Shows the cursor there until the next frame begins. */
void screen_cursor(struct screen *scr, int y, int x);

u64 screen_now(void); /* CLOCK_MONOTONIC, ns */

/* The next key, or K_NONE at deadline. */
int screen_key(struct screen *scr, u64 deadline);

/* Does key move a position in a list of count rows, of which rows are seen? Then it has moved. */
bool key_moves(int key, int *at, int count, int rows);

/* Does key change a line of text that has room for len bytes? Then it has. */
bool key_edits(int key, char *text, size_t len);

/* Scrolls by as little as makes row at one of the seen rows that start with top. */
void scroll_to(int at, int *top, int count, int seen);

struct styled_run {
	int line, x;
	enum style style;
	size_t text; /* offset in page.text */
};

/* Lines of text of many styles. All zero is a page; page_free() ends it. */
struct page {
	int width;
	int line, x; /* where the next text goes */
	struct styled_run *runs;
	size_t nr_runs, max_runs;
	char *text;
	size_t len, max_len;
};

/* Begins an empty page. */
void page_start(struct page *p, int width);
void page_free(struct page *p);

/* Adds text at the current place; omits it if memory runs out. */
void page_put(struct page *p, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Adds text that belongs together: gap columns after what is there or, where
 * that is too narrow, on a new line that starts at indent.
 */
void page_flow(struct page *p, int indent, int gap, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Flows text word by word. */
void page_words(struct page *p, int indent, enum style style, const char *text);

void page_newline(struct page *p);

/* Ends a line that was begun; returns the number of lines. */
int page_end(struct page *p);

/* Draws at most rows lines, from line first on, at y. */
void page_draw(const struct page *p, struct screen *scr, int first, int y, int rows);

/* A frame with nothing but the page, from line first on, between title and hint. */
void page_show(struct page *p, struct screen *scr, const char *title, int *first, const char *hint);

#endif
