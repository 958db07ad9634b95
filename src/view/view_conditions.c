// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words for the conditions: in capitals is what must not be. Times of day are UTC,
 * as in `optee-top events`.
 */
#include <ctype.h>
#include <stdio.h>
#include <time.h>
#include "base/text.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "view/view_conditions.h"

#define INDENT 4  /* of what belongs to an episode */
#define NARROW 64 /* columns: below, the pane is not aligned, and has no peak */

static enum style style_of(enum condition cond)
{
	return condition_table[cond].alarm ? STYLE_ALARM : STYLE_WAITING;
}

void view_conditions_pool(struct page *p, const struct snapshot *s, const struct snap_pool *pool)
{
	for (int cond = 0; cond < NR_CONDS; cond++) {
		const struct snap_cond *c = &pool->conds[cond];
		const struct condition_row *row = &condition_table[cond];
		char name[32], number[32] = "", time[32];

		if (!episode_lasts(pool, cond, s->mono_ns))
			continue;
		snprintf(name, sizeof(name), "%s", row->name);
		for (char *at = name; row->alarm && *at; at++)
			*at = (char)toupper(*at);
		if (c->lasting > 1)
			snprintf(number, sizeof(number), "%llu times ",
				 (unsigned long long)c->lasting);
		page_flow(p, 6, 2, style_of(cond), "%s %s%s", name, number,
			  format_ns(s->mono_ns - c->since_ns, time, sizeof(time)));
	}
}

/* The time of day of a moment near the snapshot's: HH:MM:SS, and its nanoseconds. */
static const char *clock_time(const struct snapshot *s, u64 mono_ns, char *buf, size_t len,
			      unsigned int *ns)
{
	u64 real = s->real_ns - s->mono_ns + mono_ns;
	time_t seconds = (time_t)(real / 1000000000);
	struct tm tm;

	*ns = (unsigned int)(real % 1000000000);
	gmtime_r(&seconds, &tm);
	strftime(buf, len, "%H:%M:%S", &tm);
	return buf;
}

static const char *state_of(const struct event *e)
{
	return e->state == EVENT_END ? "over" : "lasts";
}

/* A line of the pane. Who comes before why: the figures are in the pool's lines, too. */
static void put_line(struct page *p, const struct snapshot *s, const struct event *e)
{
	bool over = e->state == EVENT_END;
	enum style style = over ? STYLE_DIM : style_of(e->condition);
	bool narrow = p->width < NARROW;
	char clock[16], lasted[32], who[EVENT_LINE], why[EVENT_LINE];
	unsigned int ns;

	page_put(p, STYLE_DIM, "%s ", clock_time(s, e->since_ns, clock, sizeof(clock), &ns));
	if (s->nr_pools > 1)
		page_put(p, STYLE_DIM, "tee%u ", e->tee);
	page_put(p, style, "%-*s %-5s %*s", narrow ? 0 : 15, condition_table[e->condition].name,
		 state_of(e), narrow ? 0 : 6,
		 format_ns(episode_log_duration(e, s), lasted, sizeof(lasted)));
	if (!narrow)
		page_put(p, over ? STYLE_DIM : STYLE_PLAIN, "  peak %u", e->peak);
	page_put(p, STYLE_PLAIN, narrow ? " " : "  ");
	event_who(e, who, sizeof(who));
	page_put(p, over ? STYLE_DIM : STYLE_PLAIN, "%s%s%s", who, *who ? "; " : "",
		 event_why(e, why, sizeof(why)));
	page_newline(p);
}

void view_conditions_pane(struct page *p, const struct snapshot *s, const struct episode_log *l,
			  int rows)
{
	int indices[LOG_EPISODES];
	int n = episode_log_recent(l, s, rows < LOG_EPISODES ? rows : LOG_EPISODES, indices);

	for (int i = 0; i < n; i++)
		put_line(p, s, l->episodes[indices[i]]);
	for (; n < rows; n++)
		page_newline(p);
}

