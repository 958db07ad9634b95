// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the live view that say all about one thing: a session with its
 * histograms, and the help. They make lines of text and never touch the terminal;
 * what the figures are called and which of them are known comes from the field
 * tables.
 */
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "model/hist.h"
#include "model/scmi_names.h"
#include "view/view_conditions.h"
#include "view/view_detail.h"
#include "view/view_pool.h"
#include "view/view_value.h"

#define PROPER_BARS 12 /* lines of a histogram; an octave a line may need more */
#define FIELD_CELL  40 /* columns of a field's name and value */

/* A session. */

void detail_open(struct detail *d, const struct snap_session *row)
{
	d->row = *row;
	d->gone = false;
	d->row.wait = d->row.hold = d->row.secure = NULL;
	if (!row->wait || !hist_copy(&d->wait, row->wait) || !hist_copy(&d->hold, row->hold) ||
	    !hist_copy(&d->secure, row->secure))
		return;
	d->row.wait = &d->wait;
	d->row.hold = &d->hold;
	d->row.secure = &d->secure;
}

void detail_update(struct detail *d, const struct snapshot *s)
{
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].slot == d->row.slot && s->sessions[i].serial == d->row.serial) {
			detail_open(d, &s->sessions[i]);
			return;
		}
	d->gone = true;
}

/* Adds text at the next cell of this line, or of the next line if it is too long. */
static void put_cell(struct page *p, const char *name, const char *value, const char *unit)
{
	int per_line = p->width >= 2 * FIELD_CELL ? p->width / FIELD_CELL : 1;
	int cell = p->width / per_line, x = p->x ? (p->x + cell) / cell * cell : 0;

	if (x && x + 16 + (int)strlen(value) > p->width) {
		page_newline(p);
		x = 0;
	}
	p->x = x;
	page_put(p, STYLE_DIM, "%-15s ", name);
	page_put(p, STYLE_PLAIN, "%s%s", value, unit);
}

static void put_fields(struct page *p, const struct snapshot *s, const struct snap_session *row)
{
	char text[80];

	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];

		view_value(f, s, row, text, sizeof(text));
		put_cell(p, f->name, text, strcmp(text, "-") ? unit_words[f->unit].after : "");
	}
	page_end(p);
}

static const char *detail_bound(bool at_least, bool known, u64 ns, char *buf, size_t len)
{
	struct value v = { .known = known, .at_least = at_least && known, .number = (double)ns };

	return value_format(&v, UNIT_NS, buf, len);
}

static void put_classes(struct page *p, const struct snap_session *row)
{
	char wait[16], longest[16], hold[16], secure[16], rpc[16], limit[16];

	page_newline(p);
	page_put(p, STYLE_BOLD, "%-7s %9s %7s %8s %7s %7s %7s %7s %7s", "CLASS", "CALLS", "FAILED",
		 "WAITED", "WAIT", "LONGEST", "HOLD", "SECURE", "RPC");
	page_newline(p);
	for (int class = 0; class < NR_CLASSES; class ++) {
		const struct class_sums *n = &row->sums[class];

		page_put(p, STYLE_PLAIN, "%-7s %9llu %7llu %8llu %7s %7s %7s %7s %7s",
			 class_name(class), (unsigned long long)n->calls,
			 (unsigned long long)n->failed, (unsigned long long)n->waited,
			 detail_bound(n->waited_late, n->calls, n->wait_ns, wait, sizeof(wait)),
			 detail_bound(n->waited_late, n->calls, n->wait_max_ns, longest,
				      sizeof(longest)),
			 view_ns(n->calls, n->hold_ns, hold, sizeof(hold)),
			 view_ns(n->calls, n->secure_ns, secure, sizeof(secure)),
			 view_ns(n->calls, n->hold_ns - n->secure_ns, rpc, sizeof(rpc)));
		page_newline(p);
		if (!n->limits)
			continue;
		page_put(p, STYLE_ALARM, "        %llu times ETHREAD_LIMIT, waits after it %s",
			 (unsigned long long)n->limits,
			 format_ns(n->limit_ns, limit, sizeof(limit)));
		page_newline(p);
	}
	if (row->last_failure) {
		page_put(p, STYLE_PLAIN, "last failure 0x%08x", row->last_failure);
		page_newline(p);
	}
}

