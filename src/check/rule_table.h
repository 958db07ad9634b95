/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of rules: those of the conditions, then the others. */
#ifndef OPTEE_TOP_RULE_TABLE_H
#define OPTEE_TOP_RULE_TABLE_H

#include "check/rules.h"

/* Kind i, in the order in which they are listed; NULL: there are no more. */
const struct rule_kind *rule_kind_at(size_t i);

/* Fills in what kind of rule has this name, and who judges it; false: there is none. */
bool rule_kind_find(struct rule *r, const char *name);

/* Rule i of those without --rules, in buf; NULL: there are no more. That of a command is last. */
const char *usual_rule(size_t i, char buf[RULE_TEXT]);

/* What an argument of a kind looks like, for help and errors; "": it takes none. */
const char *rule_arg_help(enum rule_arg arg);

#endif
