/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures of a completed call, one per row. The keys of JSON lines,
 * the columns of CSV, the arguments of a timeline's slices and the help come from it.
 */
#ifndef OPTEE_TOP_CALL_FIELDS_H
#define OPTEE_TOP_CALL_FIELDS_H

#include "base/text.h"
#include "model/fields.h"

/* A call and what the snapshot after it knows about it. */
struct call_view {
	const struct call_record *record;
	const struct snapshot *snapshot;
	const struct snap_session *row; /* NULL: it has no session, or none that is known */
};

enum call_value_kind { CALL_UNKNOWN, CALL_NUMBER, CALL_TEXT, CALL_BOOL };

struct call_value {
	enum call_value_kind kind;
	u64 number;       /* of CALL_BOOL: 0 or 1 */
	const char *text; /* printable UTF-8; valid as long as the value and the snapshot */
	char room[UUID_LEN];
};

struct call_field {
	const char *name;
	enum field_unit unit;
	const char *help;
	void (*get)(const struct call_view *c, struct call_value *v);
	bool drawn; /* a timeline shows it by where the slice is */
};

extern const struct call_field call_fields[];
extern const size_t nr_call_fields;

/* When it got its thread, and when it gave it back. */
static inline u64 call_admitted(const struct call_record *r)
{
	return r->start_ns + r->wait_ns;
}

static inline u64 call_end(const struct call_record *r)
{
	return call_admitted(r) + r->hold_ns + (r->flags & RECORD_RELEASE ? r->argument_ns : 0);
}

/* Not a call, but what the task of one waited afterwards to give its argument back. */
static inline bool call_is_release(const struct call_record *r)
{
	return r->flags & RECORD_RELEASE;
}

/* The TEE's number; the index of the pool where the snapshot does not have it. */
u32 call_tee(const struct call_view *c);

/* The name or UUID of its TA, or NULL; buf is for a UUID. */
const char *call_ta(const struct call_view *c, char buf[UUID_LEN]);

/* CLOCK_REALTIME of a moment, by the clocks of the snapshot. */
static inline u64 snapshot_real(const struct snapshot *s, u64 mono_ns)
{
	return s->real_ns - s->mono_ns + mono_ns;
}

#endif
