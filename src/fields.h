/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The field tables: one row a figure. Columns, sort keys, JSON keys, --help
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
};

struct value {
	bool known;
	double number; /* all units but UNIT_TEXT */
	char text[72]; /* UNIT_TEXT: printable ASCII */
};

/* One row of the session table. */
struct session_field {
	const char *name; /* for -o, and the JSON key before its unit */
	const char *head; /* column heading; NULL: no column */
	int width;        /* of the column */
	enum field_unit unit;
	const char *help; /* for --help and the man page */
	struct value (*get)(const struct snapshot *s, const struct snap_session *row);
};

extern const struct session_field session_fields[];
extern const size_t nr_session_fields;

/* One row of the table of a pool's figures. */
struct pool_field {
	const char *name;
	enum field_unit unit;
	const char *help;
	struct value (*get)(const struct snapshot *s, const struct snap_pool *pool);
};

extern const struct pool_field pool_fields[];
extern const size_t nr_pool_fields;

/* Names and help of enum loss, in its order. */
struct loss_field {
	const char *name;
	const char *help;
};

extern const struct loss_field loss_fields[NR_LOSSES];

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
