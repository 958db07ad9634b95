/* SPDX-License-Identifier: GPL-2.0-only */
/* A trial: rules, the source that they are to judge, and what was seen of it. */
#ifndef OPTEE_TOP_CHECK_RUN_H
#define OPTEE_TOP_CHECK_RUN_H

#include "check/check_report.h"
#include "check/rules.h"
#include "options/opts.h"
#include "source/source.h"

struct check_run {
	const struct opts *o;
	const struct report_format *format;
	struct rules rules;
	struct source source;
	struct run_summary *seen; /* NULL: not begun */
};

/* The rules and the format of o, before anything is looked at. On failure there is nothing to release. */
enum status check_run_init(struct check_run *t, const struct opts *o);
void check_run_release(struct check_run *t);

enum status check_run_begin(struct check_run *t, const struct source *source);

/* Takes the next snapshot, or what is new, from the source. False: it has ended. */
bool check_run_snapshot(struct check_run *t);
bool check_run_look(struct check_run *t);

/* Takes all that there is, of a source that does not wait. */
void check_run_all(struct check_run *t);

/* Judges and prints. STATUS_OK: every rule passes. */
enum status check_run_judge(struct check_run *t);

#endif
