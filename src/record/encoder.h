/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what a source tells to blocks, in the order it came: events and calls as they are
 * looked for, then the snapshot. Where the blocks go, a file or the daemon's clients, is
 * for who is given them.
 */
#ifndef OPTEE_TOP_ENCODER_H
#define OPTEE_TOP_ENCODER_H

#include "host.h"
#include "record/block.h"
#include "record/schema.h"

struct block_sink {
	/* Takes a block; 0, or -errno, and then no more blocks are given. */
	int (*put)(void *arg, enum block_type type, const u8 *data, size_t n);
	void *arg;
};

struct encoder {
	struct block_sink sink;
	bool compress; /* calls, too */
	bool changes;  /* snapshots as changes of the one before, where that is possible */
	int error;     /* why no more blocks are given, -errno; 0: they are */
	struct packer *packer;
	u32 logged; /* of the events of the next snapshot, how many were given */
	struct codec calls;
	u32 block_calls; /* in it */
	struct call_record before;
	/* Of changes: the snapshot before, and the slots of the sessions open in it. */
	u64 seq;
	bool open[SESSION_SLOTS];
	u32 gone[SESSION_SLOTS];
};

/* 0 or -ENOMEM. */
int encoder_init(struct encoder *e, const struct block_sink *sink);
void encoder_release(struct encoder *e);

/* What comes is of this host. May be told again. */
void encoder_host(struct encoder *e, const struct host *h);

/* A source begins: none of its events were given. */
void encoder_begin(struct encoder *e, const struct host *h);

/* New events, that the next snapshot has, too. */
void encoder_look(struct encoder *e, const struct event *events, u32 n);
void encoder_calls(struct encoder *e, const struct call_record *calls, u32 n);

/*
 * A snapshot, with the events that no look has given; the calls before it go first.
 * whole: not as changes of the one before.
 */
void encoder_snapshot(struct encoder *e, const struct snapshot *s, bool whole);

/* What is left, and that nothing is missing. */
void encoder_end(struct encoder *e);

#endif
