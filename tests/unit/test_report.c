// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reports of a check: whatever a client calls itself, each format can be read, by
 * readers of others, and says the same (tests/guest/lib/reports.py).
 */
#include "unit.h"
#include "fixtures/capture.h"
#include "check/check_report.h"
#include "fixtures/fake_source.h"
#include "check/check_run.h"

#define HOSTILE "</failure><&\"'\\ #]]>\x1b[2J\x01\xff\n- x: {}"

static struct fake fake;

/* Judges the fake source, and prints; the format is as the options have it. */
static enum status report(struct opts *o, char *out, size_t len)
{
	static const char rules[] = "no_deadlock\nno_stranded 20ms\nno_failed_calls\n"
				    "wait_p99 normal 5ms\n";
	enum status status;
	struct capture c;
	struct check_run t;
	char path[32];

	fake.step = fake.given = 0;
	file_of(path, rules, sizeof(rules) - 1);
	o->rules = path;
	assert_int_equal(check_run_init(&t, o), STATUS_OK);
	unlink(path);
	assert_int_equal(check_run_begin(&t, &fake.source), STATUS_OK);
	check_run_all(&t);
	capture_begin(&c, STDOUT_FILENO);
	status = check_run_judge(&t);
	capture_end(&c, out, len);
	check_run_release(&t);
	return status;
}

/* What a reader of that format finds in it. */
static void read_back(const char *format, const char *text, char *out, size_t len)
{
	char path[32], command[128];
	FILE *reader;
	size_t n;

	file_of(path, text, strlen(text));
	snprintf(command, sizeof(command), "python3 -B tests/guest/lib/reports.py %s %s", format,
		 path);
	reader = popen(command, "r");
	assert_non_null(reader);
	n = fread(out, 1, len - 1, reader);
	out[n] = '\0';
	if (pclose(reader))
		print_error("%s\n", text);
	unlink(path);
}

UNIT_TEST(formats)
{
	static const char *const names[] = { "table", "tap", "junit", "json" };
	static const char want[] =
		"pass|no_deadlock|none\n"
		"fail|no_stranded 20ms|1 time, the longest 2.0s\n"
		"+1970-01-01T00:00:00.000Z tee0 stranded end after 2.0s, peak 1: 1 waits in the "
		"queue, 1 thread free; </failure><&\"'\\ #]]>\\x1b[2J\\x01\\xff\\x0a- x: {}(10) "
		"holds, C(11) waits\n"
		"+    the wake went to </failure><&\"'\\ #]]>\\x1b[2J\\x01\\xff\\x0a- x: {}(10), "
		"invoke 0 of os_test, which was in flight and not waiting, some time before\n"
		"pass|no_failed_calls|none\n"
		"unknown|wait_p99 normal 5ms|1 call is missing among those seen\n";
	char text[8192], have[8192];

	for (int i = 0; i < 4; i++) {
		struct opts o = { .format = names[i] };

		fake_init(&fake);
		strcpy(fake.host.name, HOSTILE);
		fake_episode(&fake, COND_STRANDED, 2 * SECOND);
		strcpy(fake.events[0].parties[0].comm, HOSTILE);
		fake.last.losses.count[LOSS_CALL_RECORD] = 1;
		if (i == 3) /* it takes UTF-8 only: sources see to that */
			strcpy(fake.host.name, "fake");
		assert_int_equal(report(&o, text, sizeof(text)), STATUS_FAILURE);
		for (const char *at = text; *at; at++)
			assert_true(*at == '\n' || (*at >= ' ' && *at < 0x7f));
		read_back(names[i], text, have, sizeof(have));
		assert_string_equal(have, want);
	}
}

/* A printable name is the same in each. */
UNIT_TEST(utf8)
{
	static const char *const names[] = { "table", "tap", "junit", "json" };
	char text[8192], have[8192];

	for (int i = 0; i < 4; i++) {
		struct opts o = { .format = names[i] };

		fake_init(&fake);
		fake_episode(&fake, COND_STRANDED, 2 * SECOND);
		strcpy(fake.events[0].parties[0].comm, "caf\u00e9");
		assert_int_equal(report(&o, text, sizeof(text)), STATUS_FAILURE);
		read_back(names[i], text, have, sizeof(have));
		assert_non_null(strstr(have, "caf\u00e9(10) holds"));
	}
}

UNIT_TEST(passes)
{
	struct opts o = {};
	char text[8192];

	fake_init(&fake);
	fake_waits(&fake, CLASS_NORMAL, 100, MS);
	assert_int_equal(report(&o, text, sizeof(text)), STATUS_OK);
	assert_non_null(strstr(text, "\npass: 4 of 4 rules pass, 0 fail, 0 unknown; 100 calls in "
				     "10.0s\n"));
	/* What is not known does not pass. */
	fake.last.losses.count[LOSS_CALL_RECORD] = 1;
	assert_int_equal(report(&o, text, sizeof(text)), STATUS_FAILURE);
	assert_non_null(strstr(text, "\nfail: 3 of 4 rules pass, 0 fail, 1 unknown; "));
}

UNIT_TEST(json)
{
	struct opts o = { .json = true };
	char text[8192];
	json_t *top;

	fake_init(&fake);
	assert_int_equal(report(&o, text, sizeof(text)), STATUS_OK);
	top = json_loads(text, 0, NULL);
	assert_non_null(top);
	assert_true(json_real_value(json_object_get(top, "seconds")) == 10);
	assert_int_equal(json_integer_value(json_object_get(top, "calls")), 100);
	assert_true(json_is_null(json_object_get(top, "command_status")));
	assert_string_equal(json_string_value(json_object_get(top, "verdict")), "pass");
	assert_string_equal(json_string_value(
				    json_object_get(json_object_get(top, "source"), "name")),
			    "fake");
	json_decref(top);
}
