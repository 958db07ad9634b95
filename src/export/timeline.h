/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A timeline for Perfetto: a trace of TracePackets with tracks, slices, flows and
 * counters. It knows the format and nothing of OP-TEE. Times are CLOCK_MONOTONIC.
 * Packets need not be in the order of time, but of two of a track that have the
 * same time the first written counts as the first.
 */
#ifndef OPTEE_TOP_TIMELINE_H
#define OPTEE_TOP_TIMELINE_H

#include <stdbool.h>
#include <stdio.h>
#include "abi.h"

struct timeline;

enum track_kind { TRACK_SLICES, TRACK_COUNTER };

struct track {
	u64 id;     /* unique, never 0 */
	u64 parent; /* 0: none */
	const char *name;
	enum track_kind kind;
	int rank; /* among its parent's tracks; the lowest is drawn first */
};

/* NULL: out of memory. */
struct timeline *timeline_new(FILE *out);
void timeline_free(struct timeline *t);

/* What both clocks say at one moment. */
void timeline_clocks(struct timeline *t, u64 mono_ns, u64 real_ns);

/* To be told before anything is drawn on it, and as often as is convenient. */
void timeline_track(struct timeline *t, const struct track *track);

/* Begins a slice; the notes up to timeline_done() belong to it. */
void timeline_begin(struct timeline *t, u64 track, u64 ns, const char *category, const char *name);
void timeline_note_number(struct timeline *t, const char *name, u64 number);
void timeline_note_bool(struct timeline *t, const char *name, bool value);
void timeline_note_text(struct timeline *t, const char *name,
			const char *text); /* may come again */
void timeline_note_words(struct timeline *t, const char *name, const char *text); /* will not */
void timeline_flow_out(struct timeline *t, u64 flow); /* to a slice that begins later */
void timeline_flow_in(struct timeline *t, u64 flow);  /* the other end of it */
void timeline_done(struct timeline *t);

/* Its end, with notes until timeline_done(). */
void timeline_end(struct timeline *t, u64 track, u64 ns);

void timeline_count(struct timeline *t, u64 track, u64 ns, u64 value);

#endif
