// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --help, 'help fields', 'help conditions' and the manual say, from the
 * tables that the program itself works with.
 */
#include <stdio.h>
#include <string.h>
#include "call_fields.h"
#include "condition_table.h"
#include "fields.h"
#include "help.h"
#include "opts.h"

const struct command_help command_table[] = {
	{ "top", "", "the live view, or frames with -b; what runs without a command" },
	{ "events", "",
	  "overruns, stranded and starved waiters, deadlocks: each as it begins, lasts and ends" },
	{ "record", "FILE",
	  "write down all of it, each call and condition too, until a signal or --duration" },
	{ "replay", "FILE [events]",
	  "show a recording as the live view, as frames (-b, --json), or its events" },
	{ "export", "FILE",
	  "write a recording down for other programs: JSON lines, CSV, a timeline for Perfetto" },
	{ "doctor", "",
	  "what this kernel offers, which hook uses which mechanism, what is missing" },
	{ "help", "[TOPIC]", "this help, or that on a topic: fields, conditions, man" },
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

const struct key_help condition_keys[] = {
	{ "count", "episodes since attach, those that last included" },
	{ "lasting", "how many last now" },
	{ "since_ns", "CLOCK_MONOTONIC, when the first of these began; null: none lasts" },
	{ "time_ns", "how long they lasted, in all" },
	{ "longest_ns", "how long the longest lasted" },
	{ "peak", "the largest value of the figure that makes the condition" },
	{}
};

const struct key_help event_keys[] = {
	{ "tee", "N of /dev/teeN" },
	{ "condition", "its name" },
	{ "state", "begin, still (once a second while it lasts) or end" },
	{ "episode",
	  "a number: the same in all events of one episode, and not in those of others of this condition and TEE" },
	{ "mono_ns", "CLOCK_MONOTONIC, when this was found out; of an end: the end" },
	{ "since_ns", "CLOCK_MONOTONIC, when it began" },
	{ "duration_ns", "how long it has lasted by mono_ns" },
	{ "end_unseen", "true of an end: it was over by mono_ns, and when exactly is not known" },
	{ "peak", "the largest value, so far, of the figure that makes the condition" },
	{ "peak_of", "what that figure counts" },
	{ "why", "an object: the queue as it began" },
	{ "who",
	  "an array of objects: the calls in the queue as it began, in its order; of deadlock, those first that have part in it" },
	{ "chain",
	  "an array of texts: of stranded, the wake that went astray; of deadlock, who waits for whom" },
	{ "unreported", "conditions so far for which there was no room among the events" },
	{}
};

const struct key_help why_keys[] = {
	{ "text", "the figures that make the condition, in words" },
	{ "threads", "T" },
	{ "reserved", "the entries in reserve that it was judged by" },
	{ "in_use_normal", "normal calls that held a thread" },
	{ "in_use_system", "system calls that held one" },
	{ "waiting_normal", "normal calls asleep in the queue" },
	{ "waiting_system", "system calls asleep in it" },
	{ "driver_free", "free threads, as the driver counted them" },
	{ "system_sessions", "system sessions, as the driver counted them" },
	{ "drift", "of drift: the driver's count of threads in use less ours" },
	{}
};

const struct key_help who_keys[] = {
	{ "tid", "the task" },
	{ "pid", "its process" },
	{ "comm", "its name" },
	{ "serial", "of its session, as in sessions" },
	{ "session", "the TEE's id of that" },
	{ "client", "the process that opened the session" },
	{ "ta", "name or UUID of its TA" },
	{ "cmd", "open, invoke, close, ...; null of a call from before the attach" },
	{ "func", "of an invoke" },
	{ "class", "normal or system" },
	{ "phase", "where it stood: queued, secure, rpc, limit" },
	{ "rpc_kind", "what the RPC was for" },
	{ "waits", "true: it waited in the queue; false: it held a thread" },
	{ "since_ns", "CLOCK_MONOTONIC, since when it waited or held it" },
	{ "involved", "the condition is about it; else it only was in the queue, too" },
	{ "culprit", "of stranded: it swallowed the wake" },
	{ "swallowed_ns",
	  "of stranded: CLOCK_MONOTONIC, when it took a wake in vain; null: it did not, or when is not known" },
	{ "behind_tid",
	  "of deadlock: the task whose call has to end first, where there is only one" },
	{}
};

const struct key_help host_keys[] = {
	{ "version", "of the optee-top that looked" },
	{ "machine", "as uname -m says" },
	{ "release", "of the kernel" },
	{ "name", "of the host" },
	{ "hooks", "which hook uses which mechanism" },
	{ "cpus", "CPUs that are configured" },
	{ "mono_ns", "CLOCK_MONOTONIC, as it attached; ts is the same moment" },
	{ "resolution_ns", "of CLOCK_MONOTONIC" },
	{ "starved_ns", "a wait longer than this starves" },
	{ "reserved", "--reserved; null: the driver's own figure was judged by" },
	{ "calls", "true: there is a line for each call" },
	{}
};

const struct key_help call_records_keys[] = {
	{ "emitted", "calls that were recorded since attach" },
	{ "lost", "calls that are accounted, and found no room among those to be recorded" },
	{ "per_cpu",
	  "[emitted, lost] of each CPU; their sum is what was accounted there. CPU 64 counts with CPU 0, and so on" },
	{}
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

static void print_keys(const char *heading, const struct key_help *keys)
{
	printf("\n%s:\n", heading);
	for (; keys->key; keys++)
		printf("  %-24s %s\n", keys->key, keys->help);
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
	printf("\nconditions of a pool, by key; null where this kernel or its hooks cannot tell:\n");
	for (int i = 0; i < NR_CONDS; i++)
		printf("  %-24s peak: %s\n", condition_table[i].key, condition_table[i].peak);
	print_keys("members of a condition", condition_keys);
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
static void print_words(const char *text)
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
		print_words(row->means);
		print_words(row->so);
		printf("  What to do:\n");
		print_words(row->remedy);
	}
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

static void man_keys(const struct key_help *keys)
{
	for (; keys->key; keys++) {
		printf(".TP\n.B %s\n", keys->key);
		troff(keys->help);
	}
}

static void man_conditions(void)
{
	printf(".SH CONDITIONS: WHAT THEY MEAN AND WHAT TO DO\n"
	       "What can be wrong with the queue. The kernel follows the conditions at each change of\n"
	       "the queue. Calls that starve or were refused, as long as they do, deadlock, drift and lost\n"
	       "wakes are looked for 20 times a second; the end of a deadlock or of a lost wake is known to\n"
	       "0.15 s.\n"
	       "Short episodes are counted and not reported as events: exhausted below %d ms, stranded\n"
	       "below %d ms. What lasts when optee\\-top comes counts from then. Where Linux does not\n"
	       "count threads (up to 6.7, FF\\-A) only starved and deadlock can be told. Stranded and lost wake need\n"
	       "optee_cq_complete_one as a function of its own:\n.B optee\\-top doctor\ntells.\n",
	       (int)(condition_table[COND_EXHAUSTED].report_ns / 1000000),
	       (int)(condition_table[COND_STRANDED].report_ns / 1000000));
	for (int i = 0; i < NR_CONDS; i++) {
		const struct condition_row *row = &condition_table[i];

		printf(".SS %s%s\n", row->name, row->alarm ? "" : " (may be ordinary load)");
		troff(row->means);
		troff(row->so);
		printf(".PP\n");
		troff(row->remedy);
	}
}

static void man_events(void)
{
	printf(".SH EVENTS\n.B optee\\-top events\nprints each condition as it begins, once a second "
	       "while it lasts, and as it ends.\nWith\n.B \\-\\-json\neach is one line, an object "
	       "with the keys schema, ts, boot_id and seq, and with those of an\nelement of events in a "
	       "frame, which are:\n");
	man_keys(event_keys);
	printf(".SS Members of why\n");
	man_keys(why_keys);
	printf(".SS Members of an element of who\nWhat is not known is null.\n");
	man_keys(who_keys);
	printf(".SS Members of conditions in a pool\nOne object a condition (null where this kernel or "
	       "its hooks cannot tell), by key:");
	for (int i = 0; i < NR_CONDS; i++)
		printf("%s\n%s", i ? "," : "", condition_table[i].key);
	printf(".\n");
	man_keys(condition_keys);
}

static void man_export(void)
{
	char key[64];

	printf(".SH EXPORT\n.B optee\\-top export\nwrites a recording down for other programs.\n"
	       ".SS \\-\\-format jsonl\nOne object a line, with schema, ts, boot_id and type. The types are host (the\n"
	       "first line), call, event and snapshot: a frame of\n.B \\-\\-json\nwithout its events, which have "
	       "lines of their own. Before each snapshot come the calls and\nevents since the one "
	       "before, in the order of mono_ns. Members of a call:\n");
	for (size_t i = 0; i < nr_call_fields; i++) {
		printf(".TP\n.B %s\n",
		       field_json_key(call_fields[i].name, call_fields[i].unit, key, sizeof(key)));
		troff(call_fields[i].help);
	}
	printf(".PP\nWhat is not known is null. Members of the host:\n");
	man_keys(host_keys);
	printf(".SS \\-\\-format csv\nAs in RFC 4180, with a head line. The columns of calls are the "
	       "members above; those of\nsessions and pools are the fields, one row each a snapshot; "
	       "those of events are the\nmembers of an event and of its why. An empty field is not "
	       "known; a text that is known and\nempty is \"\". A text that begins with =, +, \\-, @ "
	       "or \\(aq has a further \\(aq in front: a\nspreadsheet would take it for a formula.\n"
	       ".SS \\-\\-format perfetto\nA timeline for Perfetto: a track for each thread of the TEE, with "
	       "the calls that held it;\none for each task that slept in the queue, and an arrow from "
	       "there to the thread that it\ngot; the conditions; threads in use and waiting calls. "
	       "Which of the TEE\\(aqs threads a call\nhad is not known: each has a slot that was free. "
	       "Times are CLOCK_MONOTONIC.\n");
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
	man_conditions();
	man_events();
	man_export();
	printf(".SH LOSSES\nWhat was not seen is counted, and shown in every output.\n");
	for (int i = 0; i < NR_LOSSES; i++)
		man_field(loss_fields[i].name, NULL, UNIT_COUNT, loss_fields[i].help);
	printf(".SH JSON\nWith\n.B \\-\\-json\neach frame is one line, an object with the keys schema, "
	       "ts, boot_id, mono_ns, seq,\ninterval_ns, pools, sessions, calls, events, losses and call_records. The fields "
	       "above are keys, with the unit\nas a suffix: _ns, _per_second, _percent. What is not "
	       "known is null. A histogram is an array\nof [lower edge in ns, calls]; its buckets are "
	       "128 ns wide up to 1024 ns, then 8 an octave.\n"
	       ".SS Members of call_records\nNull where calls are not recorded one by one.\n");
	man_keys(call_records_keys);
	printf(".SH EXIT STATUS\n");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		printf(".TP\n.B %d\n", statuses[i].status);
		troff(statuses[i].help);
	}
	printf(".SH NOTES\nWhile optee-top is attached the optee module cannot be unloaded: fentry and\n"
	       "tracepoints hold it. A device that is unbound is let go, and followed again when it is\n"
	       "bound.\n"
	       ".SH SEE ALSO\n.BR bpftool (8),\n.BR tee-supplicant (8)\n");
}
