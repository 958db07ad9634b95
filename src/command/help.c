// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --help and 'help TOPIC' say, from the tables that the program itself works
 * with. The manual is src/command/man.c.
 */
#include <stdio.h>
#include <string.h>
#include "check/rule_table.h"
#include "check/rules.h"
#include "command/commands.h"
#include "command/help.h"
#include "command/man.h"
#include "metrics/alerts.h"
#include "metrics/daemon_stats.h"
#include "model/call_fields.h"
#include "model/condition_table.h"
#include "model/figures.h"
#include "options/opts.h"

const struct status_help status_table[] = {
	{ STATUS_OK, "success" },
	{ STATUS_FAILURE, "failure, or a check that did not pass" },
	{ STATUS_USAGE, "usage error" },
	{ STATUS_KERNEL, "this kernel does not support it" },
	{ STATUS_PRIVILEGE, "missing privileges" },
	{ STATUS_INCOMPLETE, "--strict was given and some data was lost" },
	{ STATUS_NOT_RUN, "check: COMMAND could not be run" },
	{ STATUS_NOT_FOUND, "check: COMMAND was not found" },
};

const size_t nr_statuses = sizeof(status_table) / sizeof(status_table[0]);

/* Of lines that others begin and that have a column of texts. */
#define WIDTH   78
#define COLUMN  27
#define COLUMN2 37 /* for long names */

/* A text from column x on, of which the next lines begin at another column. */
static void put_text(const char *text, size_t x, size_t next)
{
	for (size_t begun = x; *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		if (x > begun && x + 1 + len > WIDTH) {
			printf("\n%*s", (int)next, "");
			begun = x = next;
		}
		x += (size_t)printf("%s%.*s", x > begun ? " " : "", (int)len, text);
		text += len;
	}
	putchar('\n');
}

/* A row: what is in its first columns, and a text. */
static void put_row(size_t column, const char *text, const char *first)
{
	size_t x = (size_t)printf("%s", first);

	if (x >= column) {
		putchar('\n');
		x = 0;
	}
	printf("%*s", (int)(column - x), "");
	put_text(text, column, column);
}

static bool is_command(const char *word, size_t len)
{
	for (size_t i = 0; i < nr_commands; i++)
		if (!strncmp(word, command_table[i].name, len) && !command_table[i].name[len])
			return true;
	return false;
}

/* Is the clause for this command? *text skips the words that say so. */
static bool clause_is_for(const char **text, const char *command)
{
	const char *at = *text;
	bool found = false;

	if (strncmp(at, "for ", 4))
		return true;
	for (at += 4;;) {
		size_t len = strcspn(at, " ,:");

		if (!is_command(at, len))
			return true; /* it just begins like that */
		found |= !strncmp(at, command, len) && !command[len];
		at += strcspn(at, ",:");
		if (*at == ':')
			break;
		at += 2;
	}
	if (found)
		*text = at + 2;
	return found;
}

/* Of an option's clauses those that are for a command; NULL: all of them, as they are. */
static void option_text(const struct option_help *o, const char *command, char *to, size_t size)
{
	const char *at = o->help;
	size_t n = 0;

	*to = '\0';
	while (*at && n < size) {
		const char *end = strstr(at, "; ") ?: at + strlen(at), *text = at;

		if (!command || clause_is_for(&text, command))
			n += (size_t)snprintf(to + n, size - n, "%s%.*s", n ? "; " : "",
					      (int)(end - text), text);
		at = *end ? end + 2 : end;
	}
}

static void print_option(const struct option_help *o, const char *command)
{
	char name[40], first[48], text[300];

	snprintf(name, sizeof(name), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ?: "");
	if (o->letter)
		snprintf(first, sizeof(first), "  -%c, %s", o->letter, name);
	else
		snprintf(first, sizeof(first), "      %s", name);
	option_text(o, command, text, sizeof(text));
	put_row(COLUMN, text, first);
}

