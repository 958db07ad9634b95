// SPDX-License-Identifier: GPL-2.0-only
/* The options: one table for the parser, --help and the man page. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "condition_table.h"
#include "opts.h"

const struct option_help option_table[] = {
	{ 'b', "batch", NULL,
	  "print plain frames; what happens anyway when standard output is not a terminal" },
	{ 'n', "frames", "N",
	  "stop after N frames, or events; each frame shows a whole interval, the first one too" },
	{ 'd', "delay", "SECONDS", "interval between frames, 0.1 to 3600 (default 1)" },
	{ 'o', "sort", "FIELD", "sort by this field (default calls_rate); a leading - reverses" },
	{ 'p', "filter", "PID|NAME",
	  "only sessions and events of this process, or whose client, task or TA has NAME in its name" },
	{ 'j', "json", NULL, "print one JSON object a frame and line" },
	{ 0, "btf", "FILE",
	  "types of the kernel and driver, for a kernel that has no BTF of them" },
	{ 0, "kprobes", NULL,
	  "use kprobes and raw tracepoints even where fentry and BTF tracepoints work: dearer" },
	{ 0, "reserved", "N",
	  "judge overruns and breaches as if N entries were in reserve, not by the driver's own figure" },
	{ 0, "starved", "SECONDS", "a wait longer than this starves (default 1)" },
	{ 0, "duration", "SECONDS", "stop after so long; the same as -n, in seconds" },
	{ 0, "compress", NULL,
	  "record: deflate the calls, too: a third to a half of the bytes, a thousand instructions a call" },
	{ 0, "speed", "FACTOR", "replay in the live view so many times as fast (default 1)" },
	{ 0, "strict", NULL, "exit with status 5 when anything was not seen" },
	{ 0, "format", "FORMAT", "of export: jsonl, csv or perfetto" },
	{ 0, "output", "OUT",
	  "of export: write this file, once it is complete, instead of standard output" },
	{ 0, "what", "TABLE",
	  "of export --format csv: calls (default), sessions, pools or events" },
	{ 'h', "help", NULL, "show this help" },
	{ 'V', "version", NULL, "show the version" },
};

const size_t nr_options = sizeof(option_table) / sizeof(option_table[0]);

enum { OPT_LONG = 256 };

static bool parse_number(const char *arg, double min, double max, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(arg, &end);
	return !errno && end != arg && !*end && *out >= min && *out <= max;
}

static enum status apply(struct opts *o, const char *name, const char *arg)
{
	double n;

	if (!strcmp(name, "batch")) {
		o->batch = true;
	} else if (!strcmp(name, "json")) {
		o->json = true;
	} else if (!strcmp(name, "kprobes")) {
		o->attach.kprobes = true;
	} else if (!strcmp(name, "strict")) {
		o->strict = true;
	} else if (!strcmp(name, "help")) {
		o->help = true;
	} else if (!strcmp(name, "version")) {
		o->version = true;
	} else if (!strcmp(name, "btf")) {
		o->attach.btf = arg;
	} else if (!strcmp(name, "format")) {
		o->format = arg;
	} else if (!strcmp(name, "output")) {
		o->output = arg;
	} else if (!strcmp(name, "what")) {
		o->what = arg;
	} else if (!strcmp(name, "frames")) {
		if (!parse_number(arg, 1, INT_MAX, &n) || n != (double)(long)n)
			return fail(STATUS_USAGE,
				    "cannot use '-n %s': not a whole number from 1 on", arg);
		o->frames = (long)n;
	} else if (!strcmp(name, "delay")) {
		if (!parse_number(arg, MIN_DELAY, MAX_DELAY, &o->delay))
			return fail(STATUS_USAGE,
				    "cannot use '-d %s': not a number of seconds from %g to %g",
				    arg, MIN_DELAY, MAX_DELAY);
	} else if (!strcmp(name, "duration")) {
		if (!parse_number(arg, MIN_DELAY, MAX_DURATION, &o->duration))
			return fail(
				STATUS_USAGE,
				"cannot use '--duration %s': not a number of seconds from %g to %g",
				arg, MIN_DELAY, MAX_DURATION);
	} else if (!strcmp(name, "compress")) {
		o->compress = true;
	} else if (!strcmp(name, "speed")) {
		if (!parse_number(arg, MIN_SPEED, MAX_SPEED, &o->speed))
			return fail(STATUS_USAGE,
				    "cannot use '--speed %s': not a number from %g to %g", arg,
				    MIN_SPEED, MAX_SPEED);
	} else if (!strcmp(name, "reserved")) {
		if (!parse_number(arg, 0, MAX_RESERVED, &n) || n != (double)(int)n)
			return fail(STATUS_USAGE,
				    "cannot use '--reserved %s': not a whole number from 0 to %d",
				    arg, MAX_RESERVED);
		o->attach.reserved = (int)n;
	} else if (!strcmp(name, "starved")) {
		if (!parse_number(arg, MIN_STARVED, MAX_DELAY, &n))
			return fail(
				STATUS_USAGE,
				"cannot use '--starved %s': not a number of seconds from %g to %g",
				arg, MIN_STARVED, MAX_DELAY);
		o->attach.starved_ns = (u64)(n * 1e9);
	} else if (!strcmp(name, "filter")) {
		if (parse_number(arg, 1, INT_MAX, &n) && n == (double)(long)n)
			o->pid = (pid_t)n;
		else
			o->match = arg;
	} else if (!strcmp(name, "sort")) {
		o->reverse = *arg == '-';
		o->sort = session_field_find(arg + o->reverse);
		if (!o->sort)
			return fail(STATUS_USAGE,
				    "cannot sort by '%s': no such field; 'optee-top help fields' "
				    "lists them",
				    arg);
	}
	return STATUS_OK;
}

/* A duration is a number of whole intervals: one that is shorter becomes the interval. */
static void last_frame(struct opts *o)
{
	if (!o->duration || o->frames)
		return;
	if (o->duration < o->delay)
		o->delay = o->duration;
	o->frames = (long)(o->duration / o->delay + 0.999);
}

