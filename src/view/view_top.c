// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live view: title, pools, queue, a row a session, what happened, totals. It
 * takes a snapshot when one is due, and looks at keys and events in between; they
 * only change struct view, and each turn of the loop draws all of it anew.
 *
 * While paused it shows a copy, and goes on taking snapshots, so that the first
 * interval after the pause is not as long as the pause.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/stop.h"
#include "source/player.h"
#include "view/keys.h"
#include "view/paused_view.h"
#include "view/screen.h"
#include "view/view_conditions.h"
#include "view/view_detail.h"
#include "view/view_pool.h"
#include "view/view_table.h"
#include "view/view_top.h"
#include "view/view_value.h"

#define QUEUE_ROWS 6 /* waiters at most, or one less and how many more */
#define PANE_ROWS  5 /* of what happened */
#define CALM       5 /* snapshots before lines that are not needed are given back */
#define PAGE_HINT  "Up, Down, PgUp, PgDn scroll  Esc goes back"

enum mode { MODE_TABLE, MODE_FILTER, MODE_DELAY, MODE_DETAIL, MODE_HELP, MODE_MENU, MODE_EVENTS };

struct lines {
	int rows, calm;
};

struct view {
	struct screen *screen;
	struct player *player; /* of a recording, or NULL */
	struct opts o;         /* our copy: keys change it */
	const struct snapshot *newest;
	struct episode_log log;
	u32 logged;                /* of the events of the next snapshot, how many are in the log */
	struct paused_view frozen; /* what is shown while paused */
	u64 since, due;            /* the first snapshot; the next */
	enum mode mode;
	bool quit, stale; /* stale: the table is to be put in order anew */
	char filter[64], input[64], note[160];
	struct table table;
	struct lines queue, pane;
	struct detail detail;
	int scroll, menu; /* first line of a page; selected field */
	struct page page;
};

static const struct snapshot *shown(const struct view *v)
{
	return v->frozen.snapshot ?: v->newest;
}

static const struct episode_log *shown_log(const struct view *v)
{
	return v->frozen.snapshot ? &v->frozen.log : &v->log;
}

static bool is_paused(const struct view *v)
{
	return v->frozen.snapshot || (v->player && v->player->paused);
}

static size_t widths_size(void)
{
	return nr_session_fields * sizeof(int);
}

/* What is above and below the table. */

/* Which frame of a recording it is, and of when. */
static void put_position(struct page *p, const struct player *player, const struct snapshot *s)
{
	time_t seconds = (time_t)(s->real_ns / 1000000000);
	u32 last = recording_snapshots(player->recording);
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%SZ", &tm);
	page_flow(p, 0, 2, STYLE_PLAIN, "%s", date);
	page_flow(p, 0, 2, STYLE_PLAIN, "frame %u/%u", player->shown, last);
	page_flow(p, 0, 2, STYLE_PLAIN, "x%g", player->speed);
}

static void put_title(struct view *v, const struct snapshot *s)
{
	unsigned int up = (unsigned int)((s->mono_ns - v->since) / 1000000000);
	struct page *p = &v->page;

	page_put(p, STYLE_BOLD, "optee-top");
	if (v->player)
		put_position(p, v->player, s);
	page_flow(p, 0, 2, STYLE_PLAIN, "up %u:%02u:%02u", up / 3600, up / 60 % 60, up % 60);
	if (!v->player)
		page_flow(p, 0, 2, STYLE_PLAIN, "every %gs", v->o.delay);
	page_flow(p, 0, 2, STYLE_PLAIN, "sort %s%s", v->o.sort->name,
		  v->o.reverse ? " reversed" : "");
	page_flow(p, 0, 2, *v->filter ? STYLE_BOLD : STYLE_PLAIN, "filter %s",
		  *v->filter ? v->filter : "-");
	if (v->table.hide_idle)
		page_flow(p, 0, 2, STYLE_BOLD, "no idle");
	if (v->table.hide_closed)
		page_flow(p, 0, 2, STYLE_BOLD, "no closed");
	if (is_paused(v))
		page_flow(p, 0, 2, STYLE_SELECTED, "[PAUSED]");
	else if (v->player && v->player->ended)
		page_flow(p, 0, 2, STYLE_SELECTED, "[END]");
	page_newline(p);
}

