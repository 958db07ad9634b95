// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --help and 'help TOPIC' say, from the tables that the program itself works
 * with. The manual is src/man.c.
 */
#include <stdio.h>
#include <string.h>
#include "call_fields.h"
#include "condition_table.h"
#include "fields.h"
#include "help.h"
#include "opts.h"
#include "rule_table.h"
#include "rules.h"
#include "self_stats.h"

const struct command_help command_table[] = {
	{ "top", "", "the live view, or frames with -b; what runs without a command" },
	{ "events", "",
	  "overruns, stranded and starved waiters, deadlocks: each as it begins, lasts and ends" },
	{ "record", "FILE",
	  "write down all of it, each call and condition too, until a signal or --duration" },
	{ "replay", "FILE [events]",
	  "show a recording as the live view, as frames (-b, --json), or its events" },
	{ "export", "FILE",
	  "write a recording, or the log of a daemon (its directory), down for other programs: JSON lines, CSV, a timeline for Perfetto, samples for Prometheus" },
	{ "check", "[FILE]",
	  "judges by rules a recording, the running kernel (--live SECONDS), or that while a command runs (check -- COMMAND [ARG]...)" },
	{ "daemon", "",
	  "look all the time: for the other commands, without root, for logs and for metrics" },
	{ "metrics", "",
	  "one exposition for Prometheus, in its text format or, with --openmetrics, in OpenMetrics" },
	{ "policy", "WHAT [ARG]...",
	  "admission policies: who of those that wait gets a thread; for an optee.ko of 'make optee-ko'" },
	{ "doctor", "",
	  "what this kernel offers, which hook uses which mechanism, what is missing" },
	{ "help", "[TOPIC]",
	  "this help, or that on a topic: fields, conditions, rules, alerts (rules for Prometheus), man" },
};

const size_t nr_commands = sizeof(command_table) / sizeof(command_table[0]);

const struct command_help policy_commands[] = {
	{ "build", "FILE.c", "compile a policy, with clang" },
	{ "list", "", "the policies that optee-top has: what they do, and when to use them" },
	{ "attach", "NAME|FILE", "have the driver ask it, until detach, swap, or ejection" },
	{ "swap", "NAME|FILE", "put it in the place of the one that is attached, at once" },
	{ "show", "", "what is attached, what it decided, who waited; why the last one was left" },
	{ "detach", "", "back to the driver's own rule" },
	{ "shadow", "NAME|FILE...",
	  "as top, with these asked at each call, beside the driver that decides; as --shadow does" },
};

const size_t nr_policy_commands = sizeof(policy_commands) / sizeof(policy_commands[0]);

const struct status_help status_table[] = {
	{ STATUS_OK, "fine" },
	{ STATUS_FAILURE, "failed, or a check found something" },
	{ STATUS_USAGE, "wrong usage" },
	{ STATUS_KERNEL, "this kernel cannot do it" },
	{ STATUS_PRIVILEGE, "privileges are missing" },
	{ STATUS_INCOMPLETE, "--strict was given and something was not seen" },
	{ STATUS_NOT_RUN, "check: COMMAND cannot be run" },
	{ STATUS_NOT_FOUND, "check: COMMAND was not found" },
};

const size_t nr_statuses = sizeof(status_table) / sizeof(status_table[0]);

void help_usage(void)
{
	printf("usage: optee-top [OPTION]... [COMMAND]\n\n"
	       "Shows who uses the threads of OP-TEE, who waits for them, and how long.\n\n"
	       "commands:\n");
	for (size_t i = 0; i < nr_commands; i++)
		printf("  %-7s%-14s %s\n", command_table[i].name, command_table[i].args,
		       command_table[i].help);
	printf("\npolicies:\n");
	for (size_t i = 0; i < nr_policy_commands; i++)
		printf("  policy %-6s %-12s %s\n", policy_commands[i].name, policy_commands[i].args,
		       policy_commands[i].help);
	printf("\noptions:\n");
	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *o = &option_table[i];
		char name[40];

		snprintf(name, sizeof(name), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ?: "");
		if (o->letter)
			printf("  -%c, %-20s %s\n", o->letter, name, o->help);
		else
			printf("      %-20s %s\n", name, o->help);
	}
	printf("\nexit status:\n");
	for (size_t i = 0; i < nr_statuses; i++)
		printf("  %d  %s\n", status_table[i].status, status_table[i].help);
}

static void print_keys(const char *heading, const struct key_help *keys)
{
	printf("\n%s:\n", heading);
	for (; keys->key; keys++)
		printf("  %-24s %s\n", keys->key, keys->help);
}

/* With its JSON key in [], and its name as a metric in {}. */
static void print_field(const char *name, enum field_unit unit, const char *help,
			const char *metric)
{
	char key[64];

	printf("  %-24s [%s] %s", name, field_json_key(name, unit, key, sizeof(key)), help);
	if (metric)
		printf(" {%s}", metric);
	putchar('\n');
}

