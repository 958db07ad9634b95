/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a line of the log is about, and how the two formats write it. The keys and
 * columns are those of the field tables; figures of an interval are left out.
 */
#ifndef OPTEE_TOP_LOG_FORMAT_H
#define OPTEE_TOP_LOG_FORMAT_H

#include "host.h"
#include "log/log_name.h"
#include "render/line_buffer.h"

enum log_type {
	LOG_HOST,    /* where all this is from: the first line of every JSON file */
	LOG_POOL,    /* at the interval */
	LOG_TA,      /* at the interval, what changed */
	LOG_SESSION, /* at the interval, what changed; and once it was closed */
	LOG_LOSSES,  /* at the interval, when they changed */
	LOG_EVENT,   /* as it happens */
	LOG_GAP,     /* lines could not be written; now they can */
	LOG_OMITTED, /* at the interval: events that were too many; not in CSV */
	NR_LOG_TYPES
};

struct log_gap {
	u64 lines;
	u64 since_ns; /* CLOCK_MONOTONIC, the first of them */
	int error;    /* errno of the first of them */
};

struct log_omitted {
	u32 tee;
	enum condition condition;
	u64 events;
	u64 since_ns; /* CLOCK_MONOTONIC, the first of them */
};

struct log_item {
	enum log_type type;
	const struct host *host;
	const struct snapshot *s; /* NULL of a host */
	u64 mono_ns, real_ns;
	union { /* by type */
		const struct snap_pool *pool;
		const struct snap_ta *ta;
		const struct snap_session *session;
		const struct event *event;
		const struct log_gap *gap;
		const struct log_omitted *omitted;
	};
};

struct log_format {
	const char *name;
	u8 files[NR_LOG_TYPES]; /* enum log_names; NR_LOG_NAMES: it has no such line */
	/* What a new file begins with; NULL: with the host. */
	void (*head)(struct line_buffer *l, enum log_type type);
	/* seq: the number of the line. */
	void (*put)(struct line_buffer *l, const struct log_item *item, u64 seq);
};

extern const struct log_format log_jsonl, log_csv;

extern const char *const log_types[NR_LOG_TYPES]; /* as "type" has them */

#endif
