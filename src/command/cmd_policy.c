// SPDX-License-Identifier: GPL-2.0-only
/* Its commands, and those that are a few lines. */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "collect/host_read.h"
#include "command/cmd_policy.h"
#include "command/cmd_policy_attach.h"
#include "command/cmd_policy_build.h"
#include "command/cmd_top.h"
#include "command/commands.h"
#include "command/help.h"
#include "command/policy_driver.h"
#include "policy/policy_carried.h"
#include "policy/policy_show.h"
#include "policy/policy_state.h"
#include "render/json.h"

enum status cmd_policy_list(const struct opts *o, char **words)
{
	struct carried c;

	(void)o;
	(void)words;
	carried_read(&c);
	for (size_t i = 0; i < c.nr; i++) {
		printf("%s%s\n", i ? "\n" : "", c.policies[i].name);
		help_words(c.policies[i].rule);
		printf("  Use it:\n");
		help_words(c.policies[i].use_it);
	}
	carried_free(&c);
	return STATUS_OK;
}

enum status cmd_policy_show(const struct opts *o, char **words)
{
	enum status status = policy_driver_shows("show the policy");
	struct policy_state s;
	struct host host = {};
	json_t *line;
	int err;

	(void)words;
	if (status != STATUS_OK)
		return status;
	err = policy_state_read(&s);
	if (err)
		return fail(STATUS_FAILURE, "cannot show the policy: " POLICY_STATE ": %s",
			    strerror(-err));
	if (!o->json) {
		policy_show_text(&s, clock_now());
		return STATUS_OK;
	}
	host_read_boot_id(&host);
	line = policy_show_json(&host, &s, clock_now(), clock_ns(CLOCK_REALTIME));
	json_dumpf(line, stdout, JSON_LINE);
	putchar('\n');
	json_decref(line);
	return STATUS_OK;
}

enum status cmd_policy_shadow(const struct opts *o, char **words)
{
	struct opts with = *o;
	enum status status = STATUS_OK;

	for (int i = 0; words[i] && status == STATUS_OK; i++)
		status = opts_add_shadow(&with, words[i]);
	return status == STATUS_OK ? cmd_top(&with) : status;
}

#define RUN(name, args, help) cmd_policy_##name,

static enum status (*const commands[])(const struct opts *, char **) = { POLICY_COMMANDS(RUN) };

static enum status check_words(const struct command_help *command, char **words)
{
	int least = 0, most = 0, given = 0;

	for (const char *arg = command->args; *arg; arg += strcspn(arg, " "), arg += *arg == ' ') {
		least += *arg != '[';
		most++;
	}
	while (words[given])
		given++;
	if (given < least)
		return fail(STATUS_USAGE, "'policy %s' needs %s; see 'optee-top --help'",
			    command->name, command->args);
	if (given > most && !strstr(command->args, "..."))
		return fail(STATUS_USAGE,
			    "unexpected argument '%s' for 'policy %s'; see 'optee-top --help'",
			    words[most], command->name);
	return STATUS_OK;
}

enum status cmd_policy(const struct opts *o)
{
	char **words = o->rest + 1;

	if (!words[0])
		return fail(STATUS_USAGE, "'policy' needs a command; see 'optee-top --help'");
	for (size_t i = 0; i < nr_policy_commands; i++) {
		enum status status;

		if (strcmp(words[0], policy_commands[i].name) != 0)
			continue;
		status = check_words(&policy_commands[i], words + 1);
		return status == STATUS_OK ? commands[i](o, words + 1) : status;
	}
	return fail(STATUS_USAGE, "no command 'policy %s'; see 'optee-top --help'", words[0]);
}
