// SPDX-License-Identifier: GPL-2.0-only
/* The options: one table for the parser, --help and the man page. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/time_parse.h"
#include "optee_admission.h"
#include "options/opts.h"

#define SETS(what, member)           .kind = OPTION_##what, .at = offsetof(struct opts, member)
#define WITHIN(what, member, lo, hi) SETS(what, member), .min = (lo), .max = (hi)

/* The commands that watch this kernel. */
#define WATCHING                     "top events record check daemon metrics policy doctor"

const struct option_help option_table[] = {
	{ 'b', "batch", NULL, "top record replay policy",
	  "print plain frames, which is the default if standard output is not a terminal",
	  SETS(FLAG, batch) },
	{ 'n', "frames", "N", "top events record replay policy",
	  "stop after N frames or events; every frame, including the first, covers a full interval; for top, events, record: history (--since) comes on top",
	  WITHIN(WHOLE, frames, 1, INT_MAX) },
	{ 'd', "delay", "SECONDS", "top events record check metrics policy",
	  "interval between frames, 0.1 to 3600 (default 1)",
	  WITHIN(NUMBER, delay, MIN_DELAY, MAX_DELAY) },
	{ 'o', "sort", "FIELD", "top record replay policy",
	  "sort by this field (default calls_rate); a leading - reverses the order",
	  .kind = OPTION_SORT },
	{ 'p', "filter", "PID|NAME", "top events record replay export policy",
	  "show only sessions and events of this process, or whose client, task or TA has NAME in its name",
	  .kind = OPTION_FILTER },
	{ 'j', "json", NULL, "top events record replay check policy",
	  "print JSON; for top, events, record, replay: one object per frame or event, one per line",
	  SETS(FLAG, json) },
	{ 0, "duration", "SECONDS", "top events record replay policy",
	  "stop after this time, rounded up to whole intervals (at least 0.1 s); for top, events, record: history (--since) comes on top",
	  WITHIN(NUMBER, duration, MIN_DELAY, MAX_DURATION) },
	{ 0, "compress", NULL, "record",
	  "also compress the calls: fewer bytes for more instructions", SETS(FLAG, compress) },
	{ 0, "speed", "FACTOR", "replay",
	  "speed of the live view's replay, 0.1 to 1000 (default 1)",
	  WITHIN(NUMBER, speed, MIN_SPEED, MAX_SPEED) },
	{ 0, "rules", "FILE", "check",
	  "check by the rules in FILE, one per line; see 'optee-top help rules'",
	  SETS(TEXT, rules) },
	{ 0, "live", "SECONDS", "check", "check the running kernel for this time, 0.1 to 86400",
	  WITHIN(NUMBER, live, MIN_DELAY, MAX_LIVE_SECONDS) },
	{ 0, "format", "FORMAT", "export check",
	  "for export: jsonl, csv, perfetto (of a recording) or prometheus (of a log); for check: table (default), tap, junit or json",
	  SETS(TEXT, format) },
	{ 0, "output", "OUT", "export policy",
	  "for export: write to this file, once the output is complete, instead of standard output; for policy: with build, the name of the object (default FILE.o)",
	  SETS(TEXT, output) },
	{ 0, "what", "TABLE", "export",
	  "with --format csv: calls (default), releases (waits after calls to give the argument back), sessions, pools or events; of a log: sessions (default of csv), pools, tas, events, losses or gaps",
	  SETS(TEXT, what) },
	{ 0, "since", "TIME", "top events record export",
	  "start at this time, 2026-01-31T12:00:00Z, or this long ago, 90s, 15m, 2h or 3d; for top, events, record: in the history of a daemon; for export: in a log or a recording",
	  SETS(TIME, since_ns) },
	{ 0, "cursor", "FILE", "export",
	  "for a log: resume after the position saved in FILE, if it exists, and save the new position there",
	  SETS(TEXT, cursor) },
	{ 0, "openmetrics", NULL, "metrics",
	  "print OpenMetrics 1.0 instead of Prometheus' text format", SETS(FLAG, openmetrics) },
	{ 0, "btf", "FILE", WATCHING, "BTF of the kernel and driver, for a kernel that has none",
	  SETS(TEXT, attach.btf), .config = true },
	{ 0, "kprobes", NULL, WATCHING,
	  "use kprobes and raw tracepoints even where fentry and BTF tracepoints work; this costs more",
	  SETS(FLAG, attach.kprobes), .config = true },
	{ 0, "mainline-rule", NULL, WATCHING,
	  "take it that a driver whose queue has members that optee-top does not know admits calls as one without them does; otherwise such a driver is design 'other', and whom it should have admitted is not judged",
	  SETS(FLAG, attach.mainline_rule), .config = true },
	{ 0, "reserved", "N", WATCHING,
	  "judge overruns and breaches as if N entries were in reserve, instead of by the driver's own figure",
	  WITHIN(WHOLE, attach.reserved, 0, MAX_RESERVED), .config = true },
	{ 0, "shadow", "NAME|FILE", WATCHING,
	  "also ask this policy about each call, and count where it would have differed from the driver; up to 10 times",
	  .kind = OPTION_SHADOW, .config = true },
	{ 0, "starved", "SECONDS", WATCHING, "report a call as starved after this wait (default 1)",
	  WITHIN(NS, attach.starved_ns, MIN_STARVED, MAX_DELAY), .config = true },
	{ 0, "strict", NULL, "top events record replay export check metrics policy",
	  "exit with status 5 if any data was lost", SETS(FLAG, strict) },
	{ 0, "direct", NULL, "top events record check metrics policy",
	  "load its own probes even if a daemon is running", SETS(FLAG, direct) },
	{ 0, "socket", "PATH", WATCHING, "the daemon's socket (default " SOCKET_PATH ")",
	  SETS(TEXT, socket), .config = true },
	{ 0, "config", "FILE", "daemon",
	  "a file of options, one per line, without the dashes (default " CONFIG_PATH
	  ", if it exists)",
	  SETS(TEXT, daemon.config) },
	{ 0, "user", "NAME", "daemon", "user to run as after attaching (default nobody)",
	  SETS(TEXT, daemon.user), .config = true },
	{ 0, "group", "NAME", "daemon",
	  "group whose members may use the daemon without being root, and read its logs",
	  SETS(TEXT, daemon.group), .config = true },
	{ 0, "listen", "WHERE", "daemon",
	  "serve metrics over HTTP at [HOST:]PORT (HOST defaults to 127.0.0.1) or a socket's path",
	  SETS(TEXT, daemon.listen), .config = true },
	{ 0, "listen-name", "NAME", "daemon",
	  "also serve metrics under this host name (*.DOMAIN: all names in it, *: any); may be repeated",
	  .kind = OPTION_NAME, .config = true },
	{ 0, "textfile", "FILE", "daemon", "write metrics to FILE for node_exporter, every 15 s",
	  SETS(TEXT, daemon.textfile), .config = true },
	{ 0, "log", "DIR", "daemon", "write log files to DIR", SETS(TEXT, daemon.log),
	  .config = true },
	{ 0, "log-interval", "SECONDS", "daemon", "time between logged figures (default 60)",
	  WITHIN(NUMBER, daemon.log_interval, 1, MAX_DELAY), .config = true },
	{ 0, "log-size", "MB", "daemon",
	  "limit for the size of all log files together (default 16)",
	  WITHIN(NUMBER, daemon.log_mb, 1, 1 << 20), .config = true },
	{ 0, "log-csv", NULL, "daemon", "also log as CSV", SETS(FLAG, daemon.log_csv),
	  .config = true },
	{ 0, "timeout-ms", "N", "policy",
	  "attach, swap: eject the policy if a call waits this long although it could have run, 1 to 30000",
	  WITHIN(WHOLE, policy.timeout_ms, 1, OPTEE_ADM_TIMEOUT_MS) },
	{ 0, "foreground", NULL, "policy",
	  "attach: hold the policy only while this process runs; detach on SIGINT or SIGTERM",
	  SETS(FLAG, policy.foreground) },
	{ 0, "include", "DIR", "policy", "build: directory of policy.h and optee_admission.h",
	  SETS(TEXT, policy.include) },
	{ 0, "verbose", NULL, "policy", "show all messages of libbpf and the verifier",
	  SETS(FLAG, policy.verbose) },
	{ 'h', "help", NULL, NULL, "show this help", SETS(FLAG, help) },
	{ 'V', "version", NULL, NULL, "show the version", SETS(FLAG, version) },
};