/* The page of all. */

static void put_counters(struct page *p, const struct snapshot *s, const struct snap_pool *pool)
{
	page_put(p, STYLE_BOLD, "%-15s %6s %5s %6s %7s %5s", "SINCE ATTACH", "COUNT", "LASTS",
		 "TIME", "LONGEST", "PEAK");
	if (s->nr_pools > 1)
		page_put(p, STYLE_BOLD, "  tee%u", pool->id);
	page_newline(p);
	for (int cond = 0; cond < NR_CONDS; cond++) {
		const struct snap_cond *c = &pool->conds[cond];
		const struct condition_row *row = &condition_table[cond];
		char time[32], longest[32];
		enum style style = c->lasting ? style_of(cond) : c->count ? STYLE_PLAIN : STYLE_DIM;

		if (c->known)
			page_put(p, style, "%-15s %6llu %5llu %6s %7s %5llu", row->name,
				 (unsigned long long)c->count, (unsigned long long)c->lasting,
				 format_ns(c->ns, time, sizeof(time)),
				 format_ns(c->longest_ns, longest, sizeof(longest)),
				 (unsigned long long)c->peak);
		else
			page_put(p, STYLE_DIM, "%-15s %6s %5s %6s %7s %5s", row->name, "-", "-",
				 "-", "-", "-");
		page_put(p, STYLE_DIM, " %s", row->peak);
		page_newline(p);
	}
	page_newline(p);
}

static void put_words(struct page *p, enum style style, const char *text)
{
	page_words(p, INDENT, style, text);
	page_end(p);
}

static void put_episode(struct page *p, const struct snapshot *s, const struct event *e)
{
	enum style style = e->state == EVENT_END ? STYLE_BOLD : style_of(e->condition);
	char clock[16], lasted[32], line[EVENT_LINE];
	unsigned int ns;

	clock_time(s, e->since_ns, clock, sizeof(clock), &ns);
	page_put(p, STYLE_PLAIN, "%s.%03u", clock, ns / 1000000);
	if (s->nr_pools > 1)
		page_flow(p, INDENT, 1, STYLE_PLAIN, "tee%u", e->tee);
	page_flow(p, INDENT, 1, style, "%s", condition_table[e->condition].name);
	page_flow(p, INDENT, 1, STYLE_PLAIN, "%s %s%s", state_of(e),
		  e->end_unseen ? "at most " : "",
		  format_ns(episode_log_duration(e, s), lasted, sizeof(lasted)));
	page_flow(p, INDENT, 2, STYLE_PLAIN, "peak %u %s", e->peak,
		  condition_table[e->condition].peak);
	page_newline(p);
	put_words(p, STYLE_PLAIN, event_why(e, line, sizeof(line)));
	put_words(p, STYLE_PLAIN, event_who(e, line, sizeof(line)));
	for (u32 i = 0; event_chain(e, i, line, sizeof(line)); i++)
		put_words(p, STYLE_SYSTEM, line);
}

void view_conditions_page(struct page *p, const struct snapshot *s, const struct episode_log *l)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		put_counters(p, s, &s->pools[i]);
	for (int i = l->nr; i-- > 0;)
		put_episode(p, s, l->episodes[i]);
	if (!l->nr) {
		page_words(p, 0, STYLE_PLAIN, "Nothing has happened since optee-top attached.");
		page_newline(p);
	}
}

void view_conditions_help(struct page *p)
{
	for (int cond = 0; cond < NR_CONDS; cond++) {
		page_put(p, style_of(cond), "  %s", condition_table[cond].name);
		page_put(p, STYLE_PLAIN, ":");
		page_words(p, 4, STYLE_PLAIN, condition_table[cond].means);
		page_newline(p);
	}
	page_words(p, 2, STYLE_PLAIN,
		   "What to do: optee-top help conditions, or the manual, optee-top(8).");
	page_newline(p);
}
