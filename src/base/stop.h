/* SPDX-License-Identifier: GPL-2.0-only */
/* The one mutable global: whether a signal, or a reader that is gone, asks us to end. */
#ifndef OPTEE_TOP_STOP_H
#define OPTEE_TOP_STOP_H

#include <signal.h>
#include <stdbool.h>
#include "types.h"
#include "base/fail.h"

extern volatile sig_atomic_t stop_asked; /* the signal's number; 0: not asked */

/*
 * From now on SIGINT and SIGTERM ask us to end, and SIGHUP unless it was ignored; a closed
 * pipe is an error of the write.
 */
void stop_catch(void);

/*
 * Sends what was printed on its way. A reader that has gone is no error: it asks
 * us to end.
 */
enum status stop_flush(void);

/* True if we are to end. A pending signal counts: the live view blocks them while it draws. */
bool stop_wanted(void);

/* Sleeps until a time of CLOCK_MONOTONIC (ns), or a signal. */
void stop_sleep(u64 until);

#endif
