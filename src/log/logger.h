/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of a daemon: from its snapshots to lines in files. It decides what is
 * written when; how is for src/log/log_format.h, and where for src/log/log_sink.h. What goes
 * wrong there is counted and said, and never ends anything. doc/logs.md is for users.
 */
#ifndef OPTEE_TOP_LOGGER_H
#define OPTEE_TOP_LOGGER_H

#include "host.h"
#include "snapshot.h"

#define LOG_INTERVAL 60                    /* seconds */
#define LOG_SIZE     (16ULL * 1024 * 1024) /* bytes */
#define LOG_SIZE_MIN (1ULL * 1024 * 1024)

struct log_opts {
	const char *dir;
	double interval; /* between figures, seconds; 0: LOG_INTERVAL */
	u64 size;        /* bytes of all its files, at least LOG_SIZE_MIN; 0: LOG_SIZE */
	bool jsonl, csv; /* neither: jsonl */
};

struct log_stats {
	u64 lines, lost; /* of all formats: written; not */
	u64 errors;      /* attempts that failed */
	u64 rotations;
	u64 deflated, deleted; /* rotated files */
	u64 bytes;             /* of all files now */
};

struct logger;

/*
 * 0 or -ENOMEM. Nothing is opened yet: what is wrong with the directory is said at the
 * first take, and tried again at each. SIGXFSZ is ignored from now on.
 */
int logger_new(struct logger **logger, const struct log_opts *o);

/*
 * To be called once a snapshot, about once a second: events and sessions that were
 * closed at once, figures when the interval is over, and at the first call. Both have
 * to stay valid until the next call, or logger_free().
 */
void logger_take(struct logger *g, const struct host *host, const struct snapshot *s);

/* Reopens the files, which may have been moved away. */
void logger_reopen(struct logger *g);

struct log_stats logger_stats(const struct logger *g);

/* Writes the figures of the last snapshot, brings all to the disk, and ends. NULL: nothing. */
void logger_free(struct logger *g);

#endif
