// SPDX-License-Identifier: GPL-2.0-only
/* Text: what a client chose as its name cannot hurt a terminal, times stay short. */
#include <string.h>
#include "unit.h"
#include "text.h"

static void names_become_harmless(void **state)
{
	const char name[16] = "a\x1b[2J\"\\\n\xff\x01";
	char out[4 * 16 + 1];

	(void)state;
	assert_string_equal(text_sanitise(out, name, sizeof(name)),
			    "a\\x1b[2J\"\\x5c\\x0a\\xff\\x01");
	assert_string_equal(text_sanitise(out, "", 0), "");
}

static void every_byte_is_bounded(void **state)
{
	char name[16], out[4 * 16 + 1];

	(void)state;
	for (int c = 1; c < 256; c++) {
		memset(name, c, sizeof(name));
		text_sanitise(out, name, sizeof(name));
		assert_true(strlen(out) == 16 || strlen(out) == 64);
		for (const char *p = out; *p; p++)
			assert_true(*p >= ' ' && *p < 0x7f);
	}
}

static void times(void **state)
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

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_ns(cases[i].ns, buf, sizeof(buf)), cases[i].text);
}

static void uuids(void **state)
{
	static const u8 device[16] = { 0x70, 0x11, 0xa6, 0x88, 0xdd, 0xde, 0x40, 0x53,
				       0xa5, 0xa9, 0x7b, 0x3c, 0x4d, 0xdf, 0x13, 0xb8 };
	static const u8 none[16];
	char buf[UUID_LEN];

	(void)state;
	assert_string_equal(uuid_format(device, buf), "7011a688-ddde-4053-a5a9-7b3c4ddf13b8");
	assert_string_equal(ta_name(device), "device.pta");
	assert_null(ta_name(none));
}

UNIT_TESTS(names_become_harmless, every_byte_is_bounded, times, uuids)
