// SPDX-License-Identifier: GPL-2.0-only
/* Files of rules: what is taken, and each mistake with its line and reason. */
#include "unit.h"
#include "fixtures/capture.h"
#include "check/rules.h"

static enum status load(struct rules *r, const char *text, size_t len, char said[1024])
{
	struct capture c;
	enum status status;
	char path[32], full[1024], *at;

	file_of(path, text, len);
	capture_begin(&c, STDERR_FILENO);
	status = rules_load(r, path, false);
	capture_end(&c, full, sizeof(full));
	unlink(path);
	at = strstr(full, path); /* what stands before differs from run to run */
	snprintf(said, 1024, "%s", at ? at + strlen(path) : full);
	return status;
}

UNIT_TEST(taken)
{
	static const char text[] = "# a comment\n"
				   "no_stranded\n"
				   "\n"
				   "  no_stranded\t20ms  # twice, with another argument\r\n"
				   "no_starved 1.5s\n"
				   "wait_p99 system 500us\n"
				   "wait_p99 normal 500us\n"
				   "calls_at_least 1000";
	struct rules r;
	char said[1024];

	assert_int_equal(load(&r, text, sizeof(text) - 1, said), STATUS_OK);
	assert_string_equal(said, "");
	assert_int_equal(r.nr, 6);
	assert_string_equal(r.rules[0].kind->name, "no_stranded");
	assert_string_equal(r.rules[0].text, "");
	assert_int_equal(r.rules[0].value, 0);
	assert_string_equal(r.rules[1].text, "20ms");
	assert_int_equal(r.rules[1].value, 20000000);
	assert_int_equal(r.rules[2].value, 1500000000);
	assert_string_equal(r.rules[3].text, "system 500us");
	assert_int_equal(r.rules[3].class, CLASS_SYSTEM);
	assert_int_equal(r.rules[3].value, 500000);
	assert_int_equal(r.rules[4].class, CLASS_NORMAL);
	assert_int_equal(r.rules[5].value, 1000);
	rules_release(&r);
}

UNIT_TEST(refused)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "no_overrun\nno_stranded_waiter\n",
		  ":2: no rule 'no_stranded_waiter'; did you mean no_stranded?\n" },
		{ "no_deadlok", ":1: no rule 'no_deadlok'; did you mean no_deadlock?\n" },
		{ "\n\nfrobnicate 3\n",
		  ":3: no rule 'frobnicate'; 'optee-top help rules' lists them\n" },
		{ "a\x1b[2J", ":1: no rule 'a\\x1b[2J'; 'optee-top help rules' lists them\n" },
		{ "NO_OVERRUN", ":1: no rule 'NO_OVERRUN'; 'optee-top help rules' lists them\n" },
		{ "no_overrun 20ms", ":1: unexpected argument '20ms' for no_overrun\n" },
		{ "no_stranded 1ms 2ms", ":1: unexpected argument '2ms' for no_stranded [TIME]\n" },
		{ "no_stranded 20", ":1: '20' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded ms", ":1: 'ms' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded -1ms", ":1: '-1ms' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded 0ms", ":1: '0ms' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded 0x1ms", ":1: '0x1ms' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded 1e3ms", ":1: '1e3ms' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded 1.2.3s",
		  ":1: '1.2.3s' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded nans", ":1: 'nans' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_stranded 99999999999999s",
		  ":1: '99999999999999s' is not a TIME such as 500us, 20ms or 1.5s\n" },
		{ "no_starved 500us", ":1: '500us' is too short for no_starved: 1.0ms at least\n" },
		{ "calls_at_least", ":1: calls_at_least needs an argument: calls_at_least N\n" },
		{ "calls_at_least 0", ":1: '0' is not a whole number from 1 up\n" },
		{ "calls_at_least -1", ":1: '-1' is not a whole number from 1 up\n" },
		{ "calls_at_least 1.5", ":1: '1.5' is not a whole number from 1 up\n" },
		{ "calls_at_least 99999999999999999999",
		  ":1: '99999999999999999999' is not a whole number from 1 up\n" },
		{ "wait_p99 5ms", ":1: wait_p99 needs an argument: wait_p99 normal|system TIME\n" },
		{ "wait_p99 5ms normal", ":1: '5ms' is not a class: normal or system\n" },
		{ "wait_longest system", ":1: wait_longest needs an argument: wait_longest "
					 "normal|system TIME\n" },
		{ "wait_longest system 5ms 5ms 5ms 5ms 5ms",
		  ":1: unexpected argument '5ms' for wait_longest normal|system TIME\n" },
		{ "no_drift\n#\nno_drift", ":3: no_drift is given twice\n" },
		{ "no_stranded 20ms\nno_stranded 0.02s", ":2: no_stranded 0.02s is given twice\n" },
		{ "", "': it has no rule; 'optee-top help rules' lists them\n" },
		{ "# nothing\n\n", "': it has no rule; 'optee-top help rules' lists them\n" },
	};
	static const char nul[] = "no_drift\nno_\0overrun\n";
	struct rules r;
	char said[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum status status = load(&r, cases[i].text, strlen(cases[i].text), said);

		if (status != STATUS_USAGE || strcmp(said, cases[i].says))
			print_error("'%s': %d '%s'\n", cases[i].text, status, said);
		assert_int_equal(status, STATUS_USAGE);
		assert_string_equal(said, cases[i].says);
		assert_null(r.rules);
	}
	assert_int_equal(load(&r, nul, sizeof(nul) - 1, said), STATUS_USAGE);
	assert_string_equal(said, ":2: it has a NUL byte, so it is not text\n");
}

UNIT_TEST(unreadable)
{
	static const char *const cases[][2] = {
		{ "/no/such", "cannot read '--rules /no/such': No such file or directory; " },
		{ "/tmp", "cannot read '--rules /tmp': Is a directory; " },
	};
	struct capture c;
	struct rules r;
	char said[1024];

	for (int i = 0; i < 2; i++) {
		capture_begin(&c, STDERR_FILENO);
		assert_int_equal(rules_load(&r, cases[i][0], false), STATUS_USAGE);
		capture_end(&c, said, sizeof(said));
		assert_non_null(strstr(said, cases[i][1]));
	}
}

UNIT_TEST(usual)
{
	struct rules with, without;

	assert_int_equal(rules_load(&with, NULL, true), STATUS_OK);
	assert_int_equal(rules_load(&without, NULL, false), STATUS_OK);
	assert_int_equal(with.nr, without.nr + 1);
	assert_string_equal(with.rules[without.nr].kind->name, "command_succeeds");
	rules_release(&with);
	rules_release(&without);
}

UNIT_TEST(starved_limit)
{
	static const char text[] = "no_starved\nno_starved 200ms\nno_starved 3s\n";
	struct rules r;
	char said[1024];

	load(&r, text, sizeof(text) - 1, said);
	assert_int_equal(rules_starved(&r, 1000000000), 200000000);
	assert_int_equal(r.rules[0].value, 1000000000); /* not 200 ms, as for the second */
	rules_release(&r);
}