static void put_commands(struct page *p, const struct snap_session *row)
{
	page_newline(p);
	page_put(p, STYLE_BOLD, "COMMANDS");
	for (int cmd = 0; cmd < NR_CMDS; cmd++)
		if (row->ops[cmd])
			page_flow(p, 10, 2, STYLE_PLAIN, "%s %llu", cmd_name(cmd),
				  (unsigned long long)row->ops[cmd]);
	page_end(p);
}

static void put_rpcs(struct page *p, const struct snap_session *row)
{
	char time[16], mean[16];
	bool any = false;

	page_newline(p);
	page_put(p, STYLE_BOLD, "%-14s %9s %7s %7s", "RPC", "COUNT", "TIME", "MEAN");
	page_newline(p);
	for (int kind = 0; kind < NR_RPC_KINDS; kind++) {
		u64 n = row->rpc_count[kind];

		if (!n)
			continue;
		any = true;
		page_put(p, STYLE_PLAIN, "%-14s %9llu %7s %7s", rpc_name(kind),
			 (unsigned long long)n, format_ns(row->rpc_ns[kind], time, sizeof(time)),
			 format_ns(row->rpc_ns[kind] / n, mean, sizeof(mean)));
		page_newline(p);
	}
	if (!any) {
		page_put(p, STYLE_PLAIN, "none");
		page_newline(p);
	}
}

/* All messages of the protocols that the session serves, of whichever session they were. */
static void put_scmi(struct page *p, const struct snap_pool *pool, u32 protocols)
{
	char mean[16], longest[16], wait[16];

	page_newline(p);
	page_put(p, STYLE_BOLD, "%-34s %9s %7s %7s %7s %7s", "SCMI MESSAGE", "COUNT", "FAILED",
		 "MEAN", "LONGEST", "WAIT");
	page_newline(p);
	for (u32 i = 0; i < pool->nr_scmi; i++) {
		const struct snap_scmi *row = &pool->scmi[i];
		char name[64], number[8];

		if (row->other || !(protocols & SCMI_PROTOCOL_BIT(row->protocol)))
			continue;
		snprintf(number, sizeof(number), "0x%02x", row->message);
		snprintf(name, sizeof(name), "%s %s", scmi_protocol_name(row->protocol) ?: "other",
			 scmi_message_name(row->protocol, row->message) ?: number);
		page_put(p, STYLE_PLAIN, "%-34.34s %9llu %7llu %7s %7s %7s", name,
			 (unsigned long long)row->count, (unsigned long long)row->failed,
			 view_ns(row->count, row->count ? row->ns / row->count : 0, mean,
				 sizeof(mean)),
			 view_ns(row->count, row->max_ns, longest, sizeof(longest)),
			 view_ns(row->count, row->wait_ns, wait, sizeof(wait)));
		page_newline(p);
	}
}

/* One line a group of step buckets. */
static void put_bars(struct page *p, const struct hist64 *h, unsigned int first, unsigned int last,
		     unsigned int step)
{
	u64 sums[HIST_BUCKETS] = {}, most = 1;
	char from[16], to[16], bar[256];
	int room = p->width - 30;

	if (room > (int)sizeof(bar) - 1)
		room = sizeof(bar) - 1;
	memset(bar, '#', sizeof(bar));
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		sums[i / step] += hist_at(h, i);
	for (unsigned int g = first / step; g <= last / step; g++)
		most = sums[g] > most ? sums[g] : most;
	for (unsigned int g = first / step; g <= last / step; g++) {
		bool open_end = (g + 1) * step >= HIST_BUCKETS;
		int len = room > 0 ? (int)((double)sums[g] / (double)most * room) : 0;

		if (sums[g] && len < 1)
			len = 1;
		format_ns(hist_edge(g * step), from, sizeof(from));
		format_ns(hist_edge((g + 1) * step), to, sizeof(to));
		page_put(p, STYLE_PLAIN, "%7s - %-7s %9llu  ", from, open_end ? "" : to,
			 (unsigned long long)sums[g]);
		page_put(p, STYLE_SYSTEM, "%.*s", len, bar);
		page_newline(p);
	}
}

