// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a source to a format: puts calls and events in the order of time, finds the
 * session of each call, and leaves out what -p does not want.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/stop.h"
#include "base/text.h"
#include "export/call_order.h"
#include "export/export.h"
#include "export/export_csv.h"
#include "model/session_index.h"
#include "options/filter.h"

static const struct export_format *const formats[] = { &export_jsonl, &export_csv,
						       &export_perfetto };

const struct export_format *export_format(const struct opts *o)
{
	if (o->what && (!o->format || strcmp(o->format, export_csv.name))) {
		fail(STATUS_USAGE,
		     "'--what' is for --format csv; the other formats contain everything");
		return NULL;
	}
	if (!export_csv_has(o->what)) {
		fail(STATUS_USAGE, "no table '%s'; there are calls, sessions, pools and events",
		     o->what);
		return NULL;
	}
	if (!o->format) {
		fail(STATUS_USAGE, "'export' needs a format; give --format jsonl, csv or perfetto");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(o->format, formats[i]->name))
			return formats[i];
	fail(STATUS_USAGE, "no format '%s'; there are jsonl, csv and perfetto", o->format);
	return NULL;
}

/* An export as it goes. */
struct export_run {
	struct export x;
	const struct export_format *format;
	const struct snapshot *snapshot;
	struct session_index sessions;
	struct call_order order;
	const struct event **events; /* the snapshot's, in the order of time */
	u32 nr_events, next_event, event_room;
	/* The snapshot before, with its sessions: there may be calls behind the last. */
	struct snapshot last;
	struct snap_session *last_sessions;
	u32 last_room;
};

static bool shows(const struct opts *o, const struct call_view *c)
{
	char uuid[UUID_LEN];
	const char *ta;

	if (snapshot_real(c->snapshot, call_end(c->record)) < o->since_ns)
		return false;
	if (o->pid)
		return c->record->tgid == (u32)o->pid;
	if (!o->match)
		return true;
	ta = call_ta(c, uuid);
	return (c->row && text_has(c->row->comm, o->match)) || (ta && text_has(ta, o->match));
}

/* Those of one moment stay as they are. */
static int stable_order(const void *left, const void *right)
{
	const struct event *a = *(const struct event *const *)left;
	const struct event *b = *(const struct event *const *)right;

	return event_time_order(a, b) ?: (a > b) - (a < b);
}

/* Each look's events are in order, but a CPU may report an end after the look that followed it. */
static void order_events(struct export_run *r)
{
	const struct snapshot *s = r->snapshot;

	r->nr_events = r->next_event = 0;
	if (r->event_room < s->nr_events) {
		const struct event **more = realloc(r->events, s->nr_events * sizeof(*more));

		if (!more) {
			r->x.out_of_memory = true;
			return;
		}
		r->events = more;
		r->event_room = s->nr_events;
	}
	for (; r->nr_events < s->nr_events; r->nr_events++)
		r->events[r->nr_events] = &s->events[r->nr_events];
	if (r->nr_events)
		qsort(r->events, r->nr_events, sizeof(*r->events), stable_order);
}

/* Gives the events that were detected up to until_ns. */
static void give_events(struct export_run *r, u64 until_ns)
{
	for (; r->next_event < r->nr_events; r->next_event++) {
		const struct event *e = r->events[r->next_event];

		if (e->mono_ns > until_ns)
			return;
		if (e->real_ns < r->x.o->since_ns || !filter_shows_event(r->x.o, e))
			continue;
		r->x.events++;
		r->format->event(&r->x, e);
	}
}

static void give_call(struct export_run *r, const struct call_record *record)
{
	struct call_view c = { .record = record,
			       .snapshot = r->snapshot,
			       .row = session_index_find(&r->sessions, record->serial) };

	give_events(r, call_end(record));
	if (shows(r->x.o, &c))
		r->format->call(&r->x, &c);
}

static bool goes_on(const struct export_run *r)
{
	return !stop_asked && !r->x.out_of_memory && !ferror(r->x.out);
}

static void take_calls(struct export_run *r, const struct source *source)
{
	const struct call_record *calls;
	struct call_record call;
	u32 n;

	while (source->calls && goes_on(r) && (n = source->calls(source->ctx, &calls)))
		for (u32 i = 0; i < n; i++) {
			if (call_order_full(&r->order) && call_order_take(&r->order, &call))
				give_call(r, &call);
			call_order_put(&r->order, &calls[i]);
		}
}

/*
 * Calls that end while a snapshot is read come before it, too. One may be of a session that
 * was not there, or had no id yet, when its row was read: the next snapshot has it.
 */
