// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal, by way of curses, and pages of text for it.
 *
 * Signals are blocked but for the time in ppoll(), so none can slip in between
 * the look at the flag and the sleep; curses' own handlers for a resize and for
 * Ctrl-Z run there too.
 */
#include <curses.h>
#include <locale.h>
#include <term.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/fail.h"
#include "base/printable.h"
#include "view/screen.h"
#include "view/terminal.h"

#define ESCAPE_MS 50 /* an Esc that nothing follows for so long is the key */

static volatile sig_atomic_t stop;

/* Whoever sends one of these ends the view: the terminal is given back whichever it is. */
static const int stop_signals[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
				    SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2 };

#define NR_STOP_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

struct screen {
	SCREEN *terminal;
	bool colours;
	bool has_keys; /* standard input is a terminal */
	bool cursor;
	bool utf8;
	sigset_t waiting; /* the signal mask while waiting: the one we came with */
	struct sigaction before[NR_STOP_SIGNALS];
};

/* Bold and reverse tell apart what needs it where there are no colours. */
static const struct look {
	short colour;         /* -1: the terminal's own */
	attr_t with, without; /* attributes with colours, and without */
} looks[NR_STYLES] = {
	[STYLE_PLAIN] = { -1, A_NORMAL, A_NORMAL },
	[STYLE_BOLD] = { -1, A_BOLD, A_BOLD },
	[STYLE_DIM] = { -1, A_DIM, A_DIM },
	[STYLE_HEAD] = { -1, A_REVERSE, A_REVERSE },
	[STYLE_HEAD_SORT] = { -1, A_BOLD, A_BOLD },
	[STYLE_SELECTED] = { -1, A_REVERSE, A_REVERSE },
	[STYLE_NORMAL] = { COLOR_GREEN, A_NORMAL, A_NORMAL },
	[STYLE_SYSTEM] = { COLOR_CYAN, A_NORMAL, A_NORMAL },
	[STYLE_WAITING] = { COLOR_YELLOW, A_NORMAL, A_BOLD },
	[STYLE_ALARM] = { COLOR_RED, A_BOLD, A_REVERSE },
};

static const struct {
	int curses, ours;
} keys[] = {
	{ KEY_RESIZE, K_RESIZE },    { KEY_UP, K_UP },
	{ KEY_DOWN, K_DOWN },        { KEY_LEFT, K_LEFT },
	{ KEY_RIGHT, K_RIGHT },      { KEY_PPAGE, K_PAGE_UP },
	{ KEY_NPAGE, K_PAGE_DOWN },  { KEY_HOME, K_HOME },
	{ KEY_END, K_LAST },         { KEY_ENTER, K_ENTER },
	{ '\r', K_ENTER },           { '\n', K_ENTER },
	{ '\033', K_ESCAPE },        { KEY_BACKSPACE, K_BACKSPACE },
	{ '\b', K_BACKSPACE },       { 0x7f, K_BACKSPACE },
	{ 'U' - '@', K_ERASE_LINE }, { KEY_F(1), K_F1 },
	{ KEY_F(6), K_F6 },
};

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void catch_signals(struct screen *scr)
{
	const struct sigaction act = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	for (size_t i = 0; i < NR_STOP_SIGNALS; i++)
		sigaddset(&blocked, stop_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &scr->waiting);
	for (size_t i = 0; i < NR_STOP_SIGNALS; i++)
		sigaction(stop_signals[i], &act, &scr->before[i]);
}

/*
 * After K_END more signals of that kind are still ours. Otherwise one that came
 * too late to be seen finds what was there before us.
 */
static void release_signals(const struct screen *scr)
{
	if (stop)
		sigprocmask(SIG_SETMASK, &scr->waiting, NULL);
	for (size_t i = 0; i < NR_STOP_SIGNALS; i++)
		sigaction(stop_signals[i], &scr->before[i], NULL);
	sigprocmask(SIG_SETMASK, &scr->waiting, NULL);
}

/*
 * Why curses could not use the terminal; NULL: it could. *name is what curses is to be told
 * that it is: without an entry in the database, one that the program carries.
 */
static const char *terminal_fault(const char **name)
{
	const struct terminal *like = terminal_like(*name);
	const char *fault = NULL, *move;
	int err, failed = setupterm(*name, STDOUT_FILENO, &err) == ERR;

	if (failed && err <= 0 && like) {
		setenv("TERMINFO", like->entry, 1);
		*name = like->name;
		failed = setupterm(*name, STDOUT_FILENO, &err) == ERR;
	}
	if (failed)
		return err > 0 ? "it is a printing terminal" :
		       err < 0 ? "there is no terminfo database" :
				 "it is not in the terminfo database";
	move = tigetstr("cup");
	if (!move || move == (const char *)-1)
		fault = "it has no cursor addressing";
	del_curterm(cur_term);
	return fault;
}

