/* SPDX-License-Identifier: GPL-2.0-only */
/* What a check found, as a table, TAP, JUnit's XML, or JSON. */
#ifndef OPTEE_TOP_CHECK_REPORT_H
#define OPTEE_TOP_CHECK_REPORT_H

#include "check/rules.h"
#include "options/opts.h"

struct report {
	const struct host *host;
	const struct run_summary *seen;
	const struct rules *rules;
	const struct finding *findings; /* one a rule */
};

/* Does every rule pass? */
bool report_passes(const struct report *r);

struct report_format {
	const char *name;
	enum status (*print)(const struct report *r); /* on standard output */
};

/* The one that o asks for; NULL: it has said in one line what is wrong with it. */
const struct report_format *report_format(const struct opts *o);

#endif
