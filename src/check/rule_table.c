// SPDX-License-Identifier: GPL-2.0-only
/* The rules of the conditions are in the table of those; here are the others, and their judges. */
#include <stdio.h>
#include <string.h>
#include "check/judge.h"
#include "check/rule_table.h"
#include "model/condition_table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	struct rule_kind kind;
	judge_fn *judge;
} others[] = {
	{ { "no_losses", ARG_NONE,
	    .help = "everything was seen; calls in flight at attach are reported, but are no loss" },
	  judge_losses },
	{ { "no_count_leak", ARG_NONE,
	    .help = "at the end the driver counts no thread as used that no call holds" },
	  judge_count_leak },
	{ { "no_reservation_leak", ARG_NONE,
	    .help = "at the end the driver counts no system sessions beyond those that are open and those of the beginning" },
	  judge_reservation_leak },
	{ { "no_ejection", ARG_NONE, .help = "the driver ejected no admission policy" },
	  judge_ejection },
	{ { "no_failed_calls", ARG_NONE, .help = "every call ended with TEE_SUCCESS" },
	  judge_failed_calls },
	{ { "calls_at_least", ARG_COUNT,
	    .help = "N or more calls ended, without the driver's own (notifications); without this, a check that saw nothing would pass" },
	  judge_calls_at_least },
	{ { "wait_p99", ARG_CLASS_TIME,
	    .help = "99 of 100 calls of the class waited no longer than TIME; calls still waiting count with their wait so far" },
	  judge_wait_p99 },
	{ { "wait_longest", ARG_CLASS_TIME,
	    .help = "no call of the class waited longer than TIME in the queue; for what is waited before it see no_convoy" },
	  judge_wait_longest },
	{ { "scmi_longest", ARG_TIME,
	    .help = "no SCMI transfer that called OP-TEE took longer than TIME" },
	  judge_scmi_longest },
	{ { "command_succeeds", ARG_NONE, .help = "COMMAND ended with status 0" }, judge_command },
};

/* The others of those without --rules. */
static const char *const usual_others[] = {
	"no_count_leak", "no_reservation_leak", "no_ejection",
	"no_losses",     "calls_at_least 1",    "command_succeeds",
};

/* The conditions that have a rule, by topic; NR_CONDS: there are no more. */
static enum condition condition_at(size_t i, bool usual)
{
	for (int topic = 0; topic < NR_CONDITION_TOPICS; topic++)
		for (int cond = 0; cond < NR_CONDS; cond++) {
			const struct condition_row *row = &condition_table[cond];

			if (row->topic == (enum condition_topic)topic && row->rule.name &&
			    (row->usual || !usual) && !i--)
				return (enum condition)cond;
		}
	return NR_CONDS;
}

static size_t conditions_with_rule(bool usual)
{
	size_t n = 0;

	while (condition_at(n, usual) != NR_CONDS)
		n++;
	return n;
}

const struct rule_kind *rule_kind_at(size_t i)
{
	size_t n = conditions_with_rule(false);

	if (i < n)
		return &condition_table[condition_at(i, false)].rule;
	return i - n < COUNT(others) ? &others[i - n].kind : NULL;
}

bool rule_kind_find(struct rule *r, const char *name)
{
	size_t n = conditions_with_rule(false);

	for (size_t i = 0; (r->kind = rule_kind_at(i)); i++) {
		if (strcmp(name, r->kind->name))
			continue;
		r->judge = i < n ? judge_condition : others[i - n].judge;
		r->cond = condition_at(i, false);
		return true;
	}
	return false;
}

const char *usual_rule(size_t i, char buf[RULE_TEXT])
{
	size_t n = conditions_with_rule(true);

	if (i < n) {
		const struct condition_row *row = &condition_table[condition_at(i, true)];

		snprintf(buf, RULE_TEXT, "%s%s%s", row->rule.name, *row->usual ? " " : "",
			 row->usual);
	} else if (i - n < COUNT(usual_others)) {
		snprintf(buf, RULE_TEXT, "%s", usual_others[i - n]);
	} else {
		return NULL;
	}
	return buf;
}

const char *rule_arg_help(enum rule_arg arg)
{
	static const char *const texts[] = {
		[ARG_NONE] = "",   [ARG_TIME_OR_NONE] = "[TIME]",           [ARG_TIME] = "TIME",
		[ARG_COUNT] = "N", [ARG_CLASS_TIME] = "normal|system TIME",
	};

	return texts[arg];
}
