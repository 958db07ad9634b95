// SPDX-License-Identifier: GPL-2.0-only
/* Takes what a source shows, and has each rule judge it. */
#include <stdlib.h>
#include "base/stop.h"
#include "check/check_run.h"

enum status check_run_init(struct check_run *t, const struct opts *o)
{
	*t = (struct check_run){ .format = report_format(o), .o = o };
	if (!t->format)
		return STATUS_USAGE;
	return rules_load(&t->rules, o->rules, o->command != NULL);
}

void check_run_release(struct check_run *t)
{
	if (t->seen)
		summary_release(t->seen);
	free(t->seen);
	rules_release(&t->rules);
}

enum status check_run_begin(struct check_run *t, const struct source *source)
{
	t->source = *source;
	t->seen = malloc(sizeof(*t->seen));
	if (!t->seen)
		return fail(STATUS_FAILURE, "cannot check: out of memory");
	summary_init(t->seen, source->host, source->calls && source->host->calls);
	return STATUS_OK;
}

static void take_call(struct check_run *t, const struct call_record *call)
{
	if (call->flags & RECORD_RELEASE)
		return;
	summary_call(t->seen, call);
	rules_wait(&t->rules, call->class, call->wait_ns);
}

static void take_calls(struct check_run *t)
{
	const struct source *source = &t->source;
	const struct call_record *calls;
	u32 n;

	while (source->calls && (n = source->calls(source->ctx, &calls)))
		for (u32 i = 0; i < n; i++)
			take_call(t, &calls[i]);
}

bool check_run_snapshot(struct check_run *t)
{
	const struct snapshot *s = t->source.next(t->source.ctx);

	if (!s)
		return false;
	summary_snapshot(t->seen, s);
	take_calls(t);
	return true;
}

bool check_run_look(struct check_run *t)
{
	const struct event *events;
	u32 n = t->source.look(t->source.ctx, &events);

	if (n == LOOK_ENDED)
		return false;
	summary_events(t->seen, events, n);
	take_calls(t);
	return true;
}

void check_run_all(struct check_run *t)
{
	while (check_run_snapshot(t))
		check_run_look(t);
}

enum status check_run_judge(struct check_run *t)
{
	struct finding *findings = calloc(t->rules.nr, sizeof(*findings));
	struct report report = { t->source.host, t->seen, &t->rules, findings };
	enum status status;

	if (!findings)
		return fail(STATUS_FAILURE, "cannot judge: out of memory");
	summary_finish(t->seen);
	for (u32 i = 0; i < t->seen->nr_waiting; i++)
		rules_wait(&t->rules, t->seen->waiting[i].class, t->seen->waiting[i].ns);
	for (size_t i = 0; i < t->rules.nr; i++)
		t->rules.rules[i].judge(&t->rules.rules[i], t->seen, &findings[i]);
	status = t->format->print(&report);
	if (status == STATUS_OK)
		status = stop_flush();
	if (status == STATUS_OK && !report_passes(&report))
		status = STATUS_FAILURE;
	for (size_t i = 0; i < t->rules.nr; i++)
		finding_release(&findings[i]);
	free(findings);
	return status;
}
