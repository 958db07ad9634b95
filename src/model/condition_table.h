/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The conditions: one row each has all that is to be said of one, and all that collectors,
 * views, checks and alerts have to know of it. Only what detects it is elsewhere.
 */
#ifndef OPTEE_TOP_CONDITION_TABLE_H
#define OPTEE_TOP_CONDITION_TABLE_H

#include "model/rule_kind.h"
#include "snapshot.h"

/* What has to be known of a pool before anybody can tell whether it has a condition. */
enum condition_needs {
	NEEDS_THREADS = 1 << 0,   /* T: Linux counts OP-TEE's threads */
	NEEDS_RESERVE = 1 << 1,   /* the reserve in force */
	NEEDS_WAKES = 1 << 2,     /* whom the driver wakes, by a rule that is known */
	NEEDS_DRIFT = 1 << 3,     /* the driver's count of threads in use beside ours */
	NEEDS_ARGUMENTS = 1 << 4, /* who waits for the argument cache, and who has it locked */
	NEEDS_CONTEXTS = 1 << 5,  /* which clients' contexts the driver keeps */
	NEEDS_REQUESTS = 1 << 6,  /* those to tee-supplicant, and what keeps its context */
	NEEDS_RULE = 1 << 7,      /* by which the driver admits calls; or that of a policy */
};

/* What its events have that others have not. */
enum condition_evidence {
	EVIDENCE_NONE,
	EVIDENCE_WAKE,     /* which party swallowed a wake */
	EVIDENCE_CHAIN,    /* which party waits for which */
	EVIDENCE_DRIFT,    /* by how many threads the counts differ */
	EVIDENCE_SESSIONS, /* its parties are sessions, and not calls */
};

/* What its rule is about: the order in which rules are listed and judged. */
enum condition_topic { TOPIC_RESERVE, TOPIC_WAITERS, TOPIC_THREADS, NR_CONDITION_TOPICS };

/* What of it an alert is about. */
enum alert_figure {
	ALERT_LASTS, /* one lasts */
	ALERT_COMES, /* one lasts, or one came in the last five minutes */
	ALERT_TAKES, /* more than so many seconds of the last five minutes */
	ALERT_FILLS, /* more than this share of the last five minutes */
};

struct condition_alert {
	enum alert_figure figure;
	double limit;
	const char *lasting; /* for so long */
	const char *severity;
};

struct condition_row {
	u32 number; /* in recordings: 0, 1, 2, ... as conditions were added; it never changes */
	const char *name;   /* as in reports */
	const char *key;    /* as a JSON key */
	const char *peak;   /* what its peak counts */
	const char *means;  /* a sentence each: what it is, */
	const char *so;     /* what it does to the system, */
	const char *remedy; /* what to do */
	bool alarm;         /* something is wrong; else it may be ordinary load */
	bool few;           /* it is about one call, or about none; else about all in the queue */
	bool by_starved;    /* --starved: it begins when the wait has lasted for so long */
	u64 report_ns;      /* shorter episodes are counted, but are no events */
	u32 needs;          /* enum condition_needs */
	enum condition_evidence evidence;

	/* The figures that make it, as they were when it began. */
	void (*why)(const struct event *e, char *buf, size_t len);
	/* Is it about this party? NULL: it is about all of them. */
	bool (*involves)(const struct event *e, u32 party);

	struct condition_alert alert;
	struct rule_kind rule; /* no name: there is none */
	enum condition_topic topic;
	const char *usual; /* the argument of its rule without --rules; NULL: it is not judged then */
};

extern const struct condition_row condition_table[NR_CONDS];

/* NR_CONDS: none has this number. */
enum condition condition_of_number(u32 number);

/* Is this party what the condition is about, or only in the queue as well? */
bool event_involves(const struct event *e, u32 party);

/* Calls that held a thread or waited as it began, by its figures, and are not among its parties. */
int event_unlisted(const struct event *e);

#endif
