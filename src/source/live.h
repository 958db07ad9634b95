/* SPDX-License-Identifier: GPL-2.0-only */
/* The running kernel as a source of snapshots. */
#ifndef OPTEE_TOP_LIVE_H
#define OPTEE_TOP_LIVE_H

#include "collect/call_records.h"
#include "collect/collect.h"
#include "options/opts.h"
#include "probe/attach.h"
#include "source/source.h"

struct live {
	struct probes probes;
	struct collect *collect;
	struct call_records *calls; /* NULL: calls are not recorded now */
	struct host host;
	bool driver_left;   /* the source ended because the driver did */
	bool lost;          /* something was not seen */
	unsigned int looks; /* until the driver is asked for */
};

/* Waits for the driver, saying so, and attaches. After a failure there is nothing to stop. */
enum status live_start(struct live *l, const struct opts *o);

/* Attaches to the driver that is there. */
enum status live_attach(struct live *l, const struct opts *o);

/* A last snapshot, even when the driver has left. */
const struct snapshot *live_last(struct live *l);

void live_stop(struct live *l);

/*
 * Turns the records of single calls on or off; only with attach.on_demand. False: out of
 * memory.
 */
bool live_want_calls(struct live *l, bool wanted);

/* l as a source of the views. */
struct source live_source(struct live *l);

#endif
