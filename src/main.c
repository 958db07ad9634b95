// SPDX-License-Identifier: GPL-2.0-only
/* optee-top: a table of commands. */
#include <stdio.h>
#include <string.h>
#include "doctor.h"
#include "help.h"
#include "live.h"
#include "view_batch.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static enum status cmd_top(const struct opts *o)
{
	enum status status;
	struct live live;

	do {
		status = live_start(&live, o);
		if (status != STATUS_OK)
			return status;
		status = view_batch(o, live_next, &live);
		live_stop(&live);
	} while (live.driver_left);
	if (status == STATUS_OK && o->strict && live.lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
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
	else if (!strcmp(what, "man"))
		help_man();
	else
		return fail(STATUS_USAGE, "no help on '%s'; there is 'help fields' and 'help man'", what);
	return STATUS_OK;
}

/* In the order of command_table. */
static enum status (*const commands[])(const struct opts *) = { cmd_top, cmd_doctor, cmd_help };

int main(int argc, char **argv)
{
	enum status status;
	struct opts o;

	status = opts_parse(&o, argc, argv);
	if (status != STATUS_OK)
		return status;
	if (o.help) {
		help_usage();
		return STATUS_OK;
	}
	if (o.version) {
		printf("optee-top %s\n", VERSION);
		return STATUS_OK;
	}
	if (!o.rest[0])
		return cmd_top(&o);
	for (size_t i = 0; i < nr_commands; i++)
		if (!strcmp(o.rest[0], command_table[i].name))
			return commands[i](&o);
	return fail(STATUS_USAGE, "no command '%s'; see 'optee-top --help'", o.rest[0]);
}
