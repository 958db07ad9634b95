// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batch frames: the same figures as the live view, in the order a reader needs
 * them: pools, who waits, sessions, losses. No escapes, fixed columns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/printable.h"
#include "base/stop.h"
#include "base/text.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "model/figures.h"
#include "options/filter.h"
#include "render/json.h"
#include "view/view_batch.h"

static void print_figures(const char *before, struct figures f)
{
	char text[80];

	for (; figures_next(&f); before = " ")
		printf("%s%s=%s", before, f.name,
		       value_format(&f.value, f.unit, text, sizeof(text)));
	putchar('\n');
}

static void print_conditions(const struct snapshot *s, const struct snap_pool *pool)
{
	char all[16], longest[16];

	for (int i = 0; i < NR_CONDS; i++) {
		const struct snap_cond *c = &pool->conds[i];

		if (!c->known || !c->count)
			continue;
		printf("condition tee%u %s count=%llu lasting=%llu time=%s longest=%s peak=%llu\n",
		       pool->id, condition_table[i].key, (unsigned long long)c->count,
		       (unsigned long long)c->lasting, format_ns(c->ns, all, sizeof(all)),
		       format_ns(c->longest_ns, longest, sizeof(longest)),
		       (unsigned long long)c->peak);
	}
	for (u32 i = 0; i < s->nr_events; i++) {
		const struct event *e = &s->events[i];
		char why[EVENT_LINE], who[EVENT_LINE];

		if (e->tee == pool->id)
			printf("event tee%u %s %s after=%s%s peak=%u %s; %s\n", pool->id,
			       condition_table[e->condition].key, event_state_name(e->state),
			       event_at_least(e) ? ">=" : "",
			       format_ns(e->duration_ns, all, sizeof(all)), e->peak,
			       event_why(e, why, sizeof(why)), event_who(e, who, sizeof(who)));
	}
}

static void print_policies(const struct snap_pool *pool)
{
	for (u32 p = 0; p < pool->nr_policies; p++)
		for (int class = 0; class < NR_CLASSES; class ++) {
			printf("policy tee%u", pool->id);
			print_figures(" ", policy_figures(&pool->policies[p], class));
		}
}

static void print_scmi(const struct snap_pool *pool)
{
	for (u32 i = 0; i < pool->nr_scmi; i++) {
		printf("scmi tee%u", pool->id);
		print_figures(" ", scmi_figures(&pool->scmi[i]));
	}
}

static void print_waiter(const struct snapshot *s, const struct snap_call *call)
{
	const struct snap_session *row = call->session >= 0 ? &s->sessions[call->session] : NULL;
	struct value ta = row ? session_field_find("ta")->get(s, row) : (struct value){};
	struct value waits = { .known = call->phase_ns != 0,
			       .at_least = call->phase_at_least,
			       .number = (double)call->phase_ns };
	char time_text[32];

	printf("wait tee%u tid=%u comm=%s ta=%s class=%s cmd=%s waits=%s\n",
	       s->pools[call->pool].id, call->tid, call->comm, ta.known ? ta.text : "-",
	       class_name(call->class), call->cmd == CMD_UNKNOWN ? "-" : cmd_name(call->cmd),
	       value_format(&waits, UNIT_NS, time_text, sizeof(time_text)));
}

static void print_cell(const struct session_field *f, const char *text)
{
	char cell[80];

	if (f->unit == UNIT_TEXT)
		printf("%s ", printable_fit(cell, sizeof(cell), text, f->width));
	else
		printf("%*s ", f->width, text);
}

static void print_sessions(const struct opts *o, const struct snapshot *s)
{
	u32 *order = malloc((s->nr_sessions + 1) * sizeof(*order));
	bool *shown = malloc(nr_session_fields);
	char text[80];

	if (!order || !shown)
		goto out;
	for (size_t i = 0; i < nr_session_fields; i++) {
		shown[i] = session_field_shown(&session_fields[i], s);
		if (shown[i])
			print_cell(&session_fields[i], session_fields[i].head);
	}
	putchar('\n');
	sessions_order(s, o->sort, o->reverse, order);
	for (u32 n = 0; n < s->nr_sessions; n++) {
		const struct snap_session *row = &s->sessions[order[n]];

		if (!filter_shows(o, s, row))
			continue;
		for (size_t i = 0; i < nr_session_fields; i++) {
			const struct session_field *f = &session_fields[i];
			struct value v;

			if (!shown[i])
				continue;
			v = f->get(s, row);
			print_cell(f, value_format(&v, f->unit, text, sizeof(text)));
		}
		putchar('\n');
	}
out:
	free(shown);
	free(order);
}

static void print_frame(const struct opts *o, const struct snapshot *s)
{
	time_t now = (time_t)(s->real_ns / 1000000000);
	struct tm tm;
	char date[32];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("optee-top %s interval=%.3fs\n", date, (double)s->interval_ns / 1e9);
	for (u32 i = 0; i < s->nr_pools; i++) {
		print_figures("pool ", pool_figures(s, &s->pools[i]));
		print_conditions(s, &s->pools[i]);
		print_policies(&s->pools[i]);
		print_scmi(&s->pools[i]);
	}
	for (u32 i = 0; i < s->nr_calls; i++)
		if (s->calls[i].queued)
			print_waiter(s, &s->calls[i]);
	print_sessions(o, s);
	print_figures("lost ", loss_figures(&s->losses));
	putchar('\n');
}

static enum status print(const struct opts *o, const struct host *host, const struct snapshot *s)
{
	if (!o->json)
		print_frame(o, s);
	else if (!json_print(snapshot_json(o, host, s), JSON_LINE))
		return fail(STATUS_FAILURE, "cannot print a frame: out of memory");
	return stop_flush();
}

enum status view_batch(const struct opts *o, const struct source *source)
{
	u64 delay = (u64)(o->delay * 1e9), due = clock_now();
	enum status status = STATUS_OK;
	const struct snapshot *s;
	int frames = 0, last = opts_frames(o);

	stop_catch();
	printable_guard_stdout();
	while (status == STATUS_OK && (!last || frames < last)) {
		s = source->next(source->ctx);
		if (!s)
			break;
		if (s->interval_ns) { /* else the first interval begins here */
			status = print(o, source->host, s);
			frames += source_counts(source, s, delay);
		}
		due = source_next_deadline(source, due, delay);
		if ((!last || frames < last) && !source_wait(source, due))
			break;
	}
	return status;
}

bool view_batch_wanted(const struct opts *o)
{
	const char *term = getenv("TERM");

	return o->batch || o->json || !isatty(STDOUT_FILENO) || !term || !*term ||
	       !strcmp(term, "dumb");
}
