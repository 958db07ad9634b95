// SPDX-License-Identifier: GPL-2.0-only
/* The rules: one row each gives the parser, the help, the manual and the judge. */
#include "check/judge.h"
#include "check/rule_table.h"

const struct rule_kind rule_kinds[] = {
	{ "no_overrun", ARG_NONE,
	  "no overrun: no more system calls in flight than entries in reserve",
	  .judge = judge_condition, .cond = COND_OVERRUN },
	{ "no_harmful_overrun", ARG_NONE, "no overrun while a normal call waited",
	  .judge = judge_condition, .cond = COND_HARMFUL_OVERRUN },
	{ "no_reserve_breach", ARG_NONE, "normal calls held no thread that was in reserve",
	  .judge = judge_condition, .cond = COND_RESERVE_BREACH },
	{ "no_reserve_idle", ARG_NONE,
	  "no normal call waited beside a free thread while a system call already had one",
	  .judge = judge_condition, .cond = COND_RESERVE_IDLE },
	{ "no_stranded", ARG_TIME_OR_NONE,
	  "no waiter was left asleep that could have entered, or none for TIME or longer",
	  .judge = judge_condition, .cond = COND_STRANDED },
	{ "no_starved", ARG_TIME_OR_NONE,
	  "no call waited in the queue for TIME or longer (default: the limit of --starved)",
	  .judge = judge_condition, .cond = COND_STARVED, .least_ns = 1000000 },
	{ "no_lost_wake", ARG_NONE, "no waiter slept on that should have been woken",
	  .judge = judge_condition, .cond = COND_LOST_WAKE },
	{ "no_count_mismatch", ARG_NONE,
	  "OP-TEE had a thread for each call that the driver admitted", .judge = judge_condition,
	  .cond = COND_COUNT_MISMATCH },
	{ "no_deadlock", ARG_NONE, "no deadlock", .judge = judge_condition, .cond = COND_DEADLOCK },
	{ "no_drift", ARG_NONE,
	  "the driver's count of threads in use never differed from ours for a second",
	  .judge = judge_condition, .cond = COND_DRIFT },
	{ "no_losses", ARG_NONE,
	  "everything was seen; calls in flight at attach are reported, but are no loss",
	  .judge = judge_losses },
	{ "no_count_leak", ARG_NONE,
	  "at the end the driver counts no thread as used that no call holds",
	  .judge = judge_count_leak },
	{ "no_reservation_leak", ARG_NONE,
	  "at the end the driver counts no system sessions beyond those that are open and those of the beginning",
	  .judge = judge_reservation_leak },
	{ "no_ejection", ARG_NONE, "the driver ejected no admission policy",
	  .judge = judge_ejection },
	{ "no_failed_calls", ARG_NONE, "every call ended with TEE_SUCCESS",
	  .judge = judge_failed_calls },
	{ "calls_at_least", ARG_COUNT,
	  "N or more calls ended; without this, a check that saw nothing would pass",
	  .judge = judge_calls_at_least },
	{ "wait_p99", ARG_CLASS_TIME,
	  "99 of 100 calls of the class waited no longer than TIME; calls still waiting count with their wait so far",
	  .judge = judge_wait_p99 },
	{ "wait_longest", ARG_CLASS_TIME, "no call of the class waited longer than TIME",
	  .judge = judge_wait_longest },
	{ "command_succeeds", ARG_NONE, "COMMAND ended with status 0", .judge = judge_command },
};

const size_t nr_rule_kinds = sizeof(rule_kinds) / sizeof(rule_kinds[0]);

const char *const usual_rules[] = {
	"no_harmful_overrun",
	"no_stranded 20ms",
	"no_starved 1s",
	"no_lost_wake",
	"no_count_mismatch",
	"no_deadlock",
	"no_drift",
	"no_count_leak",
	"no_reservation_leak",
	"no_ejection",
	"no_losses",
	"calls_at_least 1",
	"command_succeeds",
	NULL,
};

const char *rule_arg_help(enum rule_arg arg)
{
	static const char *const texts[] = {
		[ARG_NONE] = "",
		[ARG_TIME_OR_NONE] = "[TIME]",
		[ARG_COUNT] = "N",
		[ARG_CLASS_TIME] = "normal|system TIME",
	};

	return texts[arg];
}
