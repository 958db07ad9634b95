/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a recording has of each structure, in which order: the one description
 * that both writes and reads them (src/record/codec.h). A change of it is a new schema:
 * a member that is added is coded only if the block's schema has it. The tables
 * that are indexed by an enum, and the sums over calls, may grow at their ends: their lengths
 * are coded.
 */
#ifndef OPTEE_TOP_SCHEMA_H
#define OPTEE_TOP_SCHEMA_H

#include "host.h"
#include "record/codec.h"
#include "snapshot.h"

#define SCHEMA        8 /* that is written; doc/recording.md says what each has */
#define SCHEMA_OLDEST 1 /* that is still read */

/* The histograms of one session: wait, hold, secure. */
typedef struct hist64 session_hists[3];

/* A writer of what the schema describes. */
static inline struct codec schema_writer(void)
{
	struct codec c = codec_writer();

	c.schema = SCHEMA;
	return c;
}

/* Why the daemon does not serve a client. */
enum hello_refusal {
	REFUSED_NOT,
	REFUSED_USER, /* this user has too many clients */
	REFUSED_ALL,  /* all places are taken, except those reserved for root */
	REFUSED_FULL, /* no file descriptor was left */
	NR_REFUSALS
};

/* What the daemon tells a client first. */
struct hello {
	char version[40]; /* of the daemon's optee-top */
	bool present;     /* the driver is there: snapshots are going to come */
	u64 mono_ns;      /* now */
	u64 starved_ns;   /* a wait longer than this starves */
	u32 refusal;      /* enum hello_refusal */
};

void code_hello(struct codec *c, struct hello *h);

void code_host(struct codec *c, struct host *h);
void code_event(struct codec *c, struct event *e);

/*
 * All of a snapshot but its events. To be read into one whose sessions, tas and calls
 * have room for SESSION_SLOTS, MAX_TAS and MAX_CALLS; hists[slot] is where the histograms
 * of the session in that slot go, and hists[SESSION_SLOTS + i] where those of row i do, if
 * its slot was a row's before. NULL when it is written.
 */
void code_snapshot(struct codec *c, struct snapshot *s, session_hists *hists);

/*
 * The same of a snapshot whose predecessor the reader has: of sessions and TAs those
 * that have changed since. gone: slots of sessions that were open then and are not in
 * this one; kept by the writer, an array of SESSION_SLOTS for the reader.
 */
struct slot_list {
	u32 nr, *slots;
};

void code_changes(struct codec *c, struct snapshot *s, session_hists *hists,
		  struct slot_list *gone);

#endif