void help_fields(void)
{
	char key[64];

	printf("fields of a session (for -o; the JSON key is in [], of others the metric in {}):\n");
	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];

		printf("  %-15s %-8s [%s] %s\n", f->name, f->head ?: "",
		       field_json_key(f->name, f->unit, key, sizeof(key)), f->help);
	}
	printf("\nfields of a pool:\n");
	for (size_t i = 0; i < nr_pool_fields; i++)
		print_field(pool_fields[i].name, pool_fields[i].unit, pool_fields[i].help,
			    pool_fields[i].metric);
	printf("\nlosses (the metric " LOSS_METRIC ", by kind):\n");
	for (int i = 0; i < NR_LOSSES; i++)
		printf("  %-24s %s\n", loss_fields[i].name, loss_fields[i].help);
	printf("  %-24s %s\n", missed_field.name, missed_field.help);
	printf("\nconditions of a pool, by key; null where this kernel or its hooks cannot tell:\n");
	for (int i = 0; i < NR_CONDS; i++)
		printf("  %-24s peak: %s\n", condition_table[i].key, condition_table[i].peak);
	printf("\nmembers of a condition:\n");
	for (size_t i = 0; i < nr_condition_fields; i++)
		print_field(condition_fields[i].name, condition_fields[i].unit,
			    condition_fields[i].help, condition_fields[i].metric);
	printf("\nfields of an admission policy, by class (members of policies in a pool):\n");
	for (size_t i = 0; i < nr_policy_fields; i++)
		print_field(policy_fields[i].name, policy_fields[i].unit, policy_fields[i].help,
			    policy_fields[i].metric);
	printf("\nfields of a TA, by class, in logs and metrics:\n");
	for (size_t i = 0; i < nr_ta_fields; i++)
		print_field(ta_fields[i].name, ta_fields[i].unit, ta_fields[i].help,
			    ta_fields[i].metric);
	printf("\nof its RPCs, by kind:\n");
	for (size_t i = 0; i < nr_rpc_fields; i++)
		print_field(rpc_fields[i].name, rpc_fields[i].unit, rpc_fields[i].help,
			    rpc_fields[i].metric);
	printf("\nmetrics of the daemon itself:\n");
	for (int i = 0; i < NR_SELF; i++)
		if (!i || strcmp(self_fields[i].metric, self_fields[i - 1].metric))
			printf("  %-34s %s\n", self_fields[i].metric, self_fields[i].help);
	printf("\na call that has ended, as 'export' writes it:\n");
	for (size_t i = 0; i < nr_call_fields; i++)
		printf("  %-24s %s\n",
		       field_json_key(call_fields[i].name, call_fields[i].unit, key, sizeof(key)),
		       call_fields[i].help);
	print_keys("the host, as 'export' writes it", host_keys);
	print_keys("members of an event", event_keys);
	print_keys("members of its 'why'", why_keys);
	print_keys("members of each of its 'who'", who_keys);
	print_keys("members of call_records; null where calls are not recorded one by one",
		   call_records_keys);
}

/* Fills lines of 78 columns. */
void help_words(const char *text)
{
	size_t x = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (x && x + 1 + len > 78) {
			putchar('\n');
			x = 0;
		}
		x += (size_t)printf("%s%.*s", x ? " " : "    ", (int)len, text);
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

void help_conditions(void)
{
	for (int i = 0; i < NR_CONDS; i++) {
		const struct condition_row *row = &condition_table[i];

		printf("%s%s (peak: %s)%s\n", i ? "\n" : "", row->name, row->peak,
		       row->alarm ? "" : "; may be ordinary load");
		help_words(row->means);
		help_words(row->so);
		printf("  What to do:\n");
		help_words(row->remedy);
	}
}

const char *const rules_text[] = {
	"A file of rules (--rules) has one rule a line; a # begins a comment. A TIME is like 500us, 20ms or 1.5s. A rule may come twice with different arguments.",
	"A check passes when every rule does. What cannot be told is unknown, and does not pass. Without --rules these are used, the last one only with a COMMAND:",
};

void help_rules(void)
{
	char name[64];

	for (size_t i = 0; i < nr_rule_kinds; i++) {
		const struct rule_kind *k = &rule_kinds[i];

		snprintf(name, sizeof(name), "%s%s%s", k->name, k->arg ? " " : "",
			 rule_arg_help(k->arg));
		printf("%s\n", name);
		help_words(k->help);
	}
	for (int i = 0; i < 2; i++) {
		putchar('\n');
		help_words(rules_text[i]);
	}
	for (int i = 0; usual_rules[i]; i++)
		printf("        %s\n", usual_rules[i]);
}
