/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole lines of a log, from the oldest to the newest: of a directory, over its
 * rotated files, deflated ones too, while it is written; or of one file. What is no
 * whole line is counted and never given. Memory is bounded by a line.
 */
#ifndef OPTEE_TOP_LOG_READ_H
#define OPTEE_TOP_LOG_READ_H

#include <jansson.h>
#include <stdbool.h>
#include "base/fail.h"
#include "log/log_format.h"

/* A line in a log: the numbers of lines grow within an attach (boot and epoch). */
struct log_position {
	char boot_id[37]; /* "" not known */
	u64 epoch, seq;
	u32 file; /* of a directory: the number its file has, or will have once it is rotated */
};

struct log_entry {
	const char *text; /* the line, with no newline behind it; valid until the next one */
	size_t len;
	enum log_type type; /* NR_LOG_TYPES: one that this optee-top does not know */
	u64 real_ns;
	struct log_position at;
};

/* What could not be given. */
struct log_missing {
	u64 torn;  /* last lines that are not whole */
	u64 bad;   /* lines that are none of a log */
	u64 lines; /* by their numbers: not written, or deleted for the cap */
};

struct log_reader;

/* Is it a log, by what it looks like? A recording, or nothing at all, is not. */
bool log_is(const char *path);

/* from: only files of this number and later ones. Says in one line what went wrong. */
enum status log_reader_open(struct log_reader **r, const char *path, u32 from);
void log_reader_close(struct log_reader *r);

/* The next line; false: there are no more, or reading failed, which it has said. */
bool log_reader_next(struct log_reader *r, struct log_entry *entry);

/* The line as an object; NULL: it is none, and counts as bad from now on. */
json_t *log_reader_json(struct log_reader *r, const struct log_entry *entry);

/*
 * Gives the last line once more, if there was one, and counts again what is missing
 * after the position last.
 */
void log_reader_again(struct log_reader *r, const struct log_position *last);

const struct log_missing *log_reader_missing(const struct log_reader *r);
bool log_reader_failed(const struct log_reader *r);

#endif
