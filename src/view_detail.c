// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the live view that say all about one thing: a pool's threads,
 * the queue, a session with its histograms. They make lines of text and never
 * touch the terminal; what the figures are called and which of them are known
 * comes from the field tables.
 */
#include <stdio.h>
#include <string.h>
#include "hist.h"
#include "text.h"
#include "view_detail.h"

#define PROPER_BARS 12 /* lines of a histogram; an octave a line may need more */
#define FIELD_CELL  40 /* columns of a field's name and value */

const char *detail_value(const struct session_field *f, const struct snapshot *s,
			 const struct snap_session *row, char *buf, size_t len)
{
	struct value v = f->get(s, row);

	return value_format(&v, f->unit, buf, len);
}

static const char *ns_if(bool known, u64 ns, char *buf, size_t len)
{
	struct value v = { .known = known, .number = (double)ns };

	return value_format(&v, UNIT_NS, buf, len);
}

static const char *pool_value(const struct snapshot *s, const struct snap_pool *pool,
			      const char *name, char *buf, size_t len)
{
	struct value v = {};

	for (size_t i = 0; i < nr_pool_fields; i++)
		if (!strcmp(pool_fields[i].name, name)) {
			v = pool_fields[i].get(s, pool);
			return value_format(&v, pool_fields[i].unit, buf, len);
		}
	return value_format(&v, UNIT_COUNT, buf, len);
}

/* The pool's bar. */

enum cell {
	CELL_SYSTEM,
	CELL_SYSTEM_RPC,
	CELL_NORMAL,
	CELL_NORMAL_RPC,
	CELL_HELD,
	CELL_RESERVED,
	CELL_FREE,
	NR_CELLS
};

static const struct {
	char sign;
	enum style style;
	const char *help;
} cells[NR_CELLS] = {
	[CELL_SYSTEM] = { 'S', STYLE_SYSTEM, "a system call, in the secure world" },
	[CELL_SYSTEM_RPC] = { 's', STYLE_SYSTEM, "a system call, in an RPC" },
	[CELL_NORMAL] = { 'N', STYLE_NORMAL, "a normal call, in the secure world" },
	[CELL_NORMAL_RPC] = { 'n', STYLE_NORMAL, "a normal call, in an RPC" },
	[CELL_HELD] = { 'h', STYLE_PLAIN, "a call from before optee-top came; in RPC or not?" },
	[CELL_RESERVED] = { 'r', STYLE_SYSTEM, "free, but in reserve for system sessions" },
	[CELL_FREE] = { '.', STYLE_DIM, "free" },
};

static int at_least_0(int n)
{
	return n > 0 ? n : 0;
}

static void count_free(const struct snap_pool *pool, int count[NR_CELLS])
{
	int idle = at_least_0(pool->total - pool->in_use_all);
	int reserved = at_least_0(pool->reserved);

	/* In v6 a system call uses its reservation up; in the merged design it does not. */
	if (pool->design == DESIGN_V6)
		reserved = at_least_0(reserved - pool->in_use[CLASS_SYSTEM]);
	count[CELL_RESERVED] = reserved < idle ? reserved : idle;
	count[CELL_FREE] = idle - count[CELL_RESERVED];
}

static void count_cells(const struct snapshot *s, u32 index, int count[NR_CELLS])
{
	const struct snap_pool *pool = &s->pools[index];
	int rpc[NR_CLASSES] = {}, held[NR_CLASSES] = {};

	for (u32 i = 0; i < s->nr_calls; i++) {
		const struct snap_call *call = &s->calls[i];

		if (call->pool != index || call->queued)
			continue;
		rpc[call->class] += call->phase == PHASE_RPC || call->phase == PHASE_BLIND;
		held[call->class] += call->phase == PHASE_HOLDING;
	}
	count[CELL_SYSTEM_RPC] = rpc[CLASS_SYSTEM];
	count[CELL_NORMAL_RPC] = rpc[CLASS_NORMAL];
	count[CELL_HELD] = held[CLASS_SYSTEM] + held[CLASS_NORMAL];
	count[CELL_SYSTEM] =
		at_least_0(pool->in_use[CLASS_SYSTEM] - rpc[CLASS_SYSTEM] - held[CLASS_SYSTEM]);
	count[CELL_NORMAL] =
		at_least_0(pool->in_use[CLASS_NORMAL] - rpc[CLASS_NORMAL] - held[CLASS_NORMAL]);
	count_free(pool, count);
}

