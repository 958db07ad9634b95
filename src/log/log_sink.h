/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One format and its files. A line is written or it is lost: every line has a number
 * of its own, what is lost is counted, and when writing works again a line of the type
 * gap says how many. It is said once when it begins to fail, and once when it works: when
 * all figures of a turn could be written, for the last bytes of a disk take a few lines.
 */
#ifndef OPTEE_TOP_LOG_SINK_H
#define OPTEE_TOP_LOG_SINK_H

#include "log/log_file.h"
#include "log/log_format.h"

struct log_sink {
	const struct log_format *format;
	struct log_dir *dir;
	struct line_buffer *line; /* to put lines together in: the owner's */
	struct log_file files[NR_LOG_NAMES];
	u64 seq;                /* of the last line, lost ones included */
	u64 lines;              /* written */
	u64 bytes, event_bytes; /* of them all, of those of events; old ones count less */
	u64 lost;               /* all of them */
	u64 errors;             /* attempts that failed */
	bool failing;
	struct log_gap gap; /* while it fails */
	bool unkept;        /* it fails to keep what it takes: to be tried with care */
	bool told;          /* that it fails, and not yet that it works */
	u64 told_lost;      /* lines lost by then */
	u64 unsafe;         /* lines that may not be on the disk yet, the first of them */
	u64 unsafe_ns;      /* of then */
};

/* share: of the cap, for each file. */
void log_sink_init(struct log_sink *k, const struct log_format *format, struct log_dir *d,
		   struct line_buffer *line, u64 share);

/* Writes the line, or counts it as lost. */
void log_sink_put(struct log_sink *k, const struct log_item *item);

/* Have events no more than all other lines, and least bytes besides? */
bool log_sink_fits_event(const struct log_sink *k, u64 least);

/* It did not work: err is -errno. To be said of the directory: name is NR_LOG_NAMES. */
void log_sink_fails(struct log_sink *k, int err, enum log_names name, u64 mono_ns);

/* Where it fails: tries a gap line, which item is. True: it works again. */
bool log_sink_recover(struct log_sink *k, struct log_item *item);

/* The figures of a turn are written: has all of it brought to the disk. */
void log_sink_sync(struct log_sink *k, u64 mono_ns);

/* Closes files that are no longer what their names stand for. */
void log_sink_check(struct log_sink *k);
void log_sink_close(struct log_sink *k);

#endif