static void draw_last_line(struct view *v, int y)
{
	const char *prompt = v->mode == MODE_FILTER ? "filter (part of a name, or a pid): " :
						      "seconds between frames, 0.1 to 3600: ";

	if (v->mode == MODE_TABLE) {
		screen_put(v->screen, y, 0, *v->note ? STYLE_BOLD : STYLE_DIM,
			   *v->note ? v->note :
				      "q quit  ? help  e events  Enter detail  o sort  "
				      "/ filter  p pause  < > sort");
		return;
	}
	screen_put(v->screen, y, 0, STYLE_BOLD, prompt);
	screen_put(v->screen, y, (int)strlen(prompt), STYLE_PLAIN, v->input);
	screen_cursor(v->screen, y, (int)(strlen(prompt) + strlen(v->input)));
}

static void draw_main(struct view *v)
{
	int height = screen_height(v->screen), above, below, room, queue, seen;
	const struct snapshot *s = shown(v);

	screen_begin(v->screen);
	page_start(&v->page, screen_width(v->screen));
	put_title(v, s);
	pool_lines(&v->page, s);
	room = (height - v->page.line - 4) / 3;
	queue = v->queue.rows < room ? v->queue.rows : room > 1 ? room : 1;
	above = v->page.line + 1 + queue;
	pool_queue(&v->page, s, shown_log(v), queue);
	if (above > height - 4)
		above = height > 4 ? height - 4 : 0;
	page_draw(&v->page, v->screen, 0, 0, above);
	page_start(&v->page, screen_width(v->screen));
	room = (height - above - 4) / 3;
	view_conditions_pane(&v->page, s, shown_log(v), v->pane.rows < room ? v->pane.rows : room);
	pool_totals(&v->page, s);
	page_flow(&v->page, 0, 2, STYLE_PLAIN, "sessions %d", v->table.nr_rows);
	below = page_end(&v->page);
	if (below > height - above - 3)
		below = height > above + 3 ? height - above - 3 : 0;
	seen = height - above - below - 2;
	table_draw(&v->table, v->screen, above, seen > 1 ? seen : 1, &v->o, s, shown_log(v));
	page_draw(&v->page, v->screen, 0, height - 1 - below, below);
	draw_last_line(v, height - 1);
	screen_end(v->screen);
}

/* What fills the whole screen. */

static void draw_detail(struct view *v)
{
	char title[256], ta[80], client[80];

	detail_update(&v->detail, shown(v));
	view_value(session_field_find("ta"), shown(v), &v->detail.row, ta, sizeof(ta));
	view_value(session_field_find("client"), shown(v), &v->detail.row, client, sizeof(client));
	snprintf(title, sizeof(title), "%s%sTA %s  client %s", is_paused(v) ? "[PAUSED]  " : "",
		 v->detail.gone ? "[GONE: as last seen]  " : "", ta, client);
	page_start(&v->page, screen_width(v->screen));
	detail_session(&v->page, shown(v), &v->detail);
	page_show(&v->page, v->screen, title, &v->scroll, PAGE_HINT);
}

static void draw_events(struct view *v)
{
	char title[80];

	snprintf(title, sizeof(title), "%sConditions of the queue: the newest first, UTC",
		 is_paused(v) ? "[PAUSED]  " : "");
	page_start(&v->page, screen_width(v->screen));
	view_conditions_page(&v->page, shown(v), shown_log(v));
	page_show(&v->page, v->screen, title, &v->scroll, PAGE_HINT);
}

