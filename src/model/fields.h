/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The field tables: one row a figure. Columns, sort keys, JSON keys, metrics, --help
 * and the man page all come from them, so they cannot disagree.
 */
#ifndef OPTEE_TOP_FIELDS_H
#define OPTEE_TOP_FIELDS_H

#include <jansson.h>
#include "snapshot.h"

enum field_unit {
	UNIT_TEXT,
	UNIT_COUNT,
	UNIT_NS,         /* JSON key gets _ns; shown as 1.2us, 34ms, 5.6s */
	UNIT_PER_SECOND, /* _per_second */
	UNIT_PERCENT,    /* _percent */
	UNIT_BYTES,      /* _bytes */
	NR_UNITS,
};

/* How a unit is written. Every unit has all three; "" is nothing. */
struct unit_words {
	const char *key;   /* at the end of a JSON key */
	const char *after; /* behind a value in the detail view; that of UNIT_NS has its own */
	const char *name;  /* in the manual */
};

extern const struct unit_words unit_words[NR_UNITS];

struct value {
	bool known;
	bool at_least; /* a lower bound: it began before optee-top attached */
	double number; /* all units but UNIT_TEXT */
	char text[72]; /* UNIT_TEXT: printable UTF-8 */
};

/* What a figure is, and so what can be done with it. */
enum field_kind {
	KIND_IDENTITY, /* names or describes the row */
	KIND_NOW,      /* as it is at this moment: a gauge */
	KIND_TOTAL,    /* since attach; never less than before: a counter */
	KIND_PEAK,     /* the largest since attach */
	KIND_INTERVAL, /* of the snapshot's interval, and of no other: not logged, no metric */
};

/* One row of the session table. */
struct session_field {
	const char *name; /* for -o, and the JSON key before its unit */
	const char *head; /* column heading; NULL: no column */
	int width;        /* of the column */
	enum field_unit unit;
	enum field_kind kind;
	const char *help; /* for --help and the man page */
	struct value (*get)(const struct snapshot *s, const struct snap_session *row);
	bool rare; /* its column is there where some session has a value */
};

extern const struct session_field session_fields[];
extern const size_t nr_session_fields;

/* Does the table have this column now? */
bool session_field_shown(const struct session_field *f, const struct snapshot *s);

/* One row of the table of a pool's figures. */
struct pool_field {
	const char *name;
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	struct value (*get)(const struct snapshot *s, const struct snap_pool *pool);
	const char *metric; /* its name as a metric; NULL: it is none */
	const char *class;  /* its label class, or NULL; rows of one metric follow each other */
};

extern const struct pool_field pool_fields[];
extern const size_t nr_pool_fields;

/* Names and help of enum loss, in its order. */
struct loss_field {
	const char *name;
	const char *help;
};

extern const struct loss_field loss_fields[NR_LOSSES];

/* Of the hook runs skipped by the kernel, which are no enum loss. */
extern const struct loss_field missed_field;

/* All losses are one metric, with the name as the label kind. */
#define LOSS_METRIC "optee_lost_total"
#define LOSS_HELP   "what was not seen, by kind; see the losses in optee-top(8)"

/* One row of the table of a condition's figures. None is known where the condition is not. */
struct condition_field {
	const char *name;
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	struct value (*get)(const struct snap_cond *c);
	const char *metric; /* NULL: it is none. Its label condition is the key of condition_table */
};

extern const struct condition_field condition_fields[];
extern const size_t nr_condition_fields;

/* One row of the table of the figures by TA. */
struct ta_field {
	const char *name;
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	struct value (*get)(const struct snapshot *s, const struct snap_ta *row);
	const char *metric; /* NULL: it is none */
	/* Calls by octave, of a figure that is a sum of times: the metric is a histogram. Else NULL. */
	const u64 *(*octaves)(const struct snap_ta *row);
};

extern const struct ta_field ta_fields[];
extern const size_t nr_ta_fields;

/*
 * One row of the table of what a policy decided, for one class of calls. A metric that
 * several rows have in common has one more label, that tells them apart.
 */
struct policy_field {
	const char *name;
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	struct value (*get)(const struct snap_policy *policy, enum call_class class);
	const char *metric;        /* NULL: it is none */
	const char *label, *value; /* or NULL; rows of one metric follow each other */
};

extern const struct policy_field policy_fields[];
extern const size_t nr_policy_fields;

/* The value of the field "ta" in the row of those that found no room. */
#define TA_OTHERS "(others)"

/* One row of the table of what is known of the RPCs of a TA, by kind. */
struct rpc_field {
	const char *name;
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	u64 (*get)(const struct snap_ta *row, enum rpc_kind kind);
	const char *metric;
};

extern const struct rpc_field rpc_fields[];
extern const size_t nr_rpc_fields;

/* One row of the table of what is known of an SCMI message. */
struct scmi_field {
	const char *name;
	enum field_unit unit;
	enum field_kind kind;
	const char *help;
	struct value (*get)(const struct snap_scmi *row);
	const char *metric; /* NULL: it is none */
};

extern const struct scmi_field scmi_fields[];
extern const size_t nr_scmi_fields;

/* The labels protocol and message of the row of those that found no room. */
#define SCMI_OTHERS "(others)"

/* The field called name; NULL: there is none. */
const struct session_field *session_field_find(const char *name);

/*
 * The value as a column shows it: at most width characters, "-" when it is not
 * known. Returns buf.
 */
const char *value_format(const struct value *v, enum field_unit unit, char *buf, size_t len);

/* name + unit suffix; returns buf. */
const char *field_json_key(const char *name, enum field_unit unit, char *buf, size_t len);

/* A new JSON value; null when it is not known. */
json_t *value_json(const struct value *v, enum field_unit unit);

/*
 * Fills order[nr_sessions] with the indices of the sessions sorted by a field:
 * the largest number or the first text first, what is not known last.
 */
void sessions_order(const struct snapshot *s, const struct session_field *by, bool reverse,
		    u32 *order);

#endif
