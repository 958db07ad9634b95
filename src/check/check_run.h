/* SPDX-License-Identifier: GPL-2.0-only */
/* A trial: rules, the source that they are to judge, and what was seen of it. */
#ifndef OPTEE_TOP_TRIAL_H
#define OPTEE_TOP_TRIAL_H

#include "check/check_report.h"
#include "check/rules.h"
#include "options/opts.h"
#include "source/source.h"

struct trial {
	const struct opts *o;
	const struct report_format *format;
	struct rules rules;
	struct source source;
	struct seen *seen; /* NULL: not begun */
};

/* The rules and the format of o, before anything is looked at. On failure there is nothing to release. */
enum status trial_init(struct trial *t, const struct opts *o);
void trial_release(struct trial *t);

enum status trial_begin(struct trial *t, const struct source *source);

/* Takes the next snapshot, or what is new, from the source. False: it has ended. */
bool trial_snapshot(struct trial *t);
bool trial_look(struct trial *t);

/* Takes all that there is, of a source that does not wait. */
void trial_all(struct trial *t);

/* Judges and prints. STATUS_OK: every rule passes. */
enum status trial_judge(struct trial *t);

#endif
