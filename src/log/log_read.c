// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files are found by their numbers one after the other, so that one may be rotated,
 * deflated or deleted meanwhile. zlib reads those that are not deflated as they are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/time_parse.h"
#include "log/log_read.h"
#include "render/json.h"

struct log_reader {
	const char *path;
	int dir;      /* -1: path is the file */
	gzFile file;  /* NULL: none is open */
	u32 number;   /* of a directory's: of the file that is, or was, open */
	bool current; /* that is the one that is being written: there is no later one */
	bool failed;
	bool skip;                /* amid a line that is too long */
	size_t at, end;           /* what is not read yet of text */
	size_t given;             /* bytes before it, of the line that was given */
	struct log_position last; /* of the line before */
	bool has_last;
	struct log_missing missing;
	char text[LINE_ROOM];
};

/* As the first line of a log does, which may be deflated; a frame of --json has no epoch. */
static bool begins_as_log(const char *path)
{
	static const char want[] = "{\"schema\":\"optee-top/";
	char begin[160] = "";
	gzFile file = gzopen(path, "rb");

	if (!file)
		return false;
	gzread(file, begin, sizeof(begin) - 1);
	gzclose(file);
	return !strncmp(begin, want, sizeof(want) - 1) && strstr(begin, ",\"epoch\":");
}

bool log_is(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	return S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && begins_as_log(path));
}

static void cannot_read(struct log_reader *r, int err)
{
	r->failed = true;
	fail(STATUS_FAILURE, "cannot read '%s': %s", r->path, strerror(err));
}

