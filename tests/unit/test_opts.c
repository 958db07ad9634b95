// SPDX-License-Identifier: GPL-2.0-only
/* The command line: what is taken, and what is refused with the usage status. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "unit.h"
#include "fixtures/capture.h"
#include "command/commands.h"
#include "options/filter.h"
#include "options/opts.h"

static enum status parse(struct opts *o, const char *line)
{
	static char copy[256], *argv[16]; /* what was parsed points into them */
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = "optee-top";
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	optind = 0;
	return opts_parse(o, argc, argv);
}

UNIT_TEST(taken)
{
	struct opts o;

	assert_int_equal(parse(&o, ""), STATUS_OK);
	assert_true(o.delay == 1 && !o.frames && !strcmp(o.sort->name, "calls_rate"));
	assert_int_equal(parse(&o, "-b -n 3 -d 0.5 -o -wait_max -p 17 --strict"), STATUS_OK);
	assert_true(o.batch && o.frames == 3 && o.delay == 0.5 && o.reverse && o.pid == 17 &&
		    o.strict);
	assert_string_equal(o.sort->name, "wait_max");
	assert_int_equal(parse(&o, "--json -p crypt --btf x --kprobes"), STATUS_OK);
	assert_true(o.json && o.attach.kprobes && !strcmp(o.match, "crypt") &&
		    !strcmp(o.attach.btf, "x"));
	assert_true(o.attach.reserved == -1 && o.attach.starved_ns == 1000000000);
	assert_int_equal(parse(&o, "events --json --starved 0.2 --reserved 2"), STATUS_OK);
	assert_true(o.json && !strcmp(o.rest[0], "events") && !o.rest[1]);
	assert_true(o.attach.reserved == 2 && o.attach.starved_ns == 200000000);
	assert_int_equal(opts_frames(&o), 0);
	parse(&o, "--duration 10 -d 4");
	assert_true(opts_frames(&o) == 3 && o.delay == 4);
	parse(&o, "--duration 0.5");
	assert_true(opts_frames(&o) == 1 && o.delay == 0.5);
	parse(&o, "--duration 10 -n 2 --compress --speed 20");
	assert_true(opts_frames(&o) == 2 && o.compress && o.speed == 20);
}

UNIT_TEST(refused)
{
	static const char *const lines[] = {
		"-n 0",          "-n x",           "-n 1.5",      "-n",
		"-d 0",          "-d 0.01",        "-d 1x",       "-d nan",
		"-o nothing",    "--no-such",      "-x",          "-n 99999999999999999999",
		"--reserved -1", "--reserved 1.5", "--starved 0", "--starved x",
		"--live 0",      "--live x",       "--format",    "--duration 0",
		"--speed 0",     "--speed 1001",   "-d 0x1p3",    "-n 0x10",
		"--since 0x10s",
	};
	struct opts o;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(&o, lines[i]), STATUS_USAGE);
}

/* The option that is wrong is the one that is named, wherever it stands. */
UNIT_TEST(named)
{
	static const char *const cases[][2] = {
		{ "-bQj", "no option '-Q'" },
		{ "replay -Qb", "no option '-Q'" },
		{ "-b --no-such -j", "no option '--no-such'" },
		{ "--batch=3", "'--batch' takes no value" },
	};
	struct capture c;
	struct opts o;
	char said[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		capture_begin(&c, STDERR_FILENO);
		assert_int_equal(parse(&o, cases[i][0]), STATUS_USAGE);
		assert_non_null(strstr(capture_end(&c, said, sizeof(said)), cases[i][1]));
	}
}

UNIT_TEST(filter)
{
	struct snap_session row = {
		.serial = 1, .tgid = 17, .comm = "player", .uuid_known = true, .ta = "crypt"
	};
	struct snapshot s = { .nr_pools = 1 };
	struct opts o;

	parse(&o, "-p 17");
	assert_true(filter_shows(&o, &s, &row));
	parse(&o, "-p 18");
	assert_false(filter_shows(&o, &s, &row));
	parse(&o, "-p rypt");
	assert_true(filter_shows(&o, &s, &row));
	parse(&o, "-p play");
	assert_true(filter_shows(&o, &s, &row));
	parse(&o, "-p other");
	assert_false(filter_shows(&o, &s, &row));
}

