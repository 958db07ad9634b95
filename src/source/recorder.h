/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes down what a source gives, on its way to a view: a source itself, which
 * gives the same.
 */
#ifndef OPTEE_TOP_RECORDER_H
#define OPTEE_TOP_RECORDER_H

#include "base/fail.h"
#include "source/source.h"

struct recorder;

/*
 * A recording in a new file ("-": standard output). On failure it has said why.
 * compress: deflates the calls, too, at more instructions a call.
 */
enum status recorder_open(struct recorder **r, const char *file, bool compress);

/* Writes what is left. STATUS_FAILURE: something could not be written; it was said. */
enum status recorder_close(struct recorder *r);

/* from, with a recorder at it. After a failure to write it ends, with errno EIO. */
struct source recorder_source(struct recorder *r, const struct source *from);

#endif