static void put_histogram(struct page *p, const char *name, const struct hist64 *h)
{
	unsigned int first = 0, last = HIST_BUCKETS - 1, step = 1;
	char p50[16], p99[16];

	page_newline(p);
	page_put(p, STYLE_BOLD, "%s", name);
	if (!h || !hist_count(h)) {
		page_put(p, STYLE_PLAIN, "  no calls yet");
		page_newline(p);
		return;
	}
	page_put(p, STYLE_PLAIN, "  %llu calls, p50 %s, p99 %s", (unsigned long long)hist_count(h),
		 format_ns(hist_quantile(h, 0.50), p50, sizeof(p50)),
		 format_ns(hist_quantile(h, 0.99), p99, sizeof(p99)));
	page_newline(p);
	while (!hist_at(h, first))
		first++;
	while (!hist_at(h, last))
		last--;
	while (step < 1 << HIST_SUB_BITS && last / step - first / step >= PROPER_BARS)
		step *= 2;
	put_bars(p, h, first, last, step);
}

void detail_session(struct page *p, const struct snapshot *s, const struct detail *d)
{
	put_fields(p, s, &d->row);
	put_classes(p, &d->row);
	put_commands(p, &d->row);
	put_rpcs(p, &d->row);
	if (d->row.scmi_protocols)
		put_scmi(p, &s->pools[d->row.pool], d->row.scmi_protocols);
	put_histogram(p, "WAIT: time in the queue, since attach", d->row.wait);
	put_histogram(p, "HOLD: time a thread was held, since attach", d->row.hold);
	put_histogram(p, "SECURE: time in the secure world, since attach", d->row.secure);
}

/* Help. */

static void put_help(struct page *p, const char *name, const char *head, const char *help)
{
	page_put(p, STYLE_BOLD, "  %-8s", head);
	page_put(p, STYLE_PLAIN, "%-15s", name);
	page_words(p, 26, STYLE_PLAIN, help);
	page_end(p);
}

static void put_heading(struct page *p, const char *text)
{
	page_newline(p);
	page_words(p, 0, STYLE_BOLD, text);
	page_end(p);
}

static void put_mark(struct page *p, enum style style, char sign, const char *help)
{
	page_put(p, style, "  %c", sign);
	page_words(p, 5, STYLE_PLAIN, help);
	page_newline(p);
}

void detail_help(struct page *p)
{
	put_heading(p, "Before a session, and a call that waits");
	put_mark(p, STYLE_ALARM, MARK_SIGNS[MARK_ALARM],
		 "is involved in a fault that is still in progress: "
		 "one of the calls that wait in vain, or that make others wait");
	put_mark(p, STYLE_WAITING, '*', "one of its calls waits");
	put_mark(p, STYLE_PLAIN, MARK_SIGNS[MARK_LOAD],
		 "is involved in what may be ordinary load: it holds a thread while none is free");
	put_mark(p, STYLE_DIM, 'x', "it is closed");
	put_heading(p, "A pool's bar: one sign per TEE thread");
	pool_help(p);
	put_heading(p, "Conditions of the queue; e shows what has happened");
	view_conditions_help(p);
	put_heading(p, "Columns, and fields to sort by; '-' means not known");
	for (size_t i = 0; i < nr_session_fields; i++)
		put_help(p, session_fields[i].name, session_fields[i].head ?: "",
			 session_fields[i].help);
	put_heading(p, "Figures of a pool");
	for (size_t i = 0; i < nr_pool_fields; i++)
		put_help(p, pool_fields[i].name, "", pool_fields[i].help);
	put_heading(p, "Losses: what was not seen");
	for (int i = 0; i < NR_LOSSES; i++)
		put_help(p, loss_fields[i].name, "", loss_fields[i].help);
	put_help(p, "missed", "", "hook runs skipped by the kernel");
}