static bool is_ahead(const struct export_run *r, const struct call_record *call)
{
	const struct snap_session *row = session_index_find(&r->sessions, call->serial);

	return call->serial && call_end(call) > r->last.mono_ns &&
	       (!row || row->flags & SESSION_OPENING);
}

static void give_calls(struct export_run *r, bool is_last)
{
	struct call_record call;

	while (goes_on(r) && call_order_take(&r->order, &call)) {
		if (!is_last && is_ahead(r, &call)) {
			call_order_put(&r->order, &call);
			return;
		}
		give_call(r, &call);
	}
}

/* Sessions without their histograms; no calls in flight and no events. */
static void keep(struct export_run *r, const struct snapshot *s)
{
	if (r->last_room < s->nr_sessions) {
		struct snap_session *more = realloc(r->last_sessions,
						    s->nr_sessions * sizeof(*more));

		if (!more) {
			r->x.out_of_memory = true;
			return;
		}
		r->last_sessions = more;
		r->last_room = s->nr_sessions;
	}
	for (u32 i = 0; i < s->nr_sessions; i++) {
		r->last_sessions[i] = s->sessions[i];
		r->last_sessions[i].wait = r->last_sessions[i].hold = r->last_sessions[i].secure =
			NULL;
	}
	r->last = *s;
	r->last.sessions = r->last_sessions;
	r->last.calls = NULL;
	r->last.events = NULL;
	r->last.nr_calls = r->last.nr_events = 0;
}

static void give_snapshot(struct export_run *r, const struct source *source,
			  const struct snapshot *s)
{
	r->snapshot = s;
	order_events(r);
	if (!session_index_make(&r->sessions, s)) {
		r->x.out_of_memory = true;
		return;
	}
	take_calls(r, source);
	give_calls(r, false);
	give_events(r, ~0ULL);
	if (s->real_ns >= r->x.o->since_ns)
		r->format->snapshot(&r->x, s);
	keep(r, s);
}

/* What ended behind the last snapshot, which had a part of the sessions at least. */
static void give_rest(struct export_run *r, const struct source *source)
{
	r->snapshot = &r->last;
	order_events(r);
	if (!session_index_make(&r->sessions, &r->last)) {
		r->x.out_of_memory = true;
		return;
	}
	take_calls(r, source);
	give_calls(r, true);
}

/* Calls that the source did not see, or had no room for. */
static u64 missing(const struct snapshot *s)
{
	static const enum loss of_calls[] = { LOSS_CALL_SLOT, LOSS_CALL_END, LOSS_POOL_SLOT,
					      LOSS_CALL_RECORD };
	u64 n = 0;

	for (size_t i = 0; i < sizeof(of_calls) / sizeof(of_calls[0]); i++)
		n += s->losses.count[of_calls[i]];
	return n;
}

static enum status say_end(const struct export_run *r, int why)
{
	char end[TIMESTAMP_LEN];

	if (r->x.out_of_memory || why == ENOMEM)
		return fail(STATUS_FAILURE, "cannot export: out of memory");
	if (stop_asked)
		return fail(STATUS_FAILURE, "cannot export all of it: interrupted by a signal");
	if (r->last.real_ns < r->x.o->since_ns)
		say("nothing is as recent as '--since' asks for: the recording ends at %s",
		    format_timestamp(r->last.real_ns, end));
	if (missing(&r->last))
		return fail(r->x.o->strict ? STATUS_INCOMPLETE : STATUS_OK,
			    "%llu calls were not recorded; see the losses in the snapshots",
			    (unsigned long long)missing(&r->last));
	return STATUS_OK;
}

enum status export_run(const struct opts *o, const struct export_format *format,
		       const struct source *source, FILE *out)
{
	struct export_run r = { .x = { .o = o, .host = source->host, .out = out },
				.format = format,
				.last = { .mono_ns = source->host->mono_ns,
					  .real_ns = source->host->real_ns } };
	const struct snapshot *s;
	int why = 0;

	if (call_order_init(&r.order))
		format->begin(&r.x);
	else
		r.x.out_of_memory = true;
	while (goes_on(&r)) {
		errno = 0;
		s = source->next(source->ctx);
		if (!s) {
			why = errno;
			break;
		}
		give_snapshot(&r, source, s);
	}
	if (goes_on(&r))
		give_rest(&r, source);
	if (format->end)
		format->end(&r.x);
	call_order_free(&r.order);
	session_index_free(&r.sessions);
	free(r.events);
	free(r.last_sessions);
	return say_end(&r, why);
}
