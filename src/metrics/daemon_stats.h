/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures of the daemon itself: one row each. Whose a figure is counts it where it
 * happens; src/metrics/metrics.c prints all that are in use.
 */
#ifndef OPTEE_TOP_DAEMON_STATS_H
#define OPTEE_TOP_DAEMON_STATS_H

#include "model/fields.h"

enum daemon_stat {
	/* Clients of the unix socket. */
	SELF_CLIENTS,
	SELF_CLIENTS_SERVED,
	SELF_CLIENTS_CUT,
	SELF_CLIENTS_REFUSED,
	/* HTTP. The answers are in the order of their status. */
	SELF_HTTP_CONNECTIONS,
	SELF_HTTP_200,
	SELF_HTTP_400,
	SELF_HTTP_404,
	SELF_HTTP_405,
	SELF_HTTP_408,
	SELF_HTTP_414,
	SELF_HTTP_421,
	SELF_HTTP_431,
	SELF_HTTP_500,
	SELF_HTTP_505,
	SELF_HTTP_CUT,
	SELF_HTTP_FULL,
	/* The log. */
	SELF_LOG_LINES,
	SELF_LOG_LOST,
	SELF_LOG_ERRORS,
	/* The textfile. */
	SELF_TEXTFILE_WRITES,
	SELF_TEXTFILE_ERRORS,
	/* What is kept in memory. */
	SELF_SNAPSHOTS,
	SELF_HISTORY_TIME,
	SELF_HISTORY_BYTES,
	/* The process. */
	SELF_RESIDENT,
	SELF_CPU_TIME,
	NR_SELF
};

#define SELF_UNUSED (~0ULL)

struct daemon_stats {
	u64 since_ns;    /* CLOCK_REALTIME, since when it counts */
	u64 at[NR_SELF]; /* times in ns; SELF_UNUSED: nobody counts it, and it is not shown */
};

struct daemon_stat_field {
	enum field_unit unit;
	enum field_kind kind;
	const char *metric;
	const char *label, *value; /* NULL: it has none. Rows of one metric follow each other */
	const char *help;
};

extern const struct daemon_stat_field daemon_stat_fields[NR_SELF];

/* From now on; nothing is in use yet. */
void daemon_stats_init(struct daemon_stats *self);

/* These, first to last, are counted from now on. */
void daemon_stats_use(struct daemon_stats *self, enum daemon_stat first, enum daemon_stat last);

/* Fills in the figures of the process, as they are now. */
void daemon_stats_measure(struct daemon_stats *self);

static inline void daemon_stats_count(struct daemon_stats *self, enum daemon_stat what)
{
	if (self->at[what] != SELF_UNUSED)
		self->at[what]++;
}

#endif