static bool wants_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return has_colors() && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

/*
 * Curses prints UTF-8 only in such a locale. A static program can have none: what loads them
 * would be in vain on a device, and takes 10 KB.
 */
static void set_locale(void)
{
#ifndef NO_LOCALES
	if (printable_locale() && (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1))
		setlocale(LC_CTYPE, "C.UTF-8");
#endif
}

static void set_up(struct screen *scr)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	scr->utf8 = printable_locale() && MB_CUR_MAX > 1;
	scr->has_keys = isatty(STDIN_FILENO);
	scr->colours = wants_colours() && start_color() == OK && use_default_colors() == OK;
	for (int i = 0; scr->colours && i < NR_STYLES; i++)
		init_pair((short)(i + 1), looks[i].colour, -1);
}

struct screen *screen_open(void)
{
	struct screen *scr = calloc(1, sizeof(*scr));
	const char *name = getenv("TERM");
	const char *fault = scr ? terminal_fault(&name) : "out of memory";

	if (!fault) {
		set_locale();
		catch_signals(scr);
		scr->terminal = newterm(name, stdout, stdin);
		if (scr->terminal) {
			set_up(scr);
			return scr;
		}
		release_signals(scr);
		fault = "curses cannot use it";
	}
	fail(STATUS_FAILURE,
	     "cannot use the terminal '%s': %s; use -b, or set TERM to vt100 if it behaves like one",
	     getenv("TERM") ?: "", fault);
	free(scr);
	return NULL;
}

void screen_close(struct screen *scr)
{
	if (!scr)
		return;
	curs_set(1);
	endwin();
	delscreen(scr->terminal);
	release_signals(scr);
	free(scr);
}

int screen_width(const struct screen *scr)
{
	(void)scr;
	return getmaxx(stdscr);
}

int screen_height(const struct screen *scr)
{
	(void)scr;
	return getmaxy(stdscr);
}

void screen_begin(struct screen *scr)
{
	erase();
	scr->cursor = false;
}

void screen_end(struct screen *scr)
{
	curs_set(scr->cursor);
	if (!scr->cursor)
		move(getmaxy(stdscr) - 1, 0);
	refresh();
}

void screen_put(struct screen *scr, int y, int x, enum style style, const char *text)
{
	const struct look *look = &looks[style];
	int room = getmaxx(stdscr) - x;
	size_t n = strlen(text);
	char ascii[2048];

	if (y < 0 || y >= getmaxy(stdscr) || x < 0 || room <= 0)
		return;
	if (scr->colours)
		attr_set(look->with, (short)(style + 1), NULL);
	else
		attr_set(look->without, 0, NULL);
	if (!scr->utf8) {
		ascii[printable_ascii(ascii, sizeof(ascii) - 1, text, &n)] = '\0';
		text = ascii;
	}
	mvaddnstr(y, x, text, (int)printable_cut(text, room));
	attr_set(A_NORMAL, 0, NULL);
}

void screen_cursor(struct screen *scr, int y, int x)
{
	int last = getmaxx(stdscr) - 1;

	scr->cursor = true;
	move(y, x < last ? x : last);
}

static int key_from(int c)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == c)
			return keys[i].ours;
	if (c == 'L' - '@') {
		clearok(curscr, TRUE);
		return K_RESIZE;
	}
	return c >= ' ' && c < 0x7f ? c : K_OTHER;
}

u64 screen_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

int screen_key(struct screen *scr, u64 deadline)
{
	struct pollfd in = { .fd = scr->has_keys ? STDIN_FILENO : -1, .events = POLLIN };

	for (;;) {
		u64 now = screen_now(), left = deadline > now ? deadline - now : 0;
		struct timespec timeout = {
			.tv_sec = (time_t)(left / 1000000000),
			.tv_nsec = (long)(left % 1000000000),
		};
		int c;

		if (stop)
			return K_END;
		if (!left)
			return K_NONE;
		c = getch();
		if (c != ERR)
			return key_from(c);
		if (in.revents & (POLLHUP | POLLERR | POLLNVAL))
			stop = 1;
		else
			ppoll(&in, 1, &timeout, &scr->waiting);
	}
}