UNIT_TEST(events)
{
	struct event e = { .condition = COND_OVERRUN, .nr_parties = 2 };
	struct opts o;

	/* It is about the system call that is in flight, not about who waits. */
	e.parties[0] = (struct event_party){ .tgid = 17, .comm = "scmi", .class = CLASS_SYSTEM };
	e.parties[1] = (struct event_party){ .tgid = 18, .comm = "player", .waits = true };
	parse(&o, "events");
	assert_true(filter_shows_event(&o, &e));
	parse(&o, "events -p 17");
	assert_true(filter_shows_event(&o, &e));
	parse(&o, "events -p cmi");
	assert_true(filter_shows_event(&o, &e));
	parse(&o, "events -p 18");
	assert_false(filter_shows_event(&o, &e));
	parse(&o, "events -p play");
	assert_false(filter_shows_event(&o, &e));
}

UNIT_TEST(command)
{
	struct opts o;

	assert_int_equal(parse(&o, "check file --json"), STATUS_OK);
	assert_true(!strcmp(o.rest[0], "check") && !strcmp(o.rest[1], "file") && !o.rest[2]);
	assert_true(o.json && !o.command);
	/* Options among the words; behind "--" everything is the command's. */
	assert_int_equal(parse(&o, "--json check --rules r --format tap -- run --json -x --"),
			 STATUS_OK);
	assert_true(!strcmp(o.rest[0], "check") && !o.rest[1] && !strcmp(o.format, "tap"));
	assert_string_equal(o.rules, "r");
	assert_string_equal(o.command[0], "run");
	assert_string_equal(o.command[1], "--json");
	assert_string_equal(o.command[3], "--");
	assert_null(o.command[4]);
	assert_int_equal(parse(&o, "check --"), STATUS_OK);
	assert_true(o.command && !o.command[0] && !o.rest[1]);
	/* Here it is a value. */
	assert_int_equal(parse(&o, "check -p --"), STATUS_OK);
	assert_true(!o.command && !strcmp(o.match, "--"));
	assert_int_equal(parse(&o, "check --live 1.5"), STATUS_OK);
	assert_true(o.live == 1.5);
}

/* An option that the command does not take is refused, whichever it is; all others pass. */
UNIT_TEST(of_commands)
{
	static const struct {
		const char *line, *command, *says;
	} cases[] = {
		{ "--listen 9", "doctor", "'--listen' is an option of 'daemon'" },
		{ "-n 3", "export",
		  "'--frames' is an option of 'top', 'events', 'record', 'replay' and 'policy'" },
		{ "--format csv", "record", "'--format' is an option of 'export' and 'check'" },
		{ "-b -n 3 --strict --starved 2", "top", NULL },
		{ "--json --duration 3 --since 1m", "events", NULL },
		{ "--listen 9 --btf x", "daemon", NULL },
		{ "--help --version", "help", NULL },
	};
	struct capture c;
	struct opts o;
	char said[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum status status;

		assert_int_equal(parse(&o, cases[i].line), STATUS_OK);
		capture_begin(&c, STDERR_FILENO);
		status = opts_check(&o, cases[i].command);
		capture_end(&c, said, sizeof(said));
		assert_int_equal(status, cases[i].says ? STATUS_USAGE : STATUS_OK);
		assert_true(cases[i].says ? strstr(said, cases[i].says) != NULL : !*said);
	}
	for (size_t i = 0; i < nr_options; i++) {
		char words[160], *rest = words, *word;

		assert_false(option_table[i].commands && option_is_of(&option_table[i], "polic"));
		snprintf(words, sizeof(words), "%s", option_table[i].commands ?: "");
		while ((word = strsep(&rest, " ")) && *word) {
			size_t n = 0;

			while (n < nr_commands && strcmp(command_table[n].name, word) != 0)
				n++;
			assert_true(n < nr_commands);
		}
	}
}
