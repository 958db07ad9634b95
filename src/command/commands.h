/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands, each once: from these rows come the functions' table, the help and the
 * manual. A row has a name, the arguments (a [WORD] may be left out, WORD... may be repeated)
 * and what the command does.
 */
#ifndef OPTEE_TOP_COMMANDS_H
#define OPTEE_TOP_COMMANDS_H

#include <stddef.h>

/* clang-format off */
/* cmd_NAME() runs it. */
#define COMMANDS(X) \
	X(top, "", \
	  "show the live view, or print frames with -b; the default command") \
	X(events, "", \
	  "print overruns, stranded and starved waiters, deadlocks and the like as they happen") \
	X(record, "FILE", \
	  "record everything, including each call and condition, until a signal or --duration") \
	X(replay, "FILE [events]", \
	  "show a recording in the live view, as frames (-b, --json), or as events") \
	X(export, "FILE", \
	  "convert a recording, or a daemon's log (its directory), for other programs: JSON lines, CSV, a timeline for Perfetto, samples for Prometheus") \
	X(check, "[FILE]", \
	  "check by rules a recording, the running kernel (--live SECONDS), or the kernel while a command runs (check -- COMMAND [ARG]...)") \
	X(daemon, "", \
	  "watch all the time: serve the other commands without root, write logs, serve metrics") \
	X(metrics, "", \
	  "print the metrics once for Prometheus, in its text format or, with --openmetrics, as OpenMetrics") \
	X(policy, "WHAT [ARG]...", \
	  "manage admission policies, which decide who gets the next thread; needs an optee.ko of 'make optee-ko'") \
	X(doctor, "", \
	  "report what this kernel offers, which hook uses which mechanism, and what is missing") \
	X(help, "[TOPIC]", \
	  "show this help, or help on a topic: fields, conditions, rules, alerts (rules for Prometheus), man")

/* Of 'optee-top policy'; cmd_policy_NAME() runs it. */
#define POLICY_COMMANDS(X) \
	X(build, "FILE.c", \
	  "compile a policy with clang") \
	X(list, "", \
	  "list the policies that come with optee-top: what they do, and when to use them") \
	X(attach, "NAME|FILE", \
	  "have the driver ask this policy until it is detached, swapped or ejected") \
	X(swap, "NAME|FILE", \
	  "replace the attached policy with this one, atomically") \
	X(show, "", \
	  "show which policy is attached, what it decided and who waited; why the last one ended") \
	X(detach, "", \
	  "return to the driver's own rule") \
	X(shadow, "NAME|FILE...", \
	  "as top, but also ask these policies about each call while the driver decides; see --shadow")
/* clang-format on */

struct command_help {
	const char *name, *args, *help;
};

extern const struct command_help command_table[], policy_commands[];
extern const size_t nr_commands, nr_policy_commands;

#endif