static bool open_part(struct log_reader *r, const struct log_part *part)
{
	char name[LOG_NAME_LEN];
	int fd = openat(r->dir, log_name_make(part, name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		cannot_read(r, errno);
	if (fd < 0)
		return false;
	r->file = gzdopen(fd, "rb");
	if (!r->file) {
		close(fd);
		cannot_read(r, ENOMEM);
	}
	return r->file;
}

/* The next number after this one; 0: there is none. */
static u32 next_number(struct log_reader *r, u32 after)
{
	int fd = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct log_part part;
	u32 found = 0;

	if (!dir) {
		cannot_read(r, errno);
		return 0;
	}
	while ((entry = readdir(dir)))
		if (log_name_parse(entry->d_name, &part) && part.name == LOG_NAME_JSONL &&
		    !part.partial && part.number > after && (!found || part.number < found))
			found = part.number;
	closedir(dir);
	return found;
}

/* Deflated or not: it may become so, or be deleted, between two looks. */
static bool open_number(struct log_reader *r, u32 number)
{
	struct log_part part = { .name = LOG_NAME_JSONL, .number = number };

	for (int look = 0; look < 3 && !r->failed; look++) {
		part.deflated = look != 1;
		if (open_part(r, &part))
			return true;
	}
	return false;
}

static bool open_current(struct log_reader *r)
{
	const struct log_part part = { .name = LOG_NAME_JSONL };

	if (!open_part(r, &part))
		return false;
	/* It may have been rotated just now: then it has a number, and its turn is by that. */
	if (next_number(r, r->number)) {
		gzclose(r->file);
		r->file = NULL;
		return false;
	}
	r->number++;
	r->current = true;
	return true;
}

/* The next file of the directory; false: there is none. */
static bool open_next(struct log_reader *r)
{
	while (!r->failed && !r->current) {
		u32 number = next_number(r, r->number);

		if (!number && open_current(r))
			return true;
		if (r->failed || (!number && !next_number(r, r->number)))
			return false;
		if (!number)
			continue;
		r->number = number;
		if (open_number(r, number))
			return true;
	}
	return false;
}

static bool open_first(struct log_reader *r)
{
	if (r->dir >= 0)
		return open_next(r);
	r->file = gzopen(r->path, "rb");
	r->current = true;
	return r->file;
}

enum status log_reader_open(struct log_reader **reader, const char *path, u32 from)
{
	struct log_reader *r = malloc(sizeof(*r));
	struct stat st;

	if (!r)
		return fail(STATUS_FAILURE, "cannot read '%s': out of memory", path);
	memset(r, 0, offsetof(struct log_reader, text));
	r->path = path;
	r->number = from ? from - 1 : 0;
	r->dir = -1;
	errno = 0;
	if (stat(path, &st) || (S_ISDIR(st.st_mode) &&
				(r->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)) {
		cannot_read(r, errno);
	} else if (open_first(r) || (from && !r->failed)) {
		*reader = r;
		return STATUS_OK;
	} else if (!r->failed) {
		fail(STATUS_FAILURE, "cannot read '%s': %s", path,
		     r->dir >= 0 ? "there is no log in it" : strerror(errno ?: ENOMEM));
	}
	log_reader_close(r);
	return STATUS_FAILURE;
}

void log_reader_close(struct log_reader *r)
{
	if (r->file)
		gzclose(r->file);
	if (r->dir >= 0)
		close(r->dir);
	free(r);
}

/* More of the file; false: that was all. */
static bool fill(struct log_reader *r)
{
	int n;

	memmove(r->text, r->text + r->at, r->end - r->at);
	r->end -= r->at;
	r->at = 0;
	if (r->end == sizeof(r->text)) { /* longer than any line of a log */
		if (!r->skip)
			r->missing.bad++;
		r->skip = true;
		r->end = 0;
	}
	n = gzread(r->file, r->text + r->end, (unsigned int)(sizeof(r->text) - r->end));
	if (n <= 0)
		return false;
	r->end += (size_t)n;
	return true;
}

/* A deflated file that is cut off, or a disk that does not give it. */
static void end_file(struct log_reader *r)
{
	int err;

	gzerror(r->file, &err);
	if (r->end > r->at && !r->skip)
		r->missing.torn++;
	else if (err != Z_OK && err != Z_STREAM_END)
		r->missing.bad++;
	if (err == Z_ERRNO)
		cannot_read(r, errno);
	gzclose(r->file);
	r->file = NULL;
	r->at = r->end = 0;
	r->skip = false;
}

/* The next line of the files, whatever it is; false: there is none. */
static bool next_text(struct log_reader *r, const char **text, size_t *len)
{
	while (r->file || (!r->current && open_next(r))) {
		const char *begin = r->text + r->at, *end;

		end = memchr(begin, '\n', r->end - r->at);
		if (end) {
			r->at += (size_t)(end - begin) + 1;
			if (r->skip) {
				r->skip = false;
				continue;
			}
			*text = begin;
			*len = (size_t)(end - begin);
			return true;
		}
		if (!fill(r))
			end_file(r);
	}
	return false;
}

static bool word(const char **at, const char *end, const char *literal)
{
	size_t len = strlen(literal);

	if ((size_t)(end - *at) < len || memcmp(*at, literal, len))
		return false;
	*at += len;
	return true;
}

/* A text up to its closing quote. */
static bool quoted(const char **at, const char *end, char *to, size_t room)
{
	const char *close = memchr(*at, '"', (size_t)(end - *at));

	if (!close || (size_t)(close - *at) >= room)
		return false;
	memcpy(to, *at, (size_t)(close - *at));
	to[close - *at] = '\0';
	*at = close + 1;
	return true;
}

static bool number(const char **at, const char *end, u64 *n)
{
	const char *begin = *at;

	for (*n = 0; *at < end && **at >= '0' && **at <= '9'; ++*at)
		*n = *n * 10 + (u64)(**at - '0');
	return *at > begin;
}

/* What every line begins with, as src/log/log_jsonl.c writes it: to skip a line costs no more. */
static bool parse_head(const char *text, size_t len, struct log_entry *e)
{
	const char *at = text, *end = text + len;
	char ts[64], type[16];

	e->text = text;
	e->len = len;
	e->at.boot_id[0] = '\0';
	if (!word(&at, end, "{\"schema\":\"" JSON_SCHEMA "\",\"ts\":\"") ||
	    !quoted(&at, end, ts, sizeof(ts)) || !time_parse(ts, &e->real_ns) ||
	    !word(&at, end, ",\"boot_id\":"))
		return false;
	if (!word(&at, end, "null") &&
	    (!word(&at, end, "\"") || !quoted(&at, end, e->at.boot_id, sizeof(e->at.boot_id))))
		return false;
	if (!word(&at, end, ",\"epoch\":") || !number(&at, end, &e->at.epoch) ||
	    !word(&at, end, ",\"seq\":") || !number(&at, end, &e->at.seq) ||
	    !word(&at, end, ",\"type\":\"") || !quoted(&at, end, type, sizeof(type)))
		return false;
	for (e->type = 0; e->type < NR_LOG_TYPES; e->type++)
		if (!strcmp(type, log_types[e->type]))
			break;
	return text[len - 1] == '}';
}

static bool same_attach(const struct log_position *a, const struct log_position *b)
{
	return a->epoch == b->epoch && !strcmp(a->boot_id, b->boot_id);
}

void log_reader_again(struct log_reader *r, const struct log_position *last)
{
	r->at -= r->given;
	r->last = *last;
	r->missing = (struct log_missing){};
}

bool log_reader_next(struct log_reader *r, struct log_entry *e)
{
	const char *text;
	size_t len;

	while (next_text(r, &text, &len)) {
		if (!parse_head(text, len, e)) {
			r->missing.bad++;
			continue;
		}
		e->at.file = r->dir >= 0 ? r->number : 0;
		if (r->has_last && same_attach(&r->last, &e->at) && e->at.seq > r->last.seq + 1)
			r->missing.lines += e->at.seq - r->last.seq - 1;
		r->last = e->at;
		r->has_last = true;
		r->given = len + 1;
		return true;
	}
	r->given = 0;
	return false;
}

json_t *log_reader_json(struct log_reader *r, const struct log_entry *e)
{
	json_t *line = json_loadb(e->text, e->len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(line))
		return line;
	json_decref(line);
	r->missing.bad++;
	return NULL;
}

const struct log_missing *log_reader_missing(const struct log_reader *r)
{
	return &r->missing;
}

bool log_reader_failed(const struct log_reader *r)
{
	return r->failed;
}
