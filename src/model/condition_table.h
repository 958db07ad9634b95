/* SPDX-License-Identifier: GPL-2.0-only */
/* The conditions: one row each gives the name, the keys, the help and the manual. */
#ifndef OPTEE_TOP_CONDITION_TABLE_H
#define OPTEE_TOP_CONDITION_TABLE_H

#include "snapshot.h"

struct condition_row {
	const char *name;   /* as in reports */
	const char *key;    /* as a JSON key */
	const char *peak;   /* what its peak counts */
	const char *means;  /* a sentence each: what it is, */
	const char *so;     /* what it does to the system, */
	const char *remedy; /* what to do */
	bool alarm;         /* something is wrong; else it may be ordinary load */
	u64 report_ns;      /* shorter episodes are counted, but are no events */
};

extern const struct condition_row condition_table[NR_CONDS];

/* Is this party what the condition is about, or only in the queue as well? */
bool event_involves(const struct event *e, u32 party);

/* Calls that held a thread or waited as it began, by its figures, and are not among its parties. */
int event_unlisted(const struct event *e);

#endif