bool key_moves(int key, int *at, int count, int rows)
{
	int to = *at;

	switch (key) {
	case K_UP:
	case 'k':
		to--;
		break;
	case K_DOWN:
	case 'j':
		to++;
		break;
	case K_PAGE_UP:
		to -= rows;
		break;
	case K_PAGE_DOWN:
		to += rows;
		break;
	case K_HOME:
	case 'g':
		to = 0;
		break;
	case K_LAST:
	case 'G':
		to = count - 1;
		break;
	default:
		return false;
	}
	if (to > count - 1)
		to = count - 1;
	*at = to > 0 ? to : 0;
	return true;
}

bool key_edits(int key, char *text, size_t len)
{
	size_t n = strlen(text);

	if (key == K_ERASE_LINE)
		text[0] = '\0';
	else if (key == K_BACKSPACE && n)
		text[n - 1] = '\0';
	else if (key >= ' ' && key < 0x7f && n + 1 < len)
		memcpy(text + n, (char[]){ (char)key, '\0' }, 2);
	else
		return false;
	return true;
}

void scroll_to(int at, int *top, int count, int seen)
{
	if (*top <= at - seen)
		*top = at - seen + 1;
	if (*top > at)
		*top = at;
	if (*top > count - seen)
		*top = count - seen;
	if (*top < 0)
		*top = 0;
}

/* Pages. */

void page_start(struct page *p, int width)
{
	p->width = width;
	p->line = p->x = 0;
	p->nr_runs = p->len = 0;
}

void page_free(struct page *p)
{
	free(p->runs);
	free(p->text);
	*p = (struct page){};
}

/* Makes room for n more of what is used of max things of that size. */
static bool grow(void **array, size_t size, size_t used, size_t n, size_t *max)
{
	size_t more = *max ? *max : 64;
	void *bigger;

	if (used + n <= *max)
		return true;
	while (more < used + n)
		more *= 2;
	bigger = realloc(*array, more * size);
	if (!bigger)
		return false;
	*array = bigger;
	*max = more;
	return true;
}

static void put_text(struct page *p, enum style style, const char *text)
{
	size_t len = strlen(text);
	void *runs = p->runs, *chars = p->text;
	bool ok = grow(&runs, sizeof(*p->runs), p->nr_runs, 1, &p->max_runs);

	p->runs = runs;
	ok = ok && grow(&chars, 1, p->len, len + 1, &p->max_len);
	p->text = chars;
	if (!ok)
		return;
	memcpy(p->text + p->len, text, len + 1);
	p->runs[p->nr_runs++] = (struct styled_run){ p->line, p->x, style, p->len };
	p->len += len + 1;
	p->x += printable_width(text);
}

static void flow_text(struct page *p, int indent, int gap, enum style style, const char *text)
{
	if (p->x > indent && p->x + gap + printable_width(text) > p->width)
		page_newline(p);
	if (p->x < indent)
		p->x = indent;
	else if (p->x > indent)
		p->x += gap;
	put_text(p, style, text);
}

void page_put(struct page *p, enum style style, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put_text(p, style, text);
}

void page_flow(struct page *p, int indent, int gap, enum style style, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	flow_text(p, indent, gap, style, text);
}

void page_words(struct page *p, int indent, enum style style, const char *text)
{
	char word[80];

	while (*text) {
		int len = (int)strcspn(text, " ");

		snprintf(word, sizeof(word), "%.*s", len, text);
		flow_text(p, indent, 1, style, word);
		text += len + strspn(text + len, " ");
	}
}

void page_newline(struct page *p)
{
	p->line++;
	p->x = 0;
}

int page_end(struct page *p)
{
	if (p->x)
		page_newline(p);
	return p->line;
}

void page_draw(const struct page *p, struct screen *scr, int first, int y, int rows)
{
	for (size_t i = 0; i < p->nr_runs; i++) {
		const struct styled_run *r = &p->runs[i];

		if (r->line >= first && r->line < first + rows)
			screen_put(scr, y + r->line - first, r->x, r->style, p->text + r->text);
	}
}

void page_show(struct page *p, struct screen *scr, const char *title, int *first, const char *hint)
{
	int height = screen_height(scr), rows = height > 2 ? height - 2 : 1, count = page_end(p);
	char where[64];

	scroll_to(*first, first, count, rows);
	screen_begin(scr);
	screen_put(scr, 0, 0, STYLE_BOLD, title);
	page_draw(p, scr, *first, 1, rows);
	snprintf(where, sizeof(where), "%d-%d/%d  ", *first + 1,
		 *first + rows < count ? *first + rows : count, count);
	screen_put(scr, height - 1, 0, STYLE_DIM, where);
	screen_put(scr, height - 1, (int)strlen(where), STYLE_DIM, hint);
	screen_end(scr);
}
