// SPDX-License-Identifier: GPL-2.0-only
/*
 * optee-top check: what a trial looks at is a recording, or the running kernel, for
 * some time or while a command runs.
 */
#include <errno.h>
#include <string.h>
#include "base/child.h"
#include "base/stop.h"
#include "check/check_run.h"
#include "command/cmd_check.h"
#include "source/observer.h"
#include "source/recording.h"

#define NEVER     (~0ULL)
#define SETTLE_NS 1250000000 /* after the command: a drift has to last for a second */

static u64 earliest(u64 a, u64 b)
{
	return a < b ? a : b;
}

/*
 * Watches a live source until its time is over, or the command is and what comes
 * after it has been seen. False: interrupted.
 */
static bool watch(struct check_run *t, struct child *child)
{
	u64 delay = (u64)(t->o->delay * 1e9), now = clock_now(), due = now + delay;
	u64 settle = delay > SETTLE_NS ? delay : SETTLE_NS;
	u64 end = t->o->live > 0 ? now + (u64)(t->o->live * 1e9) : NEVER;
	bool there = true, last = false;

	while (!last) {
		stop_sleep(earliest(now + LOOK_NS, earliest(due, end)));
		if (stop_asked) {
			if (!child->pid)
				return false;
			child_signal(child, stop_asked);
			stop_asked = 0;
		}
		now = clock_now();
		there = there && check_run_look(t);
		if (end == NEVER && child_ended(child))
			end = now + settle;
		last = now >= end || (!there && !child->pid);
		if (there && (last || now >= due)) {
			there = check_run_snapshot(t);
			due = now + delay;
		}
	}
	t->seen->driver_left = !there;
	return true;
}

static enum status check_attached(struct check_run *t)
{
	enum status status = STATUS_OK;
	struct child child = {};

	if (!check_run_snapshot(t))
		return fail(STATUS_FAILURE, "cannot check: %s", strerror(errno));
	if (t->o->command)
		status = child_start(&child, t->o->command);
	if (status != STATUS_OK)
		return status;
	if (!watch(t, &child))
		return fail(STATUS_FAILURE, "interrupted: no verdict");
	t->seen->has_command = t->o->command != NULL;
	t->seen->command_status = child.status;
	return check_run_judge(t);
}

static enum status check_live(struct check_run *t)
{
	const struct daemon_client_opts want = {
		.since_ns = ~0ULL, .fresh = true, .calls = true, .silence_ns = DAEMON_SILENCE_NS
	};
	struct opts o = *t->o;
	struct observer present;
	enum status status;
	bool lost;

	o.attach.calls = true;
	o.attach.starved_ns = rules_starved(&t->rules, o.attach.starved_ns);
	status = observer_open(&present, &o, &want, false);
	if (status != STATUS_OK)
		return status;
	stop_catch();
	status = check_run_begin(t, &present.source);
	if (status == STATUS_OK)
		status = check_attached(t);
	lost = observer_lost(&present);
	if (status <= STATUS_FAILURE && observer_fault(&present, &o) != STATUS_OK)
		status = STATUS_FAILURE;
	observer_close(&present);
	if (status <= STATUS_FAILURE && o.strict && lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}

static enum status check_recording(struct check_run *t)
{
	const char *file = t->o->rest[1];
	struct recording *recording;
	struct source source;
	enum status status;

	status = recording_open(&recording, file);
	if (status != STATUS_OK)
		return status;
	source = recording_source(recording);
	status = check_run_begin(t, &source);
	if (status == STATUS_OK) {
		check_run_all(t);
		t->seen->damaged = recording_damaged(recording);
		status = check_run_judge(t);
	}
	if (status <= STATUS_FAILURE && t->o->strict && recording_strict(recording) != STATUS_OK)
		status = STATUS_INCOMPLETE;
	recording_close(recording);
	return status;
}

static enum status check_input(const struct opts *o)
{
	int inputs = (o->rest[1] != NULL) + (o->live > 0) + (o->command != NULL);

	if (o->command && !*o->command)
		return fail(STATUS_USAGE, "no COMMAND after '--'; see 'optee-top --help'");
	if (inputs != 1)
		return fail(STATUS_USAGE,
			    "check needs %s: a FILE, '--live SECONDS' or '-- COMMAND'; see "
			    "'optee-top --help'",
			    inputs ? "one input only" : "something to look at");
	return STATUS_OK;
}

enum status cmd_check(const struct opts *o)
{
	enum status status = check_input(o);
	struct check_run t;

	if (status == STATUS_OK)
		status = check_run_init(&t, o);
	if (status != STATUS_OK)
		return status;
	status = o->rest[1] ? check_recording(&t) : check_live(&t);
	check_run_release(&t);
	return status;
}
