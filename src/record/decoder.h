/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From blocks to what they say: a snapshot, events, calls. What a recording is read
 * with, and what comes from the daemon.
 */
#ifndef OPTEE_TOP_DECODER_H
#define OPTEE_TOP_DECODER_H

#include "record/block.h"
#include "record/schema.h"

#define CALLS_ASKED   256                 /* calls given at a time */
#define SESSION_HISTS (2 * SESSION_SLOTS) /* by slot, and by row */

struct decoder {
	struct snapshot snap; /* without its events */
	bool whole;           /* it is there: changes of it can be read */
	session_hists *hists; /* SESSION_HISTS of them: see code_snapshot() */
	u32 *gone;
	/* The block of calls that is being read. */
	u8 *calls_data;
	struct codec calls; /* of calls_data */
	struct call_record before, given[CALLS_ASKED];
};

/* 0 or -ENOMEM. */
int decoder_init(struct decoder *d);
void decoder_release(struct decoder *d);

/* False: the block cannot be read, and what was there before is as it was. */
bool decode_hello(const struct block *b, struct hello *h);
bool decode_host(const struct block *b, struct host *h);

/*
 * Reads a BLOCK_SNAPSHOT, or BLOCK_CHANGES behind the snapshot before, into d->snap.
 * False: it cannot be read, or is not what has changed since d->snap; then a
 * BLOCK_SNAPSHOT has to come.
 */
bool decode_snapshot(struct decoder *d, const struct block *b);

#define LIST_EVENTS 4096 /* in a list */

/* Events, to be freed with free(l->events). */
struct event_list {
	struct event *events;
	u32 nr, room;
	u64 dropped; /* that found no room */
};

/* Appends those of a block. False: a part of it cannot be read, or they found no room. */
bool decode_events(const struct block *b, struct event_list *l);

/* Opens a block of calls, for decode_calls(). False: it cannot be read. */
bool decoder_open_calls(struct decoder *d, const struct block *b);

/* Those that are left of it need not be read. */
void decoder_skip_calls(struct decoder *d);

/*
 * Points calls at the next ones of the block, valid until the next call, and returns
 * their number; 0: there are no more. damaged is set when the rest cannot be read.
 */
u32 decode_calls(struct decoder *d, const struct call_record **calls, bool *damaged);

#endif
