/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that a check judges by: read from a file or the usual ones. */
#ifndef OPTEE_TOP_RULES_H
#define OPTEE_TOP_RULES_H

#include <stddef.h>
#include "base/fail.h"
#include "check/finding.h"
#include "check/run_summary.h"
#include "model/rule_kind.h"

#define RULE_TEXT 64

struct rule;

typedef void judge_fn(const struct rule *r, const struct run_summary *s, struct finding *f);

struct rule {
	const struct rule_kind *kind;
	judge_fn *judge;
	enum condition cond;   /* of judge_condition() */
	char text[RULE_TEXT];  /* its argument as it was given, "": none */
	enum call_class class; /* ARG_CLASS_TIME */
	u64 value;             /* ns, or a number; 0: none was given */
	u64 over;              /* calls of the class that waited for longer than value */
};

struct rules {
	struct rule *rules;
	size_t nr;
};

/*
 * Reads file, or takes the usual ones where it is NULL. STATUS_USAGE after saying
 * in one line, with file and line, what is wrong; then there is nothing to release.
 */
enum status rules_load(struct rules *r, const char *file, bool with_command);
void rules_release(struct rules *r);

/*
 * The shortest wait that no_starved has to tell of, starved_ns (--starved) where no
 * rule has a shorter one. Rules without a TIME get starved_ns for theirs.
 */
u64 rules_starved(struct rules *r, u64 starved_ns);

/* A wait of a call. */
void rules_wait(struct rules *r, enum call_class class, u64 ns);

#endif
