// SPDX-License-Identifier: GPL-2.0-only
/* The manual page, from the same tables as the help. */
#include <stdio.h>
#include <string.h>
#include "call_fields.h"
#include "condition_table.h"
#include "fields.h"
#include "help.h"
#include "opts.h"
#include "policy_figures.h"
#include "rules.h"
#include "self_stats.h"
#include "serve.h"

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

static void man_field(const char *name, const char *head, enum field_unit unit, const char *help,
		      const char *metric)
{
	printf(".TP\n.B %s\n(%s%s%s%s%s) ", name, unit_words[unit].name, head ? ", column " : "",
	       head ?: "", metric ? ", metric " : "", metric ?: "");
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
	for (size_t i = 0; i < nr_condition_fields; i++) {
		const struct condition_field *f = &condition_fields[i];

		man_field(f->name, NULL, f->unit, f->help, f->metric);
	}
}

static void man_rules(void)
{
	printf(".SH CHECK\n.B optee\\-top check\njudges what is seen by rules. COMMAND is run when the "
	       "probes are attached; its standard output\ngoes to standard error, and SIGINT and SIGTERM "
	       "are passed on to it. When it has ended one\nmore interval is watched.\n.PP\n");
	troff(rules_text[0]);
	for (size_t i = 0; i < nr_rule_kinds; i++) {
		const struct rule_kind *k = &rule_kinds[i];

		printf(".TP\n.B %s %s\n", k->name, rule_arg_help(k->arg));
		troff(k->help);
	}
	printf(".PP\n");
	troff(rules_text[1]);
	for (int i = 0; usual_rules[i]; i++)
		printf("%s%s", usual_rules[i], usual_rules[i + 1] ? ",\n" : ".\n");
}

static void man_logs(void)
{
	printf(".SS Of a log\nWhere FILE is the directory of a daemon\\(aqs log, or one of its "
	       "JSON files, the lines there are\nexported: as they are, as CSV with the columns of "
	       "the log\\(aqs own CSV files, or as samples\nfor Prometheus with the time of each in "
	       "ms. Every line has the keys schema, ts, boot_id,\nepoch (CLOCK_MONOTONIC in ns, as "
	       "optee\\-top attached: what its counters count from), seq (grows\nby one a line) and "
	       "type: host, pool, ta, session, losses, event, or gap: so many lines could not\nbe "
	       "written, and why. The other keys are the fields above.\n"
	       ".B \\-\\-since\ngoes by ts alone, that time included; to go on where the last export "
	       "ended use\n.BR \\-\\-cursor .\nLines that are torn, unreadable or missing are said, "
	       "and are status %d under\n.BR \\-\\-strict .\n",
	       STATUS_INCOMPLETE);
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
	man_logs();
}

static void man_metrics(void)
{
	printf(".SH METRICS\n.B optee\\-top metrics\nand the daemon write all fields that have a "
	       "metric's name here. What is not known is left out.\nLabels are tee, and of a TA ta and "
	       "class; of a condition, condition; of a loss or an RPC, kind.\nThe label ta is "
	       "\\(dqunknown\\(dq for sessions from before the attach, and \\(dqother\\(dq for those that "
	       "found\nno row of their own. wait, hold and secure are histograms whose buckets are an octave "
	       "wide,\nfrom 1.024 us to 17.2 s; a time that is just a bucket\\(aqs upper edge is in the next "
	       "one.\nThe rules for alerts, of\n.B optee\\-top help alerts\nare made of the table of conditions."
	       "\n.SS Metrics of the daemon itself\n");
	for (int i = 0; i < NR_SELF; i++) {
		const struct self_field *f = &self_fields[i];

		if (i && !strcmp(f->metric, self_fields[i - 1].metric))
			continue;
		printf(".TP\n.B %s\n", f->metric);
		troff(f->help);
	}
}

static void man_daemon(void)
{
	printf(".SH DAEMON\n.B optee\\-top daemon\nattaches the probes, gives up all privileges, and looks 20 "
	       "times a second, with a snapshot a\nsecond. While it runs the live view, frames, events, "
	       "record, check and metrics have\nwhat they show from its socket, " SOCKET_PATH
	       ": for root, and for the members of its\n.BR \\-\\-group .\nThey load probes of their own where "
	       "there is no daemon, with\n.BR \\-\\-direct ,\nand, for root, where it cannot do what is asked for: "
	       "a delay below 1 s,\n.BR \\-\\-reserved ,\n.BR \\-\\-kprobes ,\n.BR \\-\\-btf ,\nor another\n.BR \\-\\-starved .\n"
	       "What it has seen in the last 10 minutes, or as much of it as fits into a megabyte, "
	       "is\nin its memory:\n.B \\-\\-since\nbegins with it, and the live view shows its conditions. "
	       "What\n.B \\-n\nand\n.B \\-\\-duration\nlimit comes after that history.\n.PP\n"
	       "Options may stand in a file, a line each and without dashes; the command line goes first:\n");
	for (size_t i = 0; i < nr_options; i++)
		if (option_table[i].config)
			printf(".br\n%s%s%s\n", option_table[i].name,
			       option_table[i].arg ? " " : "", option_table[i].arg ?: "");
	printf(".PP\nSIGHUP: reads that file anew, and opens the log files anew. SIGTERM: writes what was "
	       "seen last,\nand ends. When the driver leaves the daemon lets go of it, waits, and attaches "
	       "again. Counters\nbegin with each attach: mono_ns of the host, epoch in the logs, and the metric\n"
	       "optee_attached_timestamp_seconds tell which one it was.\n"
	       ".PP\nMetrics are served to loopback addresses unless another is given. They are not secret, but "
	       "say\nwhich TAs are used how much. A request over TCP has to be for an IP address, localhost, or "
	       "a name of this\nmachine: its host name, that with .local, one that /etc/hosts gives it, or "
	       "one of\n.BR \\-\\-listen\\-name .\nAny other name gets status 421: a web page could make "
	       "its own name resolve to this machine,\nand read the metrics through the browser of "
	       "somebody who can reach them.\n"
	       ".PP\nThe socket has room for %d clients, at most %d of one user, and %d of these places "
	       "are reserved for root.\nA client that is turned away says so and exits with status 1.\n",
	       MAX_CLIENTS, MAX_OF_USER, FOR_ROOT);
}

