// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --help, 'help fields' and the manual say, from the tables that the
 * program itself works with.
 */
#include <stdio.h>
#include "fields.h"
#include "help.h"
#include "opts.h"

const struct command_help command_table[] = {
	{ "top", "", "the live view, or frames with -b; what runs without a command" },
	{ "doctor", "",
	  "what this kernel offers, which hook uses which mechanism, what is missing" },
	{ "help", "[fields|man]", "this help, the table of fields, or the manual page" },
};

const size_t nr_commands = sizeof(command_table) / sizeof(command_table[0]);

static const struct {
	enum status status;
	const char *help;
} statuses[] = {
	{ STATUS_OK, "fine" },
	{ STATUS_FAILURE, "failed, or a check found something" },
	{ STATUS_USAGE, "wrong usage" },
	{ STATUS_KERNEL, "this kernel cannot do it" },
	{ STATUS_PRIVILEGE, "privileges are missing" },
	{ STATUS_INCOMPLETE, "--strict was given and something was not seen" },
};

static const char *const units[] = {
	[UNIT_TEXT] = "text",       [UNIT_COUNT] = "count",
	[UNIT_NS] = "ns",           [UNIT_PER_SECOND] = "per second",
	[UNIT_PERCENT] = "percent",
};

void help_usage(void)
{
	printf("usage: optee-top [OPTION]... [COMMAND]\n\n"
	       "Shows who uses the threads of OP-TEE, who waits for them, and how long.\n\n"
	       "commands:\n");
	for (size_t i = 0; i < nr_commands; i++)
		printf("  %-7s%-14s %s\n", command_table[i].name, command_table[i].args,
		       command_table[i].help);
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
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		printf("  %d  %s\n", statuses[i].status, statuses[i].help);
}

void help_fields(void)
{
	char key[64];

	printf("fields of a session (for -o; the JSON key is in brackets):\n");
	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];

		printf("  %-15s %-8s [%s] %s\n", f->name, f->head ?: "",
		       field_json_key(f->name, f->unit, key, sizeof(key)), f->help);
	}
	printf("\nfields of a pool:\n");
	for (size_t i = 0; i < nr_pool_fields; i++)
		printf("  %-24s [%s] %s\n", pool_fields[i].name,
		       field_json_key(pool_fields[i].name, pool_fields[i].unit, key, sizeof(key)),
		       pool_fields[i].help);
	printf("\nlosses:\n");
	for (int i = 0; i < NR_LOSSES; i++)
		printf("  %-24s %s\n", loss_fields[i].name, loss_fields[i].help);
	printf("  %-24s %s\n", "probes_missed", "hook runs that the kernel skipped");
}

/* troff takes a leading quote or dot, and every backslash, for its own. */
static void troff(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
	putchar('\n');
}

static void man_field(const char *name, const char *head, enum field_unit unit, const char *help)
{
	printf(".TP\n.B %s\n(%s%s%s) ", name, units[unit], head ? ", column " : "", head ?: "");
	troff(help);
}

void help_man(void)
{
	printf(".TH OPTEE-TOP 8 \"\" \"optee-top\" \"System Administration\"\n"
	       ".SH NAME\noptee-top \\- the call queue of OP-TEE, live\n"
	       ".SH SYNOPSIS\n.B optee-top\n[\\fIOPTION\\fR]... [\\fICOMMAND\\fR]\n"
	       ".SH DESCRIPTION\n"
	       "OP-TEE has few threads. Every call from Linux needs one; when they are gone,\n"
	       "callers sleep in the driver's call queue.\n.B optee-top\n"
	       "follows the calls with BPF programs and shows, for each session, how long its\n"
	       "calls waited, how long they held a thread, and what they did meanwhile.\n"
	       ".SH COMMANDS\n");
	for (size_t i = 0; i < nr_commands; i++) {
		printf(".TP\n.B %s %s\n", command_table[i].name, command_table[i].args);
		troff(command_table[i].help);
	}
	printf(".SH OPTIONS\n");
	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *o = &option_table[i];

		printf(".TP\n");
		if (o->letter)
			printf("\\fB\\-%c\\fR, ", o->letter);
		printf("\\fB\\-\\-%s\\fR%s%s\n", o->name, o->arg ? " " : "", o->arg ?: "");
		troff(o->help);
	}
	printf(".SH FIELDS OF A SESSION\n");
	for (size_t i = 0; i < nr_session_fields; i++)
		man_field(session_fields[i].name, session_fields[i].head, session_fields[i].unit,
			  session_fields[i].help);
	printf(".SH FIELDS OF A POOL\n");
	for (size_t i = 0; i < nr_pool_fields; i++)
		man_field(pool_fields[i].name, NULL, pool_fields[i].unit, pool_fields[i].help);
	printf(".SH LOSSES\nWhat was not seen is counted, and shown in every output.\n");
	for (int i = 0; i < NR_LOSSES; i++)
		man_field(loss_fields[i].name, NULL, UNIT_COUNT, loss_fields[i].help);
	printf(".SH JSON\nWith\n.B \\-\\-json\neach frame is one line, an object with the keys schema, "
	       "ts, boot_id, mono_ns, seq,\ninterval_ns, pools, sessions, calls and losses. The fields "
	       "above are keys, with the unit\nas a suffix: _ns, _per_second, _percent. What is not "
	       "known is null. A histogram is an array\nof [lower edge in ns, calls]; its buckets are "
	       "128 ns wide up to 1024 ns, then 8 an octave.\n"
	       ".SH EXIT STATUS\n");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		printf(".TP\n.B %d\n", statuses[i].status);
		troff(statuses[i].help);
	}
	printf(".SH NOTES\nWhile optee-top is attached the optee module cannot be unloaded: fentry and\n"
	       "tracepoints hold it. A device that is unbound is let go, and followed again when it is\n"
	       "bound.\n"
	       ".SH SEE ALSO\n.BR bpftool (8),\n.BR tee-supplicant (8)\n");
}
