// SPDX-License-Identifier: GPL-2.0-only
/* Text: what a client chose as its name cannot hurt a terminal, times stay short. */
#include <string.h>
#include "unit.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "base/printable.h"
#include "model/ta_names.h"
#include "base/text.h"

UNIT_TEST(names_become_harmless)
{
	const char name[16] = "a\x1b[2J\"\\\n\xff\x01";
	char out[4 * 16 + 1];

	assert_string_equal(text_sanitise(out, name, sizeof(name)),
			    "a\\x1b[2J\"\\x5c\\x0a\\xff\\x01");
	assert_string_equal(text_sanitise(out, "", 0), "");
}

/* Printable UTF-8 stays; what is cut, forged, invisible or turns the direction does not. */
UNIT_TEST(utf8_is_shown)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{ "caf\u00e9", "caf\u00e9" },
		{ "\u65e5\u672c\u8a9e", "\u65e5\u672c\u8a9e" },
		{ "\U0001f600", "\U0001f600" },
		{ "x\xe6\x97", "x\\xe6\\x97" },                          /* the kernel cut it */
		{ "\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf" }, /* too long */
		{ "\xed\xa0\x80\xf4\x90\x80\x80", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80" },
		{ "a\u202eb\u2066", "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6" },
		{ "\u05d0\u0627\u0661", "\\xd7\\x90\\xd8\\xa7\\xd9\\xa1" }, /* from right to left */
		{ "z\u200bw\ufeff", "z\\xe2\\x80\\x8bw\\xef\\xbb\\xbf" },
		{ "\xc2\x9b", "\\xc2\\x9b" },
		{ "e\u0301", "e\\xcc\\x81" },
		{ "\\xc3\\xa9", "\\x5cxc3\\x5cxa9" }, /* is not the shown \u00e9 */
	};
	char out[4 * 32 + 1], raw[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_sanitise(out, cases[i].name, 31);
		assert_string_equal(out, cases[i].shown);
		assert_true(printable(out, strlen(out)));
		assert_string_equal(text_raw(raw, sizeof(raw), out), cases[i].name);
	}
	assert_true(text_has("a\\x5cb", "a\\b"));
	assert_true(text_has("a\\x5cb", "x5c"));
	assert_true(text_has("caf\\xc3\\xa9", "caf\u00e9")); /* of an old recording */
	assert_false(text_has("caf\u00e9", "cafe"));
}

/* Columns are as wide as they are meant to be, and nothing is cut in two. */
UNIT_TEST(columns_fit)
{
	static const char text[] = "a\u00e9\u65e5\u672c\\x1bz";
	static const char *const cut[] = {
		"",
		"a",
		"a\u00e9",
		"a\u00e9",
		"a\u00e9\u65e5",
		"a\u00e9\u65e5",
		"a\u00e9\u65e5\u672c",
		"a\u00e9\u65e5\u672c",
		"a\u00e9\u65e5\u672c",
		"a\u00e9\u65e5\u672c",
		"a\u00e9\u65e5\u672c\\x1b",
		text,
	};
	char out[64];

	assert_int_equal(printable_width(text), 11);
	for (int width = 0; width < 12; width++) {
		assert_int_equal(printable_cut(text, width), strlen(cut[width]));
		printable_fit(out, sizeof(out), text, width);
		assert_int_equal(printable_width(out), width);
		assert_memory_equal(out, cut[width], strlen(cut[width]));
	}
}

/* A sentence that is too long ends with a whole character, wherever it is cut. */
UNIT_TEST(sentences_are_cut_between_characters)
{
	struct event e = { .condition = COND_DEADLOCK, .nr_parties = MAX_PARTIES, .culprit = -1 };
	char out[EVENT_LINE];

	for (u32 i = 0; i < e.nr_parties; i++)
		strcpy(e.parties[i].comm, "\u00e9\u65e5\U0001f600\u00e9\u65e5\U0001f600");
	for (size_t len = 1; len <= sizeof(out); len++) {
		event_who(&e, out, len);
		assert_true(printable(out, strlen(out)));
		event_chain(&e, 0, out, len);
		assert_true(printable(out, strlen(out)));
	}
}

/* One thread is one thread, whichever of the two counts is the larger. */
UNIT_TEST(drift_counts_threads)
{
	static const struct {
		int drift;
		const char *text;
	} cases[] = {
		{ 1, "the driver counts 1 thread more in use than there are calls" },
		{ 2, "the driver counts 2 threads more in use than there are calls" },
		{ -1, "the driver counts 1 thread fewer in use than there are calls" },
		{ -3, "the driver counts 3 threads fewer in use than there are calls" },
	};
	struct event e = { .condition = COND_DRIFT, .culprit = -1 };
	char out[EVENT_LINE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		e.drift = cases[i].drift;
		assert_string_equal(event_why(&e, out, sizeof(out)), cases[i].text);
	}
}

static void check_why(const struct event *e, const char *want)
{
	char out[EVENT_LINE];

	assert_string_equal(event_why(e, out, sizeof(out)), want);
}

