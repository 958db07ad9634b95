// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is above and below the table in the live view: the pools, the queue, the
 * totals. Lines of text; what the figures are called and which of them are known
 * comes from the field tables.
 */
#include <stdio.h>
#include <string.h>
#include "base/printable.h"
#include "view/view_conditions.h"
#include "view/view_policies.h"
#include "view/view_pool.h"
#include "view/view_value.h"

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
	[CELL_HELD] = { 'h', STYLE_PLAIN, "a call from before the attach; in an RPC or not?" },
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

	/* A system call uses its reservation up, but in the merged design. */
	if (pool->design == DESIGN_V6 || pool->design == DESIGN_SINGLE)
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
	bool at_least = pool->threads_at_least >= 0 && pool_followed(pool);
	char a[80], b[80];

	page_put(p, STYLE_BOLD, "tee%u", pool->id);
	page_put(p, STYLE_PLAIN, "  T %s%s", at_least ? ">=" : "",
		 pool_value(s, pool, at_least ? "threads_at_least" : "threads", a, sizeof(a)));
	if (!pool_followed(pool)) {
		page_flow(p, 6, 2, STYLE_ALARM, "%s", sight_name(pool->sight));
		view_policies_pool(p, pool);
		page_newline(p);
		return;
	}
	put_bar(p, s, index);
	page_flow(p, 6, 2, STYLE_PLAIN, "free %s", pool_value(s, pool, "free", a, sizeof(a)));
	page_flow(p, 6, 2, STYLE_PLAIN, "normal %d", pool->in_use[CLASS_NORMAL]);
	page_flow(p, 6, 2, STYLE_PLAIN, "system %d", pool->in_use[CLASS_SYSTEM]);
	page_flow(p, 6, 2, STYLE_PLAIN, "in RPC %d", pool->in_rpc);
	page_flow(p, 6, 2, pool->waiting_all ? STYLE_WAITING : STYLE_PLAIN, "waiting %sn+%ss",
		  pool_value(s, pool, "waiting_normal", a, sizeof(a)),
		  pool_value(s, pool, "waiting_system", b, sizeof(b)));
	if (pool->at_arguments > 0)
		page_flow(p, 6, 2, STYLE_WAITING, "at the argument cache %d", pool->at_arguments);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		bool known, wrong = !strcmp(shown[i].field, "drift") && pool->drift_known &&
				    pool->drift;

		pool_value(s, pool, shown[i].field, a, sizeof(a));
		known = strcmp(a, "-");
		page_flow(p, 6, 2, wrong ? STYLE_ALARM : STYLE_PLAIN, "%s %s%s", shown[i].label, a,
			  known ? shown[i].unit : "");
	}
	if (pool->system_sessions_unseen > 0)
		page_flow(p, 6, 2, STYLE_BOLD, "%d system session%s not seen yet",
			  pool->system_sessions_unseen,
			  pool->system_sessions_unseen == 1 ? "" : "s");
	if (pool->judged_reserved != pool->reserved)
		page_flow(p, 6, 2, STYLE_BOLD, "judged by reserved %d", pool->judged_reserved);
	view_conditions_pool(p, s, pool);
	view_policies_pool(p, pool);
	page_newline(p);
}

void pool_lines(struct page *p, const struct snapshot *s)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		put_pool(p, s, i);
	if (!s->nr_pools) {
		page_put(p, STYLE_PLAIN, "no call yet: the pool of TEE threads is not known");
		page_newline(p);
	}
}

/* The queue. */

/* In the queue; or for the argument cache, before the queue or after the call. */
static bool waits(const struct snap_call *call)
{
	return call->queued || at_arguments(call->phase);
}

int pool_waiters(const struct snapshot *s)
{
	int n = 0;

	for (u32 i = 0; i < s->nr_calls; i++)
		n += waits(&s->calls[i]);
	return n;
}