static void draw_menu(struct view *v)
{
	int rows = screen_height(v->screen) - 2;

	page_start(&v->page, screen_width(v->screen));
	for (int i = 0; i < (int)nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];

		page_put(&v->page, i == v->menu ? STYLE_SELECTED : STYLE_PLAIN, "%-15s %-8s %s",
			 f->name, f->head ?: "", f->help);
		page_newline(&v->page);
	}
	scroll_to(v->menu, &v->scroll, (int)nr_session_fields, rows);
	page_show(&v->page, v->screen, "Sort by", &v->scroll, "Enter takes it  Esc goes back");
}

/* Keys: of the table first. */

static void set_filter(struct view *v, const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);
	bool number = end != text && !*end && pid > 0 && pid <= INT_MAX;

	snprintf(v->filter, sizeof(v->filter), "%s", text);
	v->o.pid = number ? (pid_t)pid : 0;
	v->o.match = *text && !number ? v->filter : NULL;
	v->stale = true;
}

static void set_delay(struct view *v)
{
	char *end;
	double delay = strtod(v->input, &end);

	if (end == v->input || *end || strpbrk(v->input, "xX") ||
	    !(delay >= MIN_DELAY && delay <= MAX_DELAY)) {
		snprintf(v->note, sizeof(v->note), "'%s' is not a number from %g to %g", v->input,
			 MIN_DELAY, MAX_DELAY);
		return;
	}
	v->o.delay = delay;
	v->due = screen_now() + (u64)(delay * 1e9);
}

static void press_quit(struct view *v, int key)
{
	(void)key;
	v->quit = true;
}

static void set_due(struct view *v)
{
	u64 delay = v->player ? player_delay(v->player) : (u64)(v->o.delay * 1e9),
	    now = screen_now();

	if (delay == ~0ULL)
		v->due = delay;
	else
		v->due = v->player ? now + delay : next_deadline(v->due, delay, now);
}

static void log_event(void *arg, const struct event *e)
{
	episode_log_take(&((struct view *)arg)->log, e);
}

static void press_seek(struct view *v, int key)
{
	long frames = key == '[' ? -1 : key == ']' ? 1 : key == '{' ? -60 : 60;

	if (!v->player)
		return;
	episode_log_free(&v->log);
	memset(&v->log, 0, sizeof(v->log));
	v->logged = 0;
	player_seek(v->player, frames, log_event, v);
	v->due = 0; /* now, before anything is drawn */
}

static void press_speed(struct view *v, int key)
{
	double speed = v->player ? v->player->speed * (key == '+' ? 2 : 0.5) : 0;

	if (speed < MIN_SPEED || speed > MAX_SPEED)
		return;
	v->player->speed = speed;
	set_due(v);
}

static void press_pause(struct view *v, int key)
{
	(void)key;
	v->stale = true;
	if (v->player) {
		v->player->paused = !v->player->paused;
		set_due(v);
		return;
	}
	if (v->frozen.snapshot)
		paused_view_release(&v->frozen);
	else if (!paused_view_take(&v->frozen, v->newest, &v->log))
		snprintf(v->note, sizeof(v->note), "cannot pause: out of memory");
}

static void press_move(struct view *v, int key)
{
	table_move(&v->table, shown(v), key);
}

static void press_side(struct view *v, int key)
{
	if (key == K_RIGHT)
		v->table.skip += v->table.more;
	else
		v->table.skip -= v->table.skip > 0;
}

static void press_switch(struct view *v, int key)
{
	bool *what = key == 'u' ? &v->table.hide_idle :
		     key == 'c' ? &v->table.hide_closed :
				  &v->o.reverse;

	*what = !*what;
	v->stale = true;
}

static void press_clear(struct view *v, int key)
{
	(void)key;
	set_filter(v, "");
}

#define KEY_ROW(name, help, press, opens, ...) { name, help, press, opens, { __VA_ARGS__ } },

