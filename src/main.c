// SPDX-License-Identifier: GPL-2.0-only
/* optee-top: a table of commands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "doctor.h"
#include "export.h"
#include "help.h"
#include "live.h"
#include "out_file.h"
#include "player.h"
#include "recorder.h"
#include "stop.h"
#include "view_batch.h"
#include "view_events.h"
#include "view_record.h"
#include "view_top.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static bool wants_batch(const struct opts *o)
{
	const char *term = getenv("TERM");

	return o->batch || o->json || !isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb");
}

typedef enum status (*view_fn)(const struct opts *o, const struct source *source);

/*
 * Runs a view on the running kernel, and anew when the driver has left and come
 * back. What it sees goes through a recorder, if there is one.
 */
static enum status on_live(const struct opts *o, view_fn view, struct recorder *recorder)
{
	enum status status;
	struct live live;

	do {
		struct source source = live_source(&live);

		status = live_start(&live, o);
		if (status != STATUS_OK)
			return status;
		if (recorder)
			source = recorder_source(recorder, &source);
		status = view(o, &source);
		live_stop(&live);
	} while (live.driver_left && !stop_asked);
	if (status == STATUS_OK && o->strict && live.lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}

static enum status cmd_top(const struct opts *o)
{
	return on_live(o, wants_batch(o) ? view_batch : view_top, NULL);
}

static enum status cmd_events(const struct opts *o)
{
	return on_live(o, view_events, NULL);
}

static enum status cmd_record(const struct opts *o)
{
	const char *file = o->rest[1];
	bool frames = o->batch || o->json;
	struct opts with = *o;
	struct recorder *recorder;
	enum status status, written;

	if (!file)
		return fail(STATUS_USAGE, "cannot record: no FILE was given");
	if (!strcmp(file, "-") && (frames || isatty(STDOUT_FILENO)))
		return fail(STATUS_USAGE, "cannot record to standard output: %s",
			    frames ? "the frames go there" : "it is a terminal; give a FILE");
	with.attach.calls = true;
	status = recorder_open(&recorder, file, o->compress);
	if (status != STATUS_OK)
		return status;
	status = on_live(&with, frames ? view_batch : view_record, recorder);
	written = recorder_close(recorder);
	return written == STATUS_OK ? status : written;
}

static enum status cmd_replay(const struct opts *o)
{
	const char *file = o->rest[1], *what = file ? o->rest[2] : NULL;
	struct recording *recording;
	struct player player;
	struct source source;
	enum status status;

	if (!file)
		return fail(STATUS_USAGE, "cannot replay: no FILE was given");
	if (what && strcmp(what, "events") != 0)
		return fail(STATUS_USAGE, "cannot replay '%s' of a recording: only 'events'", what);
	status = recording_open(&recording, file);
	if (status != STATUS_OK)
		return status;
	source = recording_source(recording);
	if (what) {
		status = view_events(o, &source);
	} else if (wants_batch(o)) {
		status = view_batch(o, &source);
	} else {
		player_init(&player, recording, o->speed);
		source = player_source(&player);
		status = view_top(o, &source);
	}
	if (status == STATUS_OK && o->strict)
		status = recording_strict(recording);
	recording_close(recording);
	return status;
}

static enum status cmd_check(const struct opts *o)
{
	return check(o);
}

/* To a file that is there only when all of it is; what is missing of the input is said. */
static enum status export_to(const struct opts *o, const struct export_format *format,
			     struct recording *recording)
{
	const struct source source = recording_source(recording);
	enum status status, written;
	struct out_file out;

	status = out_file_open(&out, o->output);
	if (status != STATUS_OK)
		return status;
	if (format->binary && isatty(out.fd)) {
		out_file_close(&out, false);
		return fail(STATUS_USAGE, "cannot export %s to a terminal; give --output OUT",
			    format->name);
	}
	stop_catch();
	status = export_run(o, format, &source, out.stream);
	written = out_file_close(&out, status != STATUS_FAILURE);
	return written == STATUS_OK ? status : written;
}

static enum status cmd_export(const struct opts *o)
{
	const struct export_format *format = export_format(o);
	const char *file = o->rest[1];
	struct recording *recording;
	enum status status;

	if (!format)
		return STATUS_USAGE;
	if (!file)
		return fail(STATUS_USAGE, "cannot export: no FILE was given");
	status = recording_open(&recording, file);
	if (status != STATUS_OK)
		return status;
	status = export_to(o, format, recording);
	if (status == STATUS_OK && o->strict)
		status = recording_strict(recording);
	recording_close(recording);
	return status;
}

static enum status cmd_doctor(const struct opts *o)
{
	return doctor(&o->attach);
}

static enum status cmd_help(const struct opts *o)
{
	const char *what = o->rest[0] ? o->rest[1] : NULL;

	if (!what)
		help_usage();
	else if (!strcmp(what, "fields"))
		help_fields();
	else if (!strcmp(what, "conditions"))
		help_conditions();
	else if (!strcmp(what, "rules"))
		help_rules();
	else if (!strcmp(what, "man"))
		help_man();
	else
		return fail(
			STATUS_USAGE,
			"no help on '%s'; there is 'help fields', 'help conditions', 'help rules' "
			"and 'help man'",
			what);
	return STATUS_OK;
}

/* In the order of command_table. */
static enum status (*const commands[])(const struct opts *) = {
	cmd_top, cmd_events, cmd_record, cmd_replay, cmd_export, cmd_check, cmd_doctor, cmd_help,
};

static enum status run(size_t command, const struct opts *o)
{
	int args = 0, given = 0;
	enum status status;

	for (const char *arg = command_table[command].args; *arg; arg++)
		args += *arg == ' ' || !args;
	while (o->rest[1 + given])
		given++;
	if (given > args)
		return fail(STATUS_USAGE, "'%s' is too much for '%s'; see 'optee-top --help'",
			    o->rest[1 + args], command_table[command].name);
	if (o->command && commands[command] != cmd_check)
		return fail(STATUS_USAGE, "nothing follows '--' but a command for 'check'; see "
					  "'optee-top --help'");
	status = commands[command](o);
	return status == STATUS_OK ? stop_flush() : status;
}

int main(int argc, char **argv)
{
	enum status status;
	struct opts o;

	status = opts_parse(&o, argc, argv);
	if (status != STATUS_OK)
		return status;
	if (o.help) {
		help_usage();
		return stop_flush();
	}
	if (o.version) {
		printf("optee-top %s\n", VERSION);
		return stop_flush();
	}
	if (!o.rest[0] && o.command)
		return fail(STATUS_USAGE, "no command before '--'; see 'optee-top --help'");
	if (!o.rest[0])
		return cmd_top(&o);
	for (size_t i = 0; i < nr_commands; i++)
		if (!strcmp(o.rest[0], command_table[i].name))
			return run(i, &o);
	return fail(STATUS_USAGE, "no command '%s'; see 'optee-top --help'", o.rest[0]);
}