const size_t nr_options = sizeof(option_table) / sizeof(option_table[0]);

enum { OPT_LONG = 256 };

_Static_assert(sizeof(option_table) / sizeof(option_table[0]) <= 64, "given has a bit for each");

static bool parse_number(const char *arg, double min, double max, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(arg, &end);
	/* strtod() also reads hexadecimal numbers, which nobody means. */
	return !errno && end != arg && !*end && !strpbrk(arg, "xX") && *out >= min && *out <= max;
}

static void set_filter(struct opts *o, const char *arg)
{
	double pid;

	if (parse_number(arg, 1, INT_MAX, &pid) && pid == (double)(pid_t)pid)
		o->pid = (pid_t)pid;
	else
		o->match = arg;
}

static enum status set_sort(struct opts *o, const char *arg)
{
	o->reverse = *arg == '-';
	o->sort = session_field_find(arg + o->reverse);
	if (o->sort)
		return STATUS_OK;
	return fail(STATUS_USAGE,
		    "cannot sort by '%s': no such field; 'optee-top help fields' lists them", arg);
}

enum status opts_add_shadow(struct opts *o, const char *arg)
{
	if (o->attach.nr_shadows == MAX_SHADOWS)
		return fail(STATUS_USAGE, "cannot shadow '%s': that is one more than %d policies",
			    arg, MAX_SHADOWS);
	o->attach.shadows[o->attach.nr_shadows++] = arg;
	return STATUS_OK;
}