enum status opts_parse(struct opts *o, int argc, char **argv)
{
	struct option longs[sizeof(option_table) / sizeof(option_table[0]) + 1] = {};
	char shorts[3 * sizeof(option_table) / sizeof(option_table[0])] = ":";
	enum status status;
	int c;

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
	o->sort = session_field_find("calls_rate");
	o->attach.reserved = -1;
	o->attach.starved_ns = 1000000000;
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const char *name = NULL;

		for (size_t i = 0; i < nr_options; i++)
			if (c == OPT_LONG + (int)i || (c == option_table[i].letter && c))
				name = option_table[i].name;
		if (c == ':')
			return fail(STATUS_USAGE, "'%s' needs a value; see 'optee-top --help'",
				    argv[optind - 1]);
		if (!name)
			return fail(STATUS_USAGE, "no option '%s'; see 'optee-top --help'",
				    argv[optind - 1]);
		status = apply(o, name, optarg);
		if (status != STATUS_OK)
			return status;
	}
	o->rest = argv + optind;
	last_frame(o);
	return STATUS_OK;
}

bool opts_shows(const struct opts *o, const struct snapshot *s, const struct snap_session *row)
{
	struct value ta;

	if (o->pid && (u32)o->pid != row->tgid)
		return false;
	if (!o->match)
		return true;
	ta = session_field_find("ta")->get(s, row);
	return strstr(row->comm, o->match) || (ta.known && strstr(ta.text, o->match));
}

bool opts_shows_event(const struct opts *o, const struct event *e)
{
	if (!o->pid && !o->match)
		return true;
	for (u32 i = 0; i < e->nr_parties; i++) {
		const struct event_party *p = &e->parties[i];

		if (!event_involves(e, i))
			continue;
		if (o->pid ? (u32)o->pid == p->tgid :
			     strstr(p->comm, o->match) || strstr(p->client, o->match) ||
				     strstr(p->ta, o->match))
			return true;
	}
	return false;
}
