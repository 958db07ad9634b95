// SPDX-License-Identifier: GPL-2.0-only
/*
 * optee-top check: a source, what was seen of it, and a verdict for each rule. The
 * source is a recording, or the running kernel, for some time or while a command
 * runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "check_report.h"
#include "child.h"
#include "live.h"
#include "rules.h"
#include "stop.h"

#define SETTLE_NS 1250000000 /* after the command: a drift has to last for a second */

struct run {
	const struct opts *o;
	struct source source;
	struct rules rules;
	struct seen *seen;
	struct child child;
};

static void take_calls(struct run *run)
{
	const struct source *source = &run->source;
	const struct call_record *calls;
	u32 n;

	while (source->calls && (n = source->calls(source->ctx, &calls)))
		for (u32 i = 0; i < n; i++)
			if (seen_call(run->seen, &calls[i]))
				rules_wait(&run->rules, calls[i].class, calls[i].wait_ns);
}

static bool take_snapshot(struct run *run, bool last)
{
	const struct snapshot *s = run->source.next(run->source.ctx);

	if (!s)
		return false;
	seen_snapshot(run->seen, s);
	if (last)
		run->seen->ended_ns = s->mono_ns;
	take_calls(run);
	return true;
}

/* False: the source has ended. */
static bool take_look(struct run *run)
{
	const struct event *events;
	u32 n = run->source.look(run->source.ctx, &events);

	if (n == LOOK_ENDED)
		return false;
	seen_events(run->seen, events, n);
	take_calls(run);
	return true;
}

static u64 earliest(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* Watches a live source until the time is over, or the command is. False: interrupted. */
static bool watch(struct run *run)
{
	u64 delay = (u64)(run->o->delay * 1e9), now = source_now(), due = now + delay;
	u64 settle = delay > SETTLE_NS ? delay : SETTLE_NS;
	u64 end = run->o->live > 0 ? now + (u64)(run->o->live * 1e9) : ~0ULL;
	bool there = true, last = false;

	while (!last) {
		stop_sleep(earliest(now + LOOK_NS, earliest(due, end)));
		if (stop_asked) {
			if (!run->child.pid)
				return false;
			child_signal(&run->child, stop_asked);
			stop_asked = 0;
		}
		now = source_now();
		there = there && take_look(run);
		if (end == ~0ULL && child_ended(&run->child))
			end = now + settle;
		last = now >= end || (!there && !run->child.pid);
		if (there && (last || now >= due)) {
			there = take_snapshot(run, last);
			due = now + delay;
		}
	}
	run->seen->driver_left = !there;
	return true;
}

static enum status judge(struct run *run)
{
	struct seen *seen = run->seen;
	struct report report = { run->source.host, seen, &run->rules, NULL };
	struct finding *findings = calloc(run->rules.nr, sizeof(*findings));
	enum status status;

	if (!findings)
		return fail(STATUS_FAILURE, "cannot judge: out of memory");
	seen_finish(seen);
	for (u32 i = 0; i < seen->nr_waiting; i++)
		rules_wait(&run->rules, seen->waiting[i].class, seen->waiting[i].ns);
	for (size_t i = 0; i < run->rules.nr; i++)
		run->rules.rules[i].kind->judge(&run->rules.rules[i], seen, &findings[i]);
	report.findings = findings;
	status = report_print(&report, run->o);
	if (status == STATUS_OK)
		status = stop_flush();
	if (status == STATUS_OK && !report_passes(&report))
		status = STATUS_FAILURE;
	for (size_t i = 0; i < run->rules.nr; i++)
		finding_release(&findings[i]);
	free(findings);
	return status;
}

static enum status seen_begin(struct run *run, const struct source *source)
{
	run->source = *source;
	run->seen = malloc(sizeof(*run->seen));
	if (!run->seen)
		return fail(STATUS_FAILURE, "cannot check: out of memory");
	seen_init(run->seen, source->host, source->calls && source->host->calls);
	return STATUS_OK;
}

static enum status check_attached(struct run *run)
{
	enum status status = STATUS_OK;

	if (!take_snapshot(run, false))
		return fail(STATUS_FAILURE, "cannot check: %s", strerror(errno));
	if (run->o->command)
		status = child_start(&run->child, run->o->command);
	if (status != STATUS_OK)
		return status;
	if (!watch(run))
		return fail(STATUS_FAILURE, "interrupted: no verdict");
	run->seen->has_command = run->o->command != NULL;
	run->seen->command_status = run->child.status;
	return judge(run);
}

static enum status check_live(struct run *run)
{
	struct opts o = *run->o;
	struct source source;
	enum status status;
	struct live live;

	o.attach.calls = true;
	o.attach.starved_ns = rules_starved(&run->rules, o.attach.starved_ns);
	status = live_start(&live, &o);
	if (status != STATUS_OK)
		return status;
	stop_catch();
	source = live_source(&live);
	status = seen_begin(run, &source);
	if (status == STATUS_OK)
		status = check_attached(run);
	live_stop(&live);
	if (status <= STATUS_FAILURE && o.strict && live.lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}

static enum status check_recording(struct run *run)
{
	return fail(STATUS_FAILURE, "cannot read '%s': recordings cannot be read yet",
		    run->o->rest[1]);
}

static enum status check_input(const struct opts *o)
{
	int inputs = (o->rest[1] != NULL) + (o->live > 0) + (o->command != NULL);

	if (inputs == 1 && (!o->command || *o->command))
		return STATUS_OK;
	if (o->command && !*o->command)
		return fail(STATUS_USAGE, "no COMMAND after '--'; see 'optee-top --help'");
	return fail(
		STATUS_USAGE,
		"check needs %s: a FILE, '--live SECONDS' or '-- COMMAND'; see 'optee-top --help'",
		inputs ? "one input only" : "something to look at");
}

enum status check(const struct opts *o)
{
	struct run run = { .o = o };
	enum status status = check_input(o);

	if (status == STATUS_OK)
		status = rules_load(&run.rules, o->rules, o->command != NULL);
	if (status != STATUS_OK)
		return status;
	status = o->rest[1] ? check_recording(&run) : check_live(&run);
	if (run.seen)
		seen_release(run.seen);
	free(run.seen);
	rules_release(&run.rules);
	return status;
}
