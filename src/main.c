// SPDX-License-Identifier: GPL-2.0-only
/* optee-top: a table of commands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "doctor.h"
#include "help.h"
#include "live.h"
#include "stop.h"
#include "view_batch.h"
#include "view_events.h"
#include "view_top.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static bool wants_batch(const struct opts *o)
{
	const char *term = getenv("TERM");

	return o->batch || o->json || !isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb");
}

/* Runs a view on the running kernel, and anew when the driver has left and come back. */
static enum status on_live(const struct opts *o,
			   enum status (*view)(const struct opts *o, const struct source *source))
{
	enum status status;
	struct live live;

	do {
		struct source source = live_source(&live);

		status = live_start(&live, o);
		if (status != STATUS_OK)
			return status;
		status = view(o, &source);
		live_stop(&live);
	} while (live.driver_left && !stop_asked);
	if (status == STATUS_OK && o->strict && live.lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}

static enum status cmd_top(const struct opts *o)
{
	return on_live(o, wants_batch(o) ? view_batch : view_top);
}

static enum status cmd_events(const struct opts *o)
{
	return on_live(o, view_events);
}

static enum status cmd_check(const struct opts *o)
{
	return check(o);
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
static enum status (*const commands[])(const struct opts *) = { cmd_top, cmd_events, cmd_check,
								cmd_doctor, cmd_help };

/* What was printed has arrived. */
static enum status written(void)
{
	if (fflush(stdout) || ferror(stdout))
		return fail(STATUS_FAILURE, "cannot write to standard output: %s", strerror(errno));
	return STATUS_OK;
}

static enum status run(size_t command, const struct opts *o)
{
	char *surplus = o->rest[1] && command_table[command].args[0] ? o->rest[2] : o->rest[1];
	enum status status;

	if (surplus)
		return fail(STATUS_USAGE, "'%s' is too much for '%s'; see 'optee-top --help'",
			    surplus, command_table[command].name);
	if (o->command && commands[command] != cmd_check)
		return fail(STATUS_USAGE, "nothing follows '--' but a command for 'check'; see "
					  "'optee-top --help'");
	status = commands[command](o);
	return status == STATUS_OK ? written() : status;
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
		return written();
	}
	if (o.version) {
		printf("optee-top %s\n", VERSION);
		return written();
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