static void print_command(const char *group, const struct command_help *c)
{
	char name[24], first[64];

	snprintf(name, sizeof(name), "%s%s", group, c->name);
	snprintf(first, sizeof(first), "  %-13s %s", name, c->args);
	put_row(COLUMN + 2, c->help, first);
}

/* One command alone takes it: its own help is the place for it. */
static bool is_special(const struct option_help *o)
{
	return o->commands && !strchr(o->commands, ' ');
}

void help_usage(void)
{
	printf("usage: optee-top [OPTION]... [COMMAND]\n\n"
	       "Shows who uses OP-TEE's threads, who waits for one, and for how long.\n\n"
	       "commands ('optee-top COMMAND --help' shows all options of one):\n");
	for (size_t i = 0; i < nr_commands; i++)
		print_command("", &command_table[i]);
	printf("\npolicies:\n");
	for (size_t i = 0; i < nr_policy_commands; i++)
		print_command("policy ", &policy_commands[i]);
	printf("\noptions that several commands take:\n");
	for (size_t i = 0; i < nr_options; i++)
		if (!is_special(&option_table[i]))
			print_option(&option_table[i], NULL);
	printf("\nexit status:\n");
	for (size_t i = 0; i < nr_statuses; i++)
		printf("  %d  %s\n", status_table[i].status, status_table[i].help);
}

void help_command(size_t command)
{
	const struct command_help *c = &command_table[command];

	printf("usage: optee-top %s [OPTION]...%s%s\n\n", c->name, *c->args ? " " : "", c->args);
	help_words(c->help);
	if (!strcmp(c->name, "policy")) {
		printf("\ncommands:\n");
		for (size_t i = 0; i < nr_policy_commands; i++)
			print_command("", &policy_commands[i]);
	}
	printf("\noptions:\n");
	for (size_t i = 0; i < nr_options; i++)
		if (option_is_of(&option_table[i], c->name))
			print_option(&option_table[i], c->name);
}

static void print_named(size_t column, const char *name, const char *text)
{
	char first[64];

	snprintf(first, sizeof(first), "  %s", name);
	put_row(column, text, first);
}

static void print_keys(const char *heading, const struct key_help *keys)
{
	printf("\n%s:\n", heading);
	for (; keys->key; keys++)
		print_named(COLUMN, keys->key, keys->help);
}

/* With its JSON key in [], and its name as a metric in {}. */
static void print_field_of(const char *first, const char *name, enum field_unit unit,
			   const char *help, const char *metric)
{
	char key[64], text[400];

	snprintf(text, sizeof(text), "[%s] %s%s%s%s", field_json_key(name, unit, key, sizeof(key)),
		 help, metric ? " {" : "", metric ?: "", metric ? "}" : "");
	print_named(COLUMN, first, text);
}

static void print_field(const char *name, enum field_unit unit, const char *help,
			const char *metric)
{
	print_field_of(name, name, unit, help, metric);
}

static void print_figures(struct figures f)
{
	while (figures_next(&f))
		print_field(f.name, f.unit, f.help, f.metric);
}

static enum status help_fields(void)
{
	char key[64], name[64];

