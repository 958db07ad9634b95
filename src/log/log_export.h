/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The export of a log: its lines as they are, as rows of CSV, or as samples for
 * Prometheus and its kin, each with its time.
 */
#ifndef OPTEE_TOP_LOG_EXPORT_H
#define OPTEE_TOP_LOG_EXPORT_H

#include <stdio.h>
#include "log/log_read.h"
#include "metrics/metric_text.h"
#include "options/opts.h"

/* What a format is given to work with. */
struct log_out {
	FILE *out;
	enum log_type table; /* of CSV: what is written */
	struct line_buffer line;
	struct metric_out metrics; /* of prometheus */
};

struct log_out_format {
	const char *name;
	void (*begin)(struct log_out *x);
	/* json: the line as an object. */
	void (*line)(struct log_out *x, const struct log_entry *entry, const json_t *json);
	void (*end)(struct log_out *x);
	u32 types; /* a bit each enum log_type that it has something of */
};

extern const struct log_out_format log_out_jsonl, log_out_csv, log_out_prometheus;

/*
 * The export command, where its FILE is a log. Whatever is wrong it says in one line;
 * lines that are missing, too: STATUS_INCOMPLETE under --strict.
 */
enum status log_export(const struct opts *o, const char *path);

#endif
