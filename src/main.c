// SPDX-License-Identifier: GPL-2.0-only
/* optee-top: a table of commands. */
#include <stdio.h>
#include <string.h>
#include "base/printable.h"
#include "base/stop.h"
#include "command/cmd_check.h"
#include "command/cmd_doctor.h"
#include "command/cmd_export.h"
#include "command/cmd_policy.h"
#include "command/cmd_record.h"
#include "command/cmd_replay.h"
#include "command/cmd_top.h"
#include "command/commands.h"
#include "command/help.h"
#include "daemon/supervisor.h"
#include "source/run_live.h"
#include "view/view_events.h"
#include "view/view_metrics.h"

static enum status cmd_events(const struct opts *o)
{
	return run_live(o, view_events, PAST_NONE, NULL);
}

static enum status cmd_metrics(const struct opts *o)
{
	return run_live(o, view_metrics, PAST_NONE, NULL);
}

static enum status cmd_help(const struct opts *o)
{
	if (o->rest[0] && o->rest[1])
		return help_topic(o->rest[1]);
	help_usage();
	return STATUS_OK;
}

#define RUN(name, args, help) cmd_##name,

static enum status (*const commands[])(const struct opts *) = { COMMANDS(RUN) };

static enum status run(size_t command, const struct opts *o)
{
	int args = 0, given = 0;
	enum status status;

	if (o->help) {
		help_command(command);
		return stop_flush();
	}
	status = opts_check(o, command_table[command].name);
	if (status != STATUS_OK)
		return status;
	for (const char *arg = command_table[command].args; *arg; arg++)
		args += *arg == ' ' || !args;
	while (o->rest[0] && o->rest[1 + given]) /* the live view needs no word */
		given++;
	if (given > args && !strstr(command_table[command].args, "..."))
		return fail(STATUS_USAGE,
			    "unexpected argument '%s' for '%s'; see 'optee-top --help'",
			    o->rest[1 + args], command_table[command].name);
	if (o->command && commands[command] != cmd_check)
		return fail(STATUS_USAGE, "only 'check' takes a command after '--'; see "
					  "'optee-top --help'");
	/* These may use the terminal through curses. */
	if (commands[command] != cmd_top && commands[command] != cmd_replay)
		printable_guard_stdout();
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
	if (o.version) {
		printf("optee-top %s\n", VERSION);
		return stop_flush();
	}
	if (!o.rest[0] && o.command)
		return fail(STATUS_USAGE, "no command before '--'; see 'optee-top --help'");
	if (!o.rest[0] && o.help) {
		help_usage();
		return stop_flush();
	}
	for (size_t i = 0; i < nr_commands; i++)
		if (!strcmp(o.rest[0] ?: "top", command_table[i].name))
			return run(i, &o);
	return fail(STATUS_USAGE, "no command '%s'; see 'optee-top --help'", o.rest[0]);
}
