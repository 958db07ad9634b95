/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of rules. */
#ifndef OPTEE_TOP_RULE_TABLE_H
#define OPTEE_TOP_RULE_TABLE_H

#include "check/rules.h"

extern const struct rule_kind rule_kinds[];
extern const size_t nr_rule_kinds;

/* What an argument of a kind looks like, for help and errors; "": it takes none. */
const char *rule_arg_help(enum rule_arg arg);

#endif