	printf("fields of a session (for -o, with the heading of a column; the JSON key is in\n"
	       "[], for the others the metric in {}):\n");
	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];

		snprintf(name, sizeof(name), "%-15s %s", f->name, f->head ?: "");
		print_field_of(name, f->name, f->unit, f->help, NULL);
	}
	printf("\nfields of a pool:\n");
	print_figures(pool_figures(NULL, NULL));
	printf("\nlosses (the metric " LOSS_METRIC ", by kind):\n");
	for (int i = 0; i < NR_LOSSES; i++)
		print_named(COLUMN, loss_fields[i].name, loss_fields[i].help);
	print_named(COLUMN, missed_field.name, missed_field.help);
	printf("\nconditions of a pool, by key; null where this kernel or its hooks cannot detect\n"
	       "them:\n");
	for (int i = 0; i < NR_CONDS; i++)
		printf("  %-24s peak: %s\n", condition_table[i].key, condition_table[i].peak);
	printf("\nmembers of a condition:\n");
	print_figures(condition_figures(NULL));
	printf("\nfields of an admission policy, by class (members of policies in a pool):\n");
	print_figures(policy_figures(NULL, CLASS_NORMAL));
	printf("\nfields of a TA, by class, in logs and metrics:\n");
	print_figures(ta_figures(NULL, NULL));
	printf("\nRPCs of a TA, by kind:\n");
	for (size_t i = 0; i < nr_rpc_fields; i++)
		print_field(rpc_fields[i].name, rpc_fields[i].unit, rpc_fields[i].help,
			    rpc_fields[i].metric);
	printf("\nan SCMI message (members of scmi in a pool):\n");
	print_figures(scmi_figures(NULL));
	printf("\nmetrics of the daemon itself:\n");
	for (int i = 0; i < NR_DAEMON_STATS; i++)
		if (!i || strcmp(daemon_stat_fields[i].metric, daemon_stat_fields[i - 1].metric))
			print_named(COLUMN2, daemon_stat_fields[i].metric,
				    daemon_stat_fields[i].help);
	printf("\na completed call, as 'export' writes it:\n");
	for (size_t i = 0; i < nr_call_fields; i++)
		print_named(COLUMN,
			    field_json_key(call_fields[i].name, call_fields[i].unit, key,
					   sizeof(key)),
			    call_fields[i].help);
	print_keys("the host, as 'export' writes it", host_keys);
	print_keys("members of an event", event_keys);
	print_keys("members of an event's 'why'", why_keys);
	print_keys("members of each element of an event's 'who'", who_keys);
	print_keys("members of call_records; null where calls are not recorded one by one",
		   call_records_keys);
	return STATUS_OK;
}

void help_words(const char *text)
{
	printf("    ");
	put_text(text, 4, 4);
}

static enum status help_conditions(void)
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
	return STATUS_OK;
}

const char *const rules_text[] = {
	"A rules file (--rules) has one rule per line; a # starts a comment. A TIME is written as 500us, 20ms or 1.5s. A rule may appear twice with different arguments.",
	"A check passes if every rule passes. A rule that cannot be judged is unknown, and does not pass. Without --rules these rules apply, the last one only with a COMMAND:",
};

static enum status help_rules(void)
{
	char name[64], rule[RULE_TEXT];
	const struct rule_kind *k;

	for (size_t i = 0; (k = rule_kind_at(i)); i++) {
		snprintf(name, sizeof(name), "%s%s%s", k->name, k->arg ? " " : "",
			 rule_arg_help(k->arg));
		printf("%s\n", name);
		help_words(k->help);
	}
	for (int i = 0; i < 2; i++) {
		putchar('\n');
		help_words(rules_text[i]);
	}
	for (size_t i = 0; usual_rule(i, rule); i++)
		printf("        %s\n", rule);
	return STATUS_OK;
}

static enum status help_alerts(void)
{
	alerts_print();
	return STATUS_OK;
}

static const struct {
	const char *name;
	enum status (*print)(void);
} topics[] = {
	{ "fields", help_fields }, { "conditions", help_conditions },
	{ "rules", help_rules },   { "alerts", help_alerts },
	{ "man", man_print },
};

#define NR_TOPICS (sizeof(topics) / sizeof(topics[0]))

enum status help_topic(const char *topic)
{
	char all[160] = "";
	size_t at = 0;

	for (size_t i = 0; i < NR_TOPICS; i++) {
		if (!strcmp(topics[i].name, topic))
			return topics[i].print();
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s'help %s'", at ? ", " : "",
				       topics[i].name);
	}
	for (size_t i = 0; i < nr_commands; i++)
		if (!strcmp(command_table[i].name, topic)) {
			help_command(i);
			return STATUS_OK;
		}
	return fail(STATUS_USAGE, "no help on '%s'; there is %s and 'help COMMAND'", topic, all);
}