static enum status add_name(struct opts *o, const char *arg)
{
	struct daemon_opts *d = &o->daemon;

	if (!http_names_valid(arg))
		return fail(STATUS_USAGE,
			    "cannot use '--listen-name %s': give a host name, *.DOMAIN or *", arg);
	if (d->nr_listen_names == HTTP_NAMES_MOST)
		return fail(STATUS_USAGE,
			    "cannot use '--listen-name %s': that is one more than %d names", arg,
			    HTTP_NAMES_MOST);
	d->listen_names[d->nr_listen_names++] = arg;
	return STATUS_OK;
}

/* A number within the option's limits, where it belongs. given: what it was called. */
static enum status set_number(struct opts *o, const struct option_help *option, const char *given,
			      const char *arg)
{
	bool whole = option->kind == OPTION_WHOLE;
	void *at = (char *)o + option->at;
	double n;

	if (!parse_number(arg, option->min, option->max, &n) || (whole && n != (double)(int)n))
		return fail(STATUS_USAGE, "cannot use '%s %s': not a %snumber from %.10g to %.10g",
			    given, arg, whole ? "whole " : "", option->min, option->max);
	if (whole)
		*(int *)at = (int)n;
	else if (option->kind == OPTION_NS)
		*(u64 *)at = (u64)(n * 1e9);
	else
		*(double *)at = n;
	return STATUS_OK;
}

enum status opts_set(struct opts *o, const struct option_help *option, const char *given,
		     const char *arg)
{
	switch (option->kind) {
	case OPTION_FLAG:
		*((bool *)((char *)o + option->at)) = true;
		return STATUS_OK;
	case OPTION_TEXT:
		*((const char **)((char *)o + option->at)) = arg;
		return STATUS_OK;
	case OPTION_FILTER:
		set_filter(o, arg);
		return STATUS_OK;
	case OPTION_SORT:
		return set_sort(o, arg);
	case OPTION_SHADOW:
		return opts_add_shadow(o, arg);
	case OPTION_NAME:
		return add_name(o, arg);
	case OPTION_TIME:
		if (time_parse_since(arg, clock_ns(CLOCK_REALTIME),
				     (u64 *)((char *)o + option->at)))
			return STATUS_OK;
		return fail(
			STATUS_USAGE,
			"cannot use '%s %s': not a time as 2026-01-31T12:00:00Z, 90s, 15m, 2h or 3d",
			given, arg);
	default:
		return set_number(o, option, given, arg);
	}
}

