/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording, read: the same snapshots, events and calls as the machine that
 * made it had, for every view, exporter and check. It needs neither root nor
 * that machine. doc/recording.md has the format.
 */
#ifndef OPTEE_TOP_RECORDING_H
#define OPTEE_TOP_RECORDING_H

#include "base/fail.h"
#include "source/source.h"

struct recording;

/*
 * Opens the file ("-": standard input) and reads its head. On failure it has
 * said in one line what is wrong with it, and there is nothing to close. What is
 * damaged is left out, and that is said, too, in one line.
 */
enum status recording_open(struct recording **r, const char *file);
void recording_close(struct recording *r);

/*
 * As a source: next() gives one snapshot after the other at once, and NULL with
 * errno 0 behind the last; calls() gives those that ended before the snapshot
 * that was taken last, or that are behind the last one. look() gives the events
 * between that snapshot and the next one, which has them, too; LOOK_ENDED behind
 * the last of both.
 */
struct source recording_source(struct recording *r);

u32 recording_snapshots(const struct recording *r);

/* Of them, those that next() has given or could not read. */
u32 recording_passed(const struct recording *r);

/* next() goes on with this snapshot, counted from 0. */
void recording_seek(struct recording *r, u32 snapshot);

/* Calls take with each event that next() has passed when it goes on with this snapshot. */
void recording_events(struct recording *r, u32 snapshot,
		      void (*take)(void *arg, const struct event *e), void *arg);

/* Is something missing that was recorded: is the file damaged, cut off? */
bool recording_damaged(const struct recording *r);

/*
 * For --strict, behind the last snapshot: STATUS_INCOMPLETE, said in one line, if it
 * is damaged or something was lost when it was made.
 */
enum status recording_strict(const struct recording *r);

#endif
