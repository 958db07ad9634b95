/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of an exposition, line by line: how families, samples, labels and numbers
 * are written in either dialect. What there is to write is known to src/metrics/metrics.c, and
 * to the export of logs.
 */
#ifndef OPTEE_TOP_METRIC_TEXT_H
#define OPTEE_TOP_METRIC_TEXT_H

#include <stdio.h>
#include "model/fields.h"

enum metrics_dialect {
	METRICS_CLASSIC,     /* Prometheus text 0.0.4: what node_exporter reads from a file */
	METRICS_OPENMETRICS, /* OpenMetrics 1.0 */
};

#define METRIC_LABELS 512
#define METRIC_HELP   512

/* key="value",...: what stands between the braces of a sample. */
struct labels {
	size_t len;
	char text[METRIC_LABELS];
};

/* Samples of one name. */
struct metric {
	const char *name; /* with _total, where it is a counter */
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	bool histogram;
	bool info;
};

struct metric_out {
	FILE *out;
	enum metrics_dialect dialect;
	struct {
		size_t len;
		char text[32];
	} created;   /* since when the counters count, for _created; len 0: is not told */
	u64 time_ms; /* the timestamp of each sample; 0: none has one */
	struct metric family;
	bool headed; /* its head is written: it comes with the first sample */
	struct {
		size_t len;
		char text[24];
	} ends[HIST_OCTAVES]; /* the labels le of a histogram, as far as the value */
	size_t used;
	char buf[4096];
};

void metric_begin(struct metric_out *m, FILE *out, enum metrics_dialect dialect);

/* The counters that follow count since then: CLOCK_REALTIME. */
void metric_created(struct metric_out *m, u64 real_ns);

/* Sends all on its way; OpenMetrics ends with a line that says so. */
void metric_end(struct metric_out *m);

/*
 * Adds a label. The value is escaped; bytes that are no printable ASCII become \xNN.
 * One for which there is no room is left out whole.
 */
void labels_add(struct labels *l, const char *key, const char *value);

/* The same of a number. */
void labels_add_number(struct labels *l, const char *key, u32 n);

/* The label of a TA: its text in the field "ta", TA_OTHERS among them; NULL: not known. */
void labels_add_ta(struct labels *l, const char *ta);

/* The samples that follow are of this metric. */
void metric_family(struct metric_out *m, const struct metric *family);

/*
 * A sample of the family, in its unit's base unit: UNIT_NS are seconds. A value that
 * is not known is left out.
 */
void metric_sample(struct metric_out *m, const struct labels *labels, const struct value *v);

/* The same of a whole number. */
void metric_number(struct metric_out *m, const struct labels *labels, u64 n);

/* The samples of a histogram of times: calls by octave, and the sum of all times. */
void metric_histogram(struct metric_out *m, const struct labels *labels,
		      const u64 octaves[HIST_OCTAVES], u64 sum_ns);

#endif