/* getopt tells of a letter, or of a name that is right, by optopt: optind may not be behind it. */
static enum status unknown_option(const char *word)
{
	if (optopt >= OPT_LONG)
		return fail(STATUS_USAGE, "'--%s' takes no value; see 'optee-top --help'",
			    option_table[optopt - OPT_LONG].name);
	if (optopt)
		return fail(STATUS_USAGE, "no option '-%c'; see 'optee-top --help'", optopt);
	return fail(STATUS_USAGE, "no option '%s'; see 'optee-top --help'", word);
}

bool option_is_of(const struct option_help *option, const char *command)
{
	const size_t len = strlen(command);
	const char *word = option->commands;

	while (word && (word = strstr(word, command))) {
		if ((word == option->commands || word[-1] == ' ') && strchr(" ", word[len]))
			return true;
		word += len;
	}
	return !option->commands;
}

/* "'a'", "'a' and 'b'", "'a', 'b' and 'c'" */
static void quote_words(const char *words, char *to, size_t room)
{
	size_t len, at = 0;

	to[0] = '\0';
	for (; *words; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		at += (size_t)snprintf(to + at, room - at, "%s'%.*s'",
				       !at        ? "" :
				       words[len] ? ", " :
						    " and ",
				       (int)len, words);
	}
}

enum status opts_check(const struct opts *o, const char *command)
{
	char words[160];

	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *option = &option_table[i];

		if (!(o->given >> i & 1) || option_is_of(option, command))
			continue;
		quote_words(option->commands, words, sizeof(words));
		return fail(STATUS_USAGE, "'--%s' is an option of %s", option->name, words);
	}
	return STATUS_OK;
}

int opts_frames(const struct opts *o)
{
	if (o->frames || !o->duration)
		return o->frames;
	return (int)(o->duration / o->delay + 0.999);
}

enum status opts_parse(struct opts *o, int argc, char **argv)
{
	struct option longs[sizeof(option_table) / sizeof(option_table[0]) + 1] = {};
	/* Words are not options: the parser is to hand them out as they come. */
	char shorts[3 + 3 * sizeof(option_table) / sizeof(option_table[0])] = "-:";
	int c, words = 0, after = 1;
	enum status status;

	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *h = &option_table[i];
		char letter[3] = { h->letter, h->arg ? ':' : '\0' };

		longs[i] = (struct option){ h->name, h->arg ? required_argument : no_argument, NULL,
					    OPT_LONG + (int)i };
		if (h->letter)
			strcat(shorts, letter);
	}
	memset(o, 0, sizeof(*o));
	o->delay = 1;
	o->speed = 1;
	o->socket = SOCKET_PATH;
	o->daemon.log_interval = 60;
	o->daemon.log_mb = 16;
	o->sort = session_field_find("calls_rate");
	o->attach.reserved = -1;
	o->attach.starved_ns = STARVED_NS;
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_help *option = NULL;
		char given[24];

		after = optind;
		if (c == 1) {
			argv[++words] = optarg;
			continue;
		}
		for (size_t i = 0; i < nr_options; i++)
			if (c == OPT_LONG + (int)i || (c == option_table[i].letter && c))
				option = &option_table[i];
		if (c == ':')
			return fail(STATUS_USAGE, "'%s' needs a value; see 'optee-top --help'",
				    argv[optind - 1]);
		if (!option)
			return unknown_option(argv[optind - 1]);
		if (c < OPT_LONG)
			snprintf(given, sizeof(given), "-%c", c);
		else
			snprintf(given, sizeof(given), "--%s", option->name);
		o->given |= 1ULL << (option - option_table);
		status = opts_set(o, option, given, optarg);
		if (status != STATUS_OK)
			return status;
	}
	if (optind > after)
		o->command = argv + optind; /* it went over a "--" */
	argv[words + 1] = NULL;
	o->rest = argv + 1;
	if (o->duration && o->duration < o->delay)
		o->delay = o->duration; /* one interval, then */
	return STATUS_OK;
}

bool opts_given(const struct opts *o, const char *name)
{
	for (size_t i = 0; i < nr_options; i++)
		if (!strcmp(option_table[i].name, name))
			return o->given >> i & 1;
	return false;
}