static void put_waiter(struct page *p, const struct snapshot *s, const struct episode_log *l,
		       const struct snap_call *call)
{
	const struct snap_session *row = call->session >= 0 ? &s->sessions[call->session] : NULL;
	char task[80], wait[32], waits[40], cmd[32], ta[80] = "-";
	const char *name, *comm = call->comm[0] ? call->comm : "-";
	enum mark mark = episode_log_call(l, s, call, &name);

	if (row)
		view_value(session_field_find("ta"), s, row, ta, sizeof(ta));
	if (at_arguments(call->phase))
		snprintf(cmd, sizeof(cmd), "(%s)", phase_name(call->phase));
	else if (call->cmd == CMD_INVOKE)
		snprintf(cmd, sizeof(cmd), "invoke %u", call->func);
	else
		snprintf(cmd, sizeof(cmd), "%s",
			 call->cmd == CMD_UNKNOWN ? "-" : cmd_name(call->cmd));
	view_ns(call->phase_ns, call->phase_ns, wait, sizeof(wait));
	snprintf(waits, sizeof(waits), "%s%s", call->phase_at_least ? ">=" : "", wait);
	page_put(p,
		 mark == MARK_ALARM          ? STYLE_ALARM :
		 call->class == CLASS_SYSTEM ? STYLE_SYSTEM :
					       STYLE_WAITING,
		 "%c%6s %-6s %7u %s %-14s %s%s%s%s", MARK_SIGNS[mark], waits,
		 call_is_known(call->phase, call->cmd) ? class_name(call->class) : "-", call->tid,
		 printable_fit(task, sizeof(task), comm,
			       printable_width(comm) > 15 ? printable_width(comm) : 15),
		 cmd, ta, call->nested ? ", nested" : "", name ? ", " : "", name ?: "");
	if (s->nr_pools > 1)
		page_put(p, STYLE_PLAIN, " tee%u", s->pools[call->pool].id);
	page_newline(p);
}

static bool all_followed(const struct snapshot *s)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		if (!pool_followed(&s->pools[i]))
			return false;
	return true;
}

void pool_queue(struct page *p, const struct snapshot *s, const struct episode_log *l, int rows)
{
	int waiters = pool_waiters(s), shown = waiters <= rows ? waiters : rows - 1;

	if (!waiters) {
		page_put(p, STYLE_DIM, "%s",
			 all_followed(s) ? "   nobody waits for a thread" :
					   "   who waits for a thread is not known");
		page_newline(p);
		return;
	}
	page_put(p, STYLE_BOLD, "%7s %-6s %7s %-15s %-14s %s", "WAITS", "CLASS", "TID", "TASK",
		 "COMMAND", "TA");
	page_newline(p);
	for (u32 i = 0; i < s->nr_calls && shown > 0; i++)
		if (waits(&s->calls[i])) {
			put_waiter(p, s, l, &s->calls[i]);
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
		page_flow(p, 0, 2, STYLE_PLAIN, l->unknown ? "lost 0, %u unknown" : "lost 0",
			  l->unknown);
	if (!l->missed_known)
		page_flow(p, 0, 2, STYLE_PLAIN, "missed -");
	else
		page_flow(p, 0, 2, l->missed ? STYLE_ALARM : STYLE_PLAIN, "missed %llu",
			  (unsigned long long)l->missed);
}

/* Where some calls were seen, this is their number: the losses tell of others. */
static void put_total(struct page *p, const struct snapshot *s, const char *what, u64 n)
{
	if (n || all_followed(s))
		page_flow(p, 0, 2, STYLE_PLAIN, "%s %llu", what, (unsigned long long)n);
	else
		page_flow(p, 0, 2, STYLE_PLAIN, "%s -", what);
}

void pool_totals(struct page *p, const struct snapshot *s)
{
	u64 calls = 0, failed = 0, now = 0;
	struct value rate = { .known = s->interval_ns != 0 && all_followed(s) };
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
	put_total(p, s, "calls", calls);
	put_total(p, s, "failed", failed);
	put_losses(p, &s->losses);
}

void pool_help(struct page *p)
{
	for (int cell = 0; cell < NR_CELLS; cell++) {
		page_put(p, cells[cell].style, "  %c", cells[cell].sign);
		page_words(p, 5, STYLE_PLAIN, cells[cell].help);
		page_newline(p);
	}
	page_put(p, STYLE_PLAIN, "  ?");
	page_words(p, 5, STYLE_PLAIN, "how many more threads there are is not known");
	page_newline(p);
}
