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
	STAT_CLIENTS,
	STAT_CLIENTS_SERVED,
	STAT_CLIENTS_CUT,
	STAT_CLIENTS_REFUSED,
	/* HTTP. The answers are in the order of their status. */
	STAT_HTTP_CONNECTIONS,
	STAT_HTTP_200,
	STAT_HTTP_400,
	STAT_HTTP_404,
	STAT_HTTP_405,
	STAT_HTTP_408,
	STAT_HTTP_414,
	STAT_HTTP_421,
	STAT_HTTP_431,
	STAT_HTTP_500,
	STAT_HTTP_505,
	STAT_HTTP_CUT,
	STAT_HTTP_FULL,
	/* The log. */
	STAT_LOG_LINES,
	STAT_LOG_LOST,
	STAT_LOG_ERRORS,
	/* The textfile. */
	STAT_TEXTFILE_WRITES,
	STAT_TEXTFILE_ERRORS,
	/* What is kept in memory. */
	STAT_SNAPSHOTS,
	STAT_HISTORY_TIME,
	STAT_HISTORY_BYTES,
	/* The process. */
	STAT_RESIDENT,
	STAT_CPU_TIME,
	NR_DAEMON_STATS
};

#define STAT_UNUSED (~0ULL)

struct daemon_stats {
	u64 since_ns;            /* CLOCK_REALTIME, since when it counts */
	u64 at[NR_DAEMON_STATS]; /* times in ns; STAT_UNUSED: nobody counts it, and it is not shown */
};

struct daemon_stat_field {
	enum field_unit unit;
	enum field_kind kind;
	const char *metric;
	const char *label, *value; /* NULL: it has none. Rows of one metric follow each other */
	const char *help;
};

extern const struct daemon_stat_field daemon_stat_fields[NR_DAEMON_STATS];

/* From now on; nothing is in use yet. */
void daemon_stats_init(struct daemon_stats *self);

/* These, first to last, are counted from now on. */
void daemon_stats_use(struct daemon_stats *self, enum daemon_stat first, enum daemon_stat last);

/* Fills in the figures of the process, as they are now. */
void daemon_stats_measure(struct daemon_stats *self);

static inline void daemon_stats_count(struct daemon_stats *self, enum daemon_stat what)
{
	if (self->at[what] != STAT_UNUSED)
		self->at[what]++;
}

#endif
