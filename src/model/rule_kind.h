/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule of 'check' in words: what it is called, what it takes, what it asks for. */
#ifndef OPTEE_TOP_RULE_KIND_H
#define OPTEE_TOP_RULE_KIND_H

#include "abi.h"

enum rule_arg {
	ARG_NONE,
	ARG_TIME_OR_NONE, /* [TIME] */
	ARG_TIME,         /* TIME */
	ARG_COUNT,        /* N */
	ARG_CLASS_TIME,   /* normal|system TIME */
};

struct rule_kind {
	const char *name;
	enum rule_arg arg;
	const char *help;
	u64 least_ns; /* a shorter TIME is refused */
};

#endif