static const struct key {
	const char *name, *help;
	void (*press)(struct view *v, int key);
	enum mode opens; /* where press is NULL */
	int codes[5];
} keys[] = { VIEW_KEYS(KEY_ROW) };

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static void draw_help(struct view *v)
{
	page_start(&v->page, screen_width(v->screen));
	for (size_t i = 0; i < NR_KEYS; i++) {
		page_put(&v->page, STYLE_BOLD, "  %-12s", keys[i].name);
		page_words(&v->page, 15, STYLE_PLAIN, keys[i].help);
		page_newline(&v->page);
	}
	detail_help(&v->page);
	page_show(&v->page, v->screen, "Keys", &v->scroll, PAGE_HINT);
}

static void open_mode(struct view *v, enum mode mode)
{
	const struct snap_session *row = table_selected(&v->table, shown(v));

	if (mode == MODE_DELAY && v->player)
		return;
	if (mode == MODE_DETAIL && !row)
		return;
	if (mode == MODE_DETAIL)
		detail_open(&v->detail, row);
	v->mode = mode;
	v->scroll = 0;
	v->menu = (int)(v->o.sort - session_fields);
	snprintf(v->input, sizeof(v->input), "%s", mode == MODE_FILTER ? v->filter : "");
}

static void press_table(struct view *v, int key)
{
	*v->note = '\0';
	for (size_t i = 0; i < NR_KEYS; i++)
		for (int c = 0; c < 5 && keys[i].codes[c]; c++)
			if (keys[i].codes[c] == key && keys[i].press)
				keys[i].press(v, key);
			else if (keys[i].codes[c] == key)
				open_mode(v, keys[i].opens);
	if (key == K_RESIZE)
		memset(v->table.widths, 0, widths_size());
}

static void press_page(struct view *v, int key)
{
	if (key == 'q' || key == K_ESCAPE)
		v->mode = MODE_TABLE;
	else
		key_moves(key, &v->scroll, v->page.line, screen_height(v->screen) - 2);
}

/* The frame that it is about can be held, or be another one. */
static void press_frame_page(struct view *v, int key)
{
	if (key == 'p' || key == ' ')
		press_pause(v, key);
	else if (key && strchr("[]{}", key))
		press_seek(v, key);
	else
		press_page(v, key);
}

/* Nothing in it changes: Space turns a page, as in other pagers. */
static void press_help(struct view *v, int key)
{
	press_page(v, key == ' ' ? K_PAGE_DOWN : key);
}

static void press_menu(struct view *v, int key)
{
	if (key == K_ENTER) {
		v->o.sort = &session_fields[v->menu];
		v->stale = true;
	}
	if (key == K_ENTER || key == 'q' || key == K_ESCAPE)
		v->mode = MODE_TABLE;
	else
		key_moves(key, &v->menu, (int)nr_session_fields, screen_height(v->screen) - 2);
}

static void press_input(struct view *v, int key)
{
	bool filter = v->mode == MODE_FILTER;

	if (key == K_ESCAPE && filter)
		set_filter(v, "");
	else if (key == K_ENTER && !filter)
		set_delay(v);
	else if (key_edits(key, v->input, sizeof(v->input)) && filter)
		set_filter(v, v->input);
	if (key == K_ESCAPE || key == K_ENTER)
		v->mode = MODE_TABLE;
}

static const struct {
	void (*draw)(struct view *v);
	void (*press)(struct view *v, int key);
} modes[] = {
	[MODE_TABLE] = { draw_main, press_table },
	[MODE_FILTER] = { draw_main, press_input },
	[MODE_DELAY] = { draw_main, press_input },
	[MODE_DETAIL] = { draw_detail, press_frame_page },
	[MODE_HELP] = { draw_help, press_help },
	[MODE_MENU] = { draw_menu, press_menu },
	[MODE_EVENTS] = { draw_events, press_frame_page },
};

/*
 * Lines come at once and go late, so that the table does not jump. In a recording
 * they follow from the frame alone: who comes back to it sees what was there.
 */
