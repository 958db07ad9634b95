/* SPDX-License-Identifier: GPL-2.0-only */
/* What an export format implements. */
#ifndef OPTEE_TOP_EXPORT_FORMAT_H
#define OPTEE_TOP_EXPORT_FORMAT_H

#include <stdbool.h>
#include <stdio.h>
#include "base/fail.h"
#include "model/call_fields.h"
#include "options/opts.h"
#include "source/source.h"

/* What a format is given to work with. */
struct export
{
	const struct opts *o;
	const struct host *host;
	FILE *out;
	const void *table;  /* of CSV: what is written */
	void *state;        /* of a timeline: its own */
	u64 events;         /* so far */
	bool out_of_memory; /* said by a format; the export ends */
};

/*
 * A format gets everything in the order of time, one snapshot after the other: first the
 * calls and events before the snapshot, in the order in which they happened, then the
 * snapshot.
 */
struct export_format {
	const char *name;
	bool binary; /* not for a terminal */
	void (*begin)(struct export *x);
	void (*call)(struct export *x, const struct call_view *c);
	void (*event)(struct export *x, const struct event *e);
	void (*snapshot)(struct export *x, const struct snapshot *s);
	void (*end)(struct export *x); /* NULL: nothing to end */
};

extern const struct export_format export_jsonl, export_csv, export_perfetto;

#endif