UNIT_TEST(a_deadlock_says_who_waits_for_whom)
{
	struct event e = {
		.condition = COND_DEADLOCK,
		.threads = 3,
		.driver_sys_sessions = 1,
		.in_use = { 2, 1 },
		.waiting = { 1, 1 },
		.mono_ns = 2000000000,
		.nr_parties = 6,
		.culprit = -1,
		.parties = {
			{ .tid = 1, .comm = "A", .phase = PHASE_RPC, .rpc_kind = RPC_PLUGIN,
			  .since_ns = 1000000000, .behind = 2, .by_supplicant = true },
			{ .tid = 2, .comm = "B", .phase = PHASE_RPC, .rpc_kind = RPC_NOTIFICATION,
			  .since_ns = 1000000000, .behind = 0 },
			{ .tid = 3, .comm = "C", .waits = true, .since_ns = 1000000000, .behind = -1 },
			/* One that waits for the argument cache holds no thread, whatever its last RPC was. */
			{ .tid = 4, .comm = "D", .phase = PHASE_ARGUMENT,
			  .rpc_kind = RPC_NOTIFICATION, .since_ns = 1000000000, .behind = 2 },
			{ .tid = 5, .comm = "E", .phase = PHASE_SECURE, .class = CLASS_SYSTEM,
			  .since_ns = 1000000000, .behind = -1 },
			{ .tid = 6, .comm = "F", .waits = true, .class = CLASS_SYSTEM,
			  .since_ns = 1000000000, .behind = -1 },
		},
	};
	static const char *const chain[] = {
		"A(1), open, holds a thread for 1.0s, in RPC plugin by tee-supplicant, behind C(3)",
		"B(2), open, holds a thread for 1.0s, in RPC notification for a lock of OP-TEE, behind A(1)",
		"C(3), open, waits in the queue for 1.0s",
	};
	static const bool involved[] = { true, true, true, true, false, false };
	char out[EVENT_LINE];

	for (u32 i = 0; i < sizeof(chain) / sizeof(chain[0]); i++)
		assert_string_equal(event_chain(&e, i, out, sizeof(out)), chain[i]);
	for (u32 i = 0; i < e.nr_parties; i++)
		assert_int_equal(event_involves(&e, i), involved[i]);
	check_why(
		&e,
		"2 calls hold a thread and wait for the 1 in the queue, and 1 of 3 threads is for system calls only");
	e.parties[1].one_of = true;
	assert_non_null(
		strstr(event_chain(&e, 1, out, sizeof(out)), "behind A(1) or another of these"));
	e.threads = 2;
	check_why(&e, "2 calls hold a thread and wait for the 2 in the queue");
	assert_true(event_involves(&e, 5));
	e.threads = -1; /* not known */
	check_why(&e, "2 calls hold a thread and wait for the 2 in the queue");

	/* There are more holders than there is room for. */
	e = (struct event){ .condition = COND_DEADLOCK,
			    .threads = 16,
			    .driver_sys_sessions = 1,
			    .in_use = { 16, 0 },
			    .waiting = { 3, 0 },
			    .nr_parties = MAX_PARTIES };
	check_why(&e, "16 calls hold a thread and wait for the 3 in the queue");
}

static void check_who(const struct event *e, size_t len, const char *want)
{
	char out[EVENT_LINE];

	assert_string_equal(event_who(e, out, len), want);
}

/* Those for whom there was no room, in the event or in the line, are counted. */
UNIT_TEST(who_is_not_listed_counts)
{
	struct event e = { .condition = COND_EXHAUSTED, .nr_parties = 2, .culprit = -1 };

	for (u32 i = 0; i < MAX_PARTIES; i++) {
		strcpy(e.parties[i].comm, "a");
		e.parties[i].tid = 1 + i;
	}
	e.in_use[CLASS_NORMAL] = 1;
	e.in_use[CLASS_SYSTEM] = 1;
	check_who(&e, EVENT_LINE, "a(1) holds, a(2) holds");
	e.waiting[CLASS_NORMAL] = 30;
	check_who(&e, EVENT_LINE, "a(1) holds, a(2) holds, 30 not listed");
	check_who(&e, 40, "a(1) holds, 31 not listed");
	check_who(&e, 30, "32 not listed");
	e.parties[1].waits = true; /* and so has no part in it */
	check_who(&e, 40, "a(1) holds, 30 not listed");
	e.condition = COND_DRIFT;
	e.nr_parties = 0;
	check_who(&e, EVENT_LINE, "");
}

UNIT_TEST(every_byte_is_bounded)
{
	char name[16], out[4 * 16 + 1];

	for (int c = 1; c < 256; c++) {
		memset(name, c, sizeof(name));
		text_sanitise(out, name, sizeof(name));
		assert_true(strlen(out) == 16 || strlen(out) == 64);
		for (const char *p = out; *p; p++)
			assert_true(*p >= ' ' && *p < 0x7f);
	}
}

UNIT_TEST(times)
{
	static const struct {
		u64 ns;
		const char *text;
	} cases[] = {
		{ 0, "0ns" },           { 999, "999ns" },
		{ 1000, "1.0us" },      { 9990, "9.9us" },
		{ 10000, "10us" },      { 999999, "999us" },
		{ 1000000, "1.0ms" },   { 34000000, "34ms" },
		{ 5600000000, "5.6s" }, { 210000000000, "210s" },
	};
	char buf[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_ns(cases[i].ns, buf, sizeof(buf)), cases[i].text);
}

UNIT_TEST(uuids)
{
	static const u8 device[16] = { 0x70, 0x11, 0xa6, 0x88, 0xdd, 0xde, 0x40, 0x53,
				       0xa5, 0xa9, 0x7b, 0x3c, 0x4d, 0xdf, 0x13, 0xb8 };
	static const u8 none[16];
	char buf[UUID_LEN];

	assert_string_equal(uuid_format(device, buf), "7011a688-ddde-4053-a5a9-7b3c4ddf13b8");
	assert_string_equal(ta_name(device), "device.pta");
	assert_null(ta_name(none));
}