static void size_lines(const struct view *v, struct lines *l, int need)
{
	if (v->player || need >= l->rows || ++l->calm > CALM) {
		l->rows = need;
		l->calm = 0;
	}
}

static void size_all(struct view *v)
{
	int waiters = pool_waiters(v->newest), indices[PANE_ROWS];

	if (v->frozen.snapshot)
		return;
	if (v->player)
		memset(v->table.widths, 0, widths_size());
	size_lines(v, &v->queue, waiters < 1 ? 1 : waiters < QUEUE_ROWS ? waiters : QUEUE_ROWS);
	size_lines(v, &v->pane, episode_log_recent(&v->log, v->newest, PANE_ROWS, indices));
}

static bool take(struct view *v, const struct source *source)
{
	v->newest = source->next(source->ctx);
	if (!v->newest)
		return false;
	if (!v->since)
		v->since = v->newest->mono_ns;
	set_due(v);
	for (u32 i = v->logged; i < v->newest->nr_events; i++)
		episode_log_take(&v->log, &v->newest->events[i]);
	v->logged = events_ahead(v->logged, v->newest);
	episode_log_settle(&v->log, v->newest);
	size_all(v);
	v->stale = true;
	return true;
}

/* Between snapshots: a new alarm is shown at once, the rest with the next frame. */
static void look(struct view *v, const struct source *source)
{
	const struct event *events;
	u32 n = source->look(source->ctx, &events);
	bool alarm = false;

	if (n == LOOK_ENDED)
		return;
	for (u32 i = 0; i < n; i++)
		alarm |= episode_log_take(&v->log, &events[i]);
	v->logged += n;
	if (!alarm || v->frozen.snapshot)
		return;
	size_all(v);
	modes[v->mode].draw(v);
}

static u64 next_look(const struct view *v)
{
	u64 look = screen_now() + LOOK_NS;

	return look < v->due ? look : v->due;
}

/* Until there is a reason to end; false: the source had no snapshot. */
static bool run(struct view *v, const struct source *source)
{
	long frame = 0;

	while (!v->quit) {
		int key;

		if (!v->due && !take(v, source))
			return false;
		if (v->stale)
			table_arrange(&v->table, &v->o, shown(v));
		v->stale = false;
		modes[v->mode].draw(v);
		while ((key = screen_key(v->screen, next_look(v))) == K_NONE &&
		       screen_now() < v->due)
			look(v, source);
		if (key == K_END || (key == K_NONE && v->o.frames && frame++ == v->o.frames))
			break;
		if (key != K_NONE)
			modes[v->mode].press(v, key);
		else if (!take(v, source))
			return false;
	}
	return true;
}

/* errno of the source becomes a status; ENODEV, 0 and a signal are ordinary ends. */
static enum status source_ended(int err)
{
	if (!err || err == ENODEV || err == EINTR)
		return STATUS_OK;
	return fail(STATUS_FAILURE, "cannot take a snapshot: %s", strerror(err));
}

enum status view_top(const struct opts *o, const struct source *source)
{
	struct view v = { .o = *o, .player = source->player, .due = screen_now() };
	enum status status = STATUS_FAILURE;
	char pid[16];
	int err = 0;

	v.o.frames = opts_frames(o);
	snprintf(pid, sizeof(pid), "%d", (int)o->pid);
	set_filter(&v, o->pid ? pid : o->match ?: "");
	v.table.widths = calloc(1, widths_size());
	v.screen = v.table.widths ? screen_open() : NULL;
	if (v.screen) {
		if (!take(&v, source) || !run(&v, source))
			err = errno;
		while (err == EINTR && stop_wanted() && screen_key(v.screen, ~0ULL) != K_END)
			; /* the signal is still to come: here it is ours */
		screen_close(v.screen);
		status = source_ended(err);
	}
	page_free(&v.page);
	paused_view_release(&v.frozen);
	episode_log_free(&v.log);
	free(v.table.widths);
	free(v.table.rows);
	return status;
}