static void put_bar(struct page *p, const struct snapshot *s, u32 index)
{
	int count[NR_CELLS], room = p->width > 40 ? p->width / 2 : 20;

	count_cells(s, index, count);
	page_put(p, STYLE_PLAIN, "  [");
	for (int cell = 0; cell < NR_CELLS; cell++)
		for (; count[cell] && room; count[cell]--, room--)
			page_put(p, cells[cell].style, "%c", cells[cell].sign);
	page_put(p, STYLE_PLAIN, s->pools[index].total < 0 ? "?]" : room ? "]" : "+]");
}

static void put_pool(struct page *p, const struct snapshot *s, u32 index)
{
	static const struct {
		const char *label, *field, *unit;
	} shown[] = {
		{ "oldest", "oldest_wait", "" }, { "exhausted", "exhausted_share", "%" },
		{ "reserved", "reserved", "" },  { "drift", "drift", "" },
		{ "design", "design", "" },
	};
	const struct snap_pool *pool = &s->pools[index];
	char a[80], b[80];

	page_put(p, STYLE_BOLD, "tee%u", pool->id);
	page_put(p, STYLE_PLAIN, "  T %s", pool_value(s, pool, "threads", a, sizeof(a)));
	put_bar(p, s, index);
	page_flow(p, 6, 2, STYLE_PLAIN, "free %s", pool_value(s, pool, "free", a, sizeof(a)));
	page_flow(p, 6, 2, STYLE_PLAIN, "normal %d", pool->in_use[CLASS_NORMAL]);
	page_flow(p, 6, 2, STYLE_PLAIN, "system %d", pool->in_use[CLASS_SYSTEM]);
	page_flow(p, 6, 2, STYLE_PLAIN, "in RPC %d", pool->in_rpc);
	page_flow(p, 6, 2, pool->waiting_all ? STYLE_WAITING : STYLE_PLAIN, "waiting %sn+%ss",
		  pool_value(s, pool, "waiting_normal", a, sizeof(a)),
		  pool_value(s, pool, "waiting_system", b, sizeof(b)));
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		bool known, wrong = !strcmp(shown[i].field, "drift") && pool->drift_known &&
				    pool->drift;

		pool_value(s, pool, shown[i].field, a, sizeof(a));
		known = strcmp(a, "-");
		page_flow(p, 6, 2, wrong ? STYLE_ALARM : STYLE_PLAIN, "%s %s%s", shown[i].label, a,
			  known ? shown[i].unit : "");
	}
	if (pool->mismatches)
		page_flow(p, 6, 2, STYLE_ALARM, "mismatches %llu",
			  (unsigned long long)pool->mismatches);
	page_newline(p);
}

void detail_pools(struct page *p, const struct snapshot *s)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		put_pool(p, s, i);
	if (!s->nr_pools) {
		page_put(p, STYLE_PLAIN, "no call yet: the pool of TEE threads is not known");
		page_newline(p);
	}
}

/* The queue. */

int detail_waiters(const struct snapshot *s)
{
	int n = 0;

	for (u32 i = 0; i < s->nr_calls; i++)
		n += s->calls[i].queued;
	return n;
}

static void put_waiter(struct page *p, const struct snapshot *s, const struct snap_call *call)
{
	const struct snap_session *row = call->session >= 0 ? &s->sessions[call->session] : NULL;
	char wait[32], cmd[32], ta[80] = "-";

	if (row)
		detail_value(session_field_find("ta"), s, row, ta, sizeof(ta));
	if (call->cmd == CMD_INVOKE)
		snprintf(cmd, sizeof(cmd), "invoke %u", call->func);
	else
		snprintf(cmd, sizeof(cmd), "%s",
			 call->cmd == CMD_UNKNOWN ? "-" : cmd_name(call->cmd));
	ns_if(call->phase_ns, call->phase_ns, wait, sizeof(wait));
	page_put(p, call->class == CLASS_SYSTEM ? STYLE_SYSTEM : STYLE_WAITING,
		 "%7s %-6s %7u %-15s %-14s %s%s", wait, class_name(call->class), call->tid,
		 call->comm[0] ? call->comm : "-", cmd, ta, call->nested ? ", nested" : "");
	if (s->nr_pools > 1)
		page_put(p, STYLE_PLAIN, " tee%u", s->pools[call->pool].id);
	page_newline(p);
}

void detail_queue(struct page *p, const struct snapshot *s, int rows)
{
	int waiters = detail_waiters(s), shown = waiters <= rows ? waiters : rows - 1;

	if (!waiters) {
		page_put(p, STYLE_DIM, "   nobody waits for a thread");
		page_newline(p);
		return;
	}
	page_put(p, STYLE_BOLD, "%7s %-6s %7s %-15s %-14s %s", "WAITS", "CLASS", "TID", "TASK",
		 "COMMAND", "TA");
	page_newline(p);
	for (u32 i = 0; i < s->nr_calls && shown > 0; i++)
		if (s->calls[i].queued) {
			put_waiter(p, s, &s->calls[i]);
			shown--;
		}
	if (waiters > rows) {
		page_put(p, STYLE_WAITING, "   +%d more", waiters - at_least_0(rows - 1));
		page_newline(p);
	}
}