static void man_policies(void)
{
	printf(".SH POLICIES\n.B optee\\-top policy\nhas to do with admission policies: a file of a few "
	       "lines that says which of the calls that\nwait gets a thread, in the place of the rule of the "
	       "driver. NAME is one that\n.B policy list\nlists; a FILE has a / in its name or ends in .o. A "
	       "policy that is attached stays until another\ntakes its place, it is detached, or the driver "
	       "ejects it, because it gave up, gave an answer that is\nnone, or let a call wait longer than "
	       "its watchdog has it. Its link is in the BPF file system,\n/sys/fs/bpf/optee\\-top/policy; with\n"
	       ".B \\-\\-foreground\nit is only held by the process, which ends with status 1 when the policy "
	       "is ejected.\n");
	for (size_t i = 0; i < nr_policy_commands; i++) {
		printf(".TP\n.B policy %s %s\n", policy_commands[i].name, policy_commands[i].args);
		troff(policy_commands[i].help);
	}
	printf(".SS What policy show \\-\\-json prints\nOne object, with schema, ts, boot_id, type (policy), "
	       "and:\n");
	man_keys(policy_keys);
	printf(".SS Members of last\nWhat was not a reason is null.\n");
	man_keys(policy_last_keys);
	printf(".SS Members of an element of queues\n");
	for (size_t i = 0; i < nr_queue_figures; i++) {
		printf(".TP\n.B %s\n", queue_figures[i].name);
		troff(queue_figures[i].help);
	}
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
			  session_fields[i].help, NULL);
	printf(".SH FIELDS OF A POOL\n");
	for (size_t i = 0; i < nr_pool_fields; i++)
		man_field(pool_fields[i].name, NULL, pool_fields[i].unit, pool_fields[i].help,
			  pool_fields[i].metric);
	printf(".SH FIELDS OF A POLICY\nWhat an admission policy decided of the calls of one class; members of policies in a pool.\n");
	for (size_t i = 0; i < nr_policy_fields; i++)
		man_field(policy_fields[i].name, NULL, policy_fields[i].unit, policy_fields[i].help,
			  policy_fields[i].metric);
	printf(".SH FIELDS OF A TA\nWhat its sessions of one class did, closed ones included; in logs and metrics.\n");
	for (size_t i = 0; i < nr_ta_fields; i++)
		man_field(ta_fields[i].name, NULL, ta_fields[i].unit, ta_fields[i].help,
			  ta_fields[i].metric);
	printf(".SS Of its RPCs, by kind\n");
	for (size_t i = 0; i < nr_rpc_fields; i++)
		man_field(rpc_fields[i].name, NULL, rpc_fields[i].unit, rpc_fields[i].help,
			  rpc_fields[i].metric);
	man_conditions();
	man_events();
	man_rules();
	man_export();
	man_daemon();
	man_policies();
	man_metrics();
	printf(".SH LOSSES\nWhat was not seen is counted, and shown in every output. As a metric: " LOSS_METRIC
	       ",\nby kind.\n");
	for (int i = 0; i < NR_LOSSES; i++)
		man_field(loss_fields[i].name, NULL, UNIT_COUNT, loss_fields[i].help, NULL);
	man_field(missed_field.name, NULL, UNIT_COUNT, missed_field.help, NULL);
	printf(".SH JSON\nWith\n.B \\-\\-json\neach frame is one line, an object with the keys schema, "
	       "ts, boot_id, mono_ns, seq,\ninterval_ns, pools, sessions, calls, events, losses and call_records. The fields "
	       "above are keys, with the unit\nas a suffix: _ns, _per_second, _percent. What is not "
	       "known is null. A key that ends in\n_at_least is true where the figure is a lower bound: what it "
	       "measures began before\noptee-top attached. A histogram is an array\nof [lower edge in ns, calls]; its buckets are "
	       "128 ns wide up to 1024 ns, then 8 an octave.\n"
	       ".SS Members of call_records\nNull where calls are not recorded one by one.\n");
	man_keys(call_records_keys);
	printf(".SH EXIT STATUS\n");
	for (size_t i = 0; i < nr_statuses; i++) {
		printf(".TP\n.B %d\n", status_table[i].status);
		troff(status_table[i].help);
	}
	printf(".SH NOTES\nWhile optee-top is attached the optee module cannot be unloaded: fentry and\n"
	       "tracepoints hold it. A device that is unbound is let go, and followed again when it is\n"
	       "bound.\n"
	       ".SH SEE ALSO\n.BR bpftool (8),\n.BR tee-supplicant (8)\n");
}
