// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a reader of lines to a format: from which line on (--since, --cursor), which
 * ones (--what, -p), and what is said at the end.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/out_file.h"
#include "base/stop.h"
#include "base/text.h"
#include "log/log_cursor.h"
#include "log/log_export.h"

static const struct log_out_format *const formats[] = { &log_out_jsonl, &log_out_csv,
							&log_out_prometheus };

static const struct log_out_format *find_format(const struct opts *o)
{
	for (size_t i = 0; o->format && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(o->format, formats[i]->name))
			return formats[i];
	if (o->format)
		fail(STATUS_USAGE, "no format '%s' of a log; there are jsonl, csv and prometheus",
		     o->format);
	else
		fail(STATUS_USAGE,
		     "'export' needs a format; give --format jsonl, csv or prometheus");
	return NULL;
}

/* --what: the names of tables, and what they are made of. */
static const struct {
	const char *name;
	enum log_type type;
} tables[] = {
	{ "sessions", LOG_SESSION }, { "pools", LOG_POOL },    { "tas", LOG_TA },
	{ "events", LOG_EVENT },     { "losses", LOG_LOSSES }, { "gaps", LOG_GAP },
};

/* The types of lines that are wanted, a bit each; 0: it has said what is wrong. */
static u32 find_types(const struct opts *o, const struct log_out_format *format)
{
	if (!o->what)
		return format->types;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!strcmp(o->what, tables[i].name)) {
			if (format->types >> tables[i].type & 1)
				return 1U << tables[i].type;
			fail(STATUS_USAGE, "--format %s has no '%s'", format->name, o->what);
			return 0;
		}
	fail(STATUS_USAGE,
	     "no table '%s' in a log; there are sessions, pools, tas, events, losses and gaps",
	     o->what);
	return 0;
}

static bool has(const json_t *object, const char *key, const char *part)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && text_has(text, part);
}

static bool is_pid(const json_t *object, pid_t pid)
{
	const json_t *n = json_object_get(object, "pid");

	return json_is_integer(n) && json_integer_value(n) == pid;
}

/* One that an event is about; or the line itself: a session or a TA. */
static bool shows_one(const struct opts *o, const json_t *one)
{
	if (o->pid)
		return is_pid(one, o->pid);
	return has(one, "client", o->match) || has(one, "comm", o->match) ||
	       has(one, "ta", o->match);
}

static bool shows(const struct opts *o, enum log_type type, const json_t *line)
{
	const json_t *who = json_object_get(line, "who");

	if (!o->pid && !o->match)
		return true;
	if (type == LOG_SESSION || type == LOG_TA)
		return shows_one(o, line);
	for (size_t i = 0; type == LOG_EVENT && i < json_array_size(who); i++) {
		const json_t *one = json_array_get(who, i);

		if (json_is_true(json_object_get(one, "involved")) && shows_one(o, one))
			return true;
	}
	return type != LOG_EVENT;
}

static void give(const struct opts *o, const struct log_out_format *format, struct log_out *x,
		 struct log_reader *r, const struct log_entry *entry)
{
	json_t *json = log_reader_json(r, entry);

	if (json && shows(o, entry->type, json))
		format->line(x, entry, json);
	json_decref(json);
}

static enum status say_end(const struct opts *o, const char *path, const struct log_reader *r)
{
	const struct log_missing *m = log_reader_missing(r);

	if (log_reader_failed(r))
		return STATUS_FAILURE;
	if (stop_asked)
		return fail(STATUS_FAILURE, "cannot export all of it: interrupted by a signal");
	if (!m->torn && !m->bad && !m->lines)
		return STATUS_OK;
	return fail(o->strict ? STATUS_INCOMPLETE : STATUS_OK,
		    "'%s': %llu torn and %llu unreadable lines are skipped; %llu are missing", path,
		    (unsigned long long)m->torn, (unsigned long long)m->bad,
		    (unsigned long long)m->lines);
}

/* Gives all that is wanted, and has the last position at the end. */
static enum status run(const struct opts *o, const struct log_out_format *format, u32 types,
		       struct log_reader *r, const char *path, struct log_out *x,
		       struct log_position *last)
{
	struct log_entry entry;

	for (int type = 0; type < NR_LOG_TYPES; type++)
		if (types == 1U << type)
			x->table = type;
	if (format->begin)
		format->begin(x);
	while (!stop_asked && !ferror(x->out) && log_reader_next(r, &entry)) {
		*last = entry.at;
		/* A type from a newer optee-top has a bit, too: only all of them include it. */
		if (entry.real_ns >= o->since_ns && types >> entry.type & 1)
			give(o, format, x, r, &entry);
	}
	if (format->end)
		format->end(x);
	return say_end(o, path, r);
}

/* Saves the position once everything before it is on disk, or has been read. */
static enum status export_to(const struct opts *o, const struct log_out_format *format, u32 types,
			     struct log_reader *r, const char *path, struct log_position *last)
{
	struct log_out x = { .table = LOG_SESSION };
	enum status status, written;
	struct out_file out;

	status = out_file_open(&out, o->output);
	if (status != STATUS_OK)
		return status;
	x.out = out.stream;
	stop_catch();
	status = run(o, format, types, r, path, &x, last);
	written = out_file_close(&out, status != STATUS_FAILURE);
	if (written == STATUS_OK && status != STATUS_FAILURE && !out.error && o->cursor)
		written = log_cursor_save(o->cursor, last);
	return written == STATUS_OK ? status : written;
}

/* The daemon's own files are not to be replaced: not by what is exported, and not by a cursor. */
static bool is_part_of(const char *name, const char *path)
{
	char *real = name ? realpath(name, NULL) : NULL, *base = real ? strrchr(real, '/') : NULL;
	struct stat dir, log;
	struct log_part part;
	bool is = false;

	if (base) {
		*base++ = '\0';
		is = log_name_parse(base, &part) && !stat(*real ? real : "/", &dir) &&
		     !stat(path, &log) && dir.st_dev == log.st_dev && dir.st_ino == log.st_ino;
	}
	free(real);
	return is;
}

static enum status check_names(const struct opts *o, const char *path)
{
	if (is_part_of(o->output, path) || is_part_of(o->cursor, path))
		return fail(STATUS_USAGE,
			    "cannot export '%s' to one of its own files; give another name", path);
	if (o->cursor && o->output &&
	    (!strcmp(o->cursor, o->output) || out_file_is(o->output, o->cursor)))
		return fail(STATUS_USAGE, "'--cursor' and '--output' are the same file '%s'",
			    o->output);
	return STATUS_OK;
}

enum status log_export(const struct opts *o, const char *path)
{
	const struct log_out_format *format = find_format(o);
	struct log_position last = {};
	struct log_reader *r;
	enum status status;
	u32 types = format ? find_types(o, format) : 0;

	if (!types)
		return STATUS_USAGE;
	status = check_names(o, path);
	if (status == STATUS_OK)
		status = log_cursor_open(&r, path, o->cursor, &last);
	if (status != STATUS_OK)
		return status;
	status = export_to(o, format, types, r, path, &last);
	log_reader_close(r);
	return status;
}