static void put_losses(struct page *p, const struct snap_losses *l)
{
	bool lost = false;

	for (int i = 0; i < NR_LOSSES; i++)
		if (l->count[i]) {
			page_flow(p, 0, 2, STYLE_ALARM, "%s%s %llu",
				  lost ? "" : "lost: ", loss_fields[i].name,
				  (unsigned long long)l->count[i]);
			lost = true;
		}
	if (!lost)
		page_flow(p, 0, 2, STYLE_PLAIN, "lost 0");
	if (!l->missed_known)
		page_flow(p, 0, 2, STYLE_PLAIN, "missed -");
	else
		page_flow(p, 0, 2, l->missed ? STYLE_ALARM : STYLE_PLAIN, "missed %llu",
			  (unsigned long long)l->missed);
}

void detail_totals(struct page *p, const struct snapshot *s)
{
	u64 calls = 0, failed = 0, now = 0;
	struct value rate = { .known = s->interval_ns != 0 };
	char text[32];

	for (u32 i = 0; i < s->nr_pools; i++)
		for (int class = 0; class < NR_CLASSES; class ++) {
			calls += s->pools[i].sums[class].calls;
			failed += s->pools[i].sums[class].failed;
			now += s->pools[i].sums_iv[class].calls;
		}
	if (rate.known)
		rate.number = (double)now * 1e9 / (double)s->interval_ns;
	page_flow(p, 0, 2, STYLE_PLAIN, "%s calls/s",
		  value_format(&rate, UNIT_PER_SECOND, text, sizeof(text)));
	page_flow(p, 0, 2, STYLE_PLAIN, "calls %llu", (unsigned long long)calls);
	page_flow(p, 0, 2, STYLE_PLAIN, "failed %llu", (unsigned long long)failed);
	put_losses(p, &s->losses);
}

/* A session. */

void detail_open(struct detail *d, const struct snap_session *row)
{
	d->row = *row;
	d->gone = false;
	if (!row->wait)
		return;
	d->wait = *row->wait;
	d->hold = *row->hold;
	d->secure = *row->secure;
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
	static const char *const units[] = {
		[UNIT_TEXT] = "",         [UNIT_COUNT] = "",    [UNIT_NS] = "",
		[UNIT_PER_SECOND] = "/s", [UNIT_PERCENT] = "%",
	};
	char text[80];

	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];

		detail_value(f, s, row, text, sizeof(text));
		put_cell(p, f->name, text, strcmp(text, "-") ? units[f->unit] : "");
	}
	page_end(p);
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
			 ns_if(n->calls, n->wait_ns, wait, sizeof(wait)),
			 ns_if(n->calls, n->wait_max_ns, longest, sizeof(longest)),
			 ns_if(n->calls, n->hold_ns, hold, sizeof(hold)),
			 ns_if(n->calls, n->secure_ns, secure, sizeof(secure)),
			 ns_if(n->calls, n->hold_ns - n->secure_ns, rpc, sizeof(rpc)));
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
		sums[i / step] += h->count[i];
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
	while (!h->count[first])
		first++;
	while (!h->count[last])
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

void detail_help(struct page *p)
{
	put_heading(p, "A pool's bar: one sign a TEE thread");
	for (int cell = 0; cell < NR_CELLS; cell++) {
		page_put(p, cells[cell].style, "  %c", cells[cell].sign);
		page_words(p, 5, STYLE_PLAIN, cells[cell].help);
		page_newline(p);
	}
	page_put(p, STYLE_PLAIN, "  ?");
	page_words(p, 5, STYLE_PLAIN, "how many more threads there are is not known");
	page_newline(p);
	put_heading(p, "Columns, and fields to sort by");
	for (size_t i = 0; i < nr_session_fields; i++)
		put_help(p, session_fields[i].name, session_fields[i].head ?: "",
			 session_fields[i].help);
	put_heading(p, "Before a session: * a call of it waits, x it is closed. '-' is what is not "
		       "known.");
	put_heading(p, "Figures of a pool");
	for (size_t i = 0; i < nr_pool_fields; i++)
		put_help(p, pool_fields[i].name, "", pool_fields[i].help);
	put_heading(p, "Losses: what was not seen");
	for (int i = 0; i < NR_LOSSES; i++)
		put_help(p, loss_fields[i].name, "", loss_fields[i].help);
	put_help(p, "missed", "", "hook runs that the kernel skipped");
}
