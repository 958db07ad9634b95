// SPDX-License-Identifier: GPL-2.0-only
/* Reading logs: what is no whole line is counted and never given; positions; times. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "unit.h"
#include "fixtures/capture.h"
#include "log/log_cursor.h"
#include "log/log_export.h"
#include "fixtures/log_made.h"
#include "log/log_read.h"
#include "options/opts.h"
#include "base/time_parse.h"

#define SEC(n) ((n)*1000000000ULL)

UNIT_TEST(times)
{
	const struct {
		const char *text;
		u64 ns;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-25T10:00:00Z", SEC(1795600800) },
		{ "2026-11-25T10:00:00.5Z", SEC(1795600800) + 500000000 },
		{ "2026-11-25T10:00:00.123456789123Z", SEC(1795600800) + 123456789 },
		{ "2026-11-25 11:30:00+01:30", SEC(1795600800) },
		{ "2026-11-25t08:00:00-02:00", SEC(1795600800) },
		{ "2024-02-29T23:59:60z", SEC(1709251200) },
		{ "90s", SEC(1000000 - 90) },
		{ "1.5m", SEC(1000000 - 90) },
		{ "2h", SEC(1000000 - 7200) },
		{ "3d", SEC(1000000 - 259200) },
		{ "0s", SEC(1000000) },
		{ "9999d", 0 },
	};
	const char *const bad[] = { "",
				    "s",
				    "5",
				    "-5s",
				    "5s ",
				    " 5s",
				    "nans",
				    "5w",
				    "2026-11-25",
				    "2026-11-25T10:00Z",
				    "2026-11-25T10:00:00",
				    "2026-11-25T10:00:00.Z",
				    "2026-11-25T10:00:00Zx",
				    "2026-00-25T10:00:00Z",
				    "2026-11-25T24:00:00Z",
				    "2026-11-25T10:00:00+1:00",
				    "2026-11-25T10:00:00+01:60",
				    "1969-12-31T23:59:59Z",
				    "26-11-25T10:00:00Z" };
	u64 ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(time_parse_since(good[i].text, SEC(1000000), &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(time_parse_since(bad[i], SEC(1000000), &ns));
}

static char *line_of(u64 epoch, u64 seq, const char *more)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "{\"schema\":\"optee-top/1\",\"ts\":\"2026-11-25T10:00:00.000001Z\",\"boot_id\":\"b\","
		 "\"epoch\":%llu,\"seq\":%llu,\"type\":\"pool\"%s}\n",
		 (unsigned long long)epoch, (unsigned long long)seq, more);
	return text;
}

static void add(const char *dir, const char *name, const char *text, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "a");
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void add_line(const char *dir, const char *name, u64 epoch, u64 seq)
{
	const char *line = line_of(epoch, seq, "");

	add(dir, name, line, strlen(line));
}

static void deflate_file(const char *dir, const char *name, long cut)
{
	char from[128], to[140], text[4096];
	size_t n;
	FILE *f;
	gzFile z;

	snprintf(from, sizeof(from), "%s/%s", dir, name);
	snprintf(to, sizeof(to), "%s.gz", from);
	f = fopen(from, "r");
	z = gzopen(to, "wb");
	while ((n = fread(text, 1, sizeof(text), f)))
		gzwrite(z, text, (unsigned int)n);
	fclose(f);
	gzclose(z);
	if (cut) {
		struct stat st;

		assert_int_equal(stat(to, &st), 0);
		assert_int_equal(truncate(to, st.st_size - cut), 0);
	}
	unlink(from);
}

/* The numbers of the lines that are given, as text. */
static const char *given(struct log_reader *r)
{
	static char text[1024];
	struct log_entry e;
	size_t at = 0;

	text[0] = '\0';
	while (log_reader_next(r, &e))
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%llu ",
				       (unsigned long long)e.at.seq);
	return text;
}

static struct log_reader *opened(const char *dir)
{
	struct log_reader *r;

	assert_int_equal(log_reader_open(&r, dir, 0), STATUS_OK);
	return r;
}

/* By number, not by name; deflated, plain, or both; and not what only looks like it. */
UNIT_TEST(order)
{
	const struct log_missing *m;
	struct log_reader *r;
	char dir[64];

	made_dir(dir);
	add_line(dir, "optee-top.00000002.jsonl", 1, 3);
	add_line(dir, "optee-top.00000002.jsonl", 1, 4);
	deflate_file(dir, "optee-top.00000002.jsonl", 0);
	add_line(dir, "optee-top.00000002.jsonl", 1, 3); /* was not deleted yet */
	add_line(dir, "optee-top.00000002.jsonl", 1, 4);
	add_line(dir, "optee-top.00000001.jsonl", 1, 1);
	add_line(dir, "optee-top.00000001.jsonl", 1, 2);
	add_line(dir, "optee-top.00000003.jsonl.gz.part", 1, 99);
	add_line(dir, "optee-top.3.jsonl", 1, 98);
	add_line(dir, "pools.00000001.csv", 1, 97);
	add_line(dir, "optee-top.100000000.jsonl", 1, 5);
	add_line(dir, "optee-top.jsonl", 1, 6);
	r = opened(dir);
	assert_string_equal(given(r), "1 2 3 4 5 6 ");
	m = log_reader_missing(r);
	assert_int_equal(m->torn + m->bad + m->lines, 0);
	log_reader_close(r);
	made_remove(dir);
}

UNIT_TEST(damage)
{
	static char huge[200000];
	const struct log_missing *m;
	struct log_reader *r;
	char dir[64];

	made_dir(dir);
	memset(huge, 'x', sizeof(huge));
	add_line(dir, "optee-top.00000001.jsonl", 1, 1);
	add(dir, "optee-top.00000001.jsonl", "\n{}\nnonsense\n", 13);
	add_line(dir, "optee-top.00000001.jsonl", 1, 2);
	add(dir, "optee-top.00000001.jsonl", huge, sizeof(huge));
	add(dir, "optee-top.00000001.jsonl", "\n", 1);
	add_line(dir, "optee-top.00000001.jsonl", 1, 3);
	add(dir, "optee-top.00000001.jsonl", line_of(1, 4, ",\"a\":1"),
	    strlen(line_of(1, 4, ",\"a\":1")) - 2);
	add(dir, "optee-top.00000001.jsonl", "\n", 1);               /* torn amid the file */
	add(dir, "optee-top.00000001.jsonl", line_of(1, 4, ""), 60); /* torn */
	add_line(dir, "optee-top.00000002.jsonl", 1, 8);
	add_line(dir, "optee-top.00000002.jsonl", 2, 1); /* another attach */
	for (u64 seq = 2; seq < 60; seq++)
		add_line(dir, "optee-top.00000003.jsonl", 2, seq);
	deflate_file(dir, "optee-top.00000003.jsonl", 20);
	add_line(dir, "optee-top.jsonl", 2, 100);
	add(dir, "optee-top.jsonl", line_of(2, 101, ""), strlen(line_of(2, 101, "")) - 1);
	r = opened(dir);
	assert_int_equal(strncmp(given(r), "1 2 3 8 1 ", 10), 0);
	m = log_reader_missing(r);
	/* Two last lines, and what the end of the deflated file may have spoiled. */
	assert_in_range(m->torn, 2, 3);
	assert_in_range(m->bad, 5, 6);
	assert_in_range(m->lines, 4 + 40, 4 + 98);
	log_reader_close(r);
	made_remove(dir);
}

/* It is written while it is read: rotated, deflated, deleted. */
UNIT_TEST(meanwhile)
{
	char dir[64], from[128], to[128];
	struct log_reader *r;
	struct log_entry e;

	made_dir(dir);
	add_line(dir, "optee-top.00000001.jsonl", 1, 1);
	add_line(dir, "optee-top.00000002.jsonl", 1, 2);
	add_line(dir, "optee-top.jsonl", 1, 3);
	r = opened(dir);
	assert_true(log_reader_next(r, &e));
	/* The one being read goes, the next one is deflated, the last one is rotated. */
	snprintf(from, sizeof(from), "%s/optee-top.00000001.jsonl", dir);
	unlink(from);
	deflate_file(dir, "optee-top.00000002.jsonl", 0);
	snprintf(from, sizeof(from), "%s/optee-top.jsonl", dir);
	snprintf(to, sizeof(to), "%s/optee-top.00000003.jsonl", dir);
	assert_int_equal(rename(from, to), 0);
	add_line(dir, "optee-top.jsonl", 1, 4);
	assert_string_equal(given(r), "2 3 4 ");
	log_reader_close(r);
	made_remove(dir);
}

static const char *behind(const char *dir, const char *file, u64 epoch, u64 seq, u32 number,
			  u64 *missing)
{
	struct log_position at = { .boot_id = "b", .epoch = epoch, .seq = seq, .file = number };
	struct log_reader *r;
	const char *text;

	unlink(file);
	assert_int_equal(log_cursor_save(file, &at), STATUS_OK);
	memset(&at, 0, sizeof(at));
	assert_int_equal(log_cursor_open(&r, dir, file, &at), STATUS_OK);
	assert_int_equal(at.seq, seq);
	text = given(r);
	*missing = log_reader_missing(r)->lines;
	log_reader_close(r);
	return text;
}

UNIT_TEST(cursor)
{
	struct log_position none = {};
	char dir[64], file[128];
	struct log_reader *r;
	u64 missing;

	made_dir(dir);
	snprintf(file, sizeof(file), "%s.cursor", dir);
	add_line(dir, "optee-top.00000005.jsonl", 1, 7);
	add_line(dir, "optee-top.00000005.jsonl", 1, 8);
	add_line(dir, "optee-top.00000006.jsonl", 1, 9);
	add_line(dir, "optee-top.00000006.jsonl", 2, 1);
	add_line(dir, "optee-top.jsonl", 2, 2);
	assert_string_equal(behind(dir, file, 1, 7, 5, &missing), "8 9 1 2 ");
	assert_string_equal(behind(dir, file, 1, 8, 5, &missing), "9 1 2 ");
	assert_string_equal(behind(dir, file, 1, 9, 6, &missing), "1 2 ");
	assert_string_equal(behind(dir, file, 2, 1, 6, &missing), "2 ");
	assert_string_equal(behind(dir, file, 2, 2, 7, &missing), "");
	assert_int_equal(missing, 0);
	/* The number of the file is wrong: it is looked for everywhere. */
	assert_string_equal(behind(dir, file, 1, 8, 7, &missing), "9 1 2 ");
	assert_string_equal(behind(dir, file, 1, 8, 70, &missing), "9 1 2 ");
	assert_string_equal(behind(dir, file, 1, 8, 0, &missing), "9 1 2 ");
	/* What was behind it has gone: so many are missing. */
	assert_string_equal(behind(dir, file, 1, 3, 2, &missing), "7 8 9 1 2 ");
	assert_int_equal(missing, 3);
	/* The attach is not known: all that is there. */
	assert_string_equal(behind(dir, file, 3, 1, 5, &missing), "7 8 9 1 2 ");
	unlink(file);
	assert_int_equal(log_cursor_open(&r, dir, file, &none), STATUS_OK);
	assert_string_equal(given(r), "7 8 9 1 2 ");
	log_reader_close(r);
	made_remove(dir);
}

UNIT_TEST(what_is_a_log)
{
	struct log_reader *r;
	char dir[64], file[128];

	made_dir(dir);
	assert_true(log_is(dir));
	assert_int_equal(log_reader_open(&r, dir, 0), STATUS_FAILURE); /* there is none in it */
	add_line(dir, "optee-top.jsonl", 1, 1);
	snprintf(file, sizeof(file), "%s/optee-top.jsonl", dir);
	assert_true(log_is(file));
	assert_false(log_is("doc/stranded.rec"));
	assert_false(log_is("/dev/null"));
	assert_false(log_is("/no/such"));
	r = opened(file);
	assert_string_equal(given(r), "1 ");
	log_reader_close(r);
	add(dir, "other.json", "{\"schema\":\"another\"}\n", 21);
	snprintf(file, sizeof(file), "%s/other.json", dir);
	assert_false(log_is(file));
	assert_int_equal(log_reader_open(&r, "/no/such", 0), STATUS_FAILURE);
	made_remove(dir);
}

/* Does the export of a log have the one line with this client? */
static bool exports(const char *dir, const char *match)
{
	char output[128], line[512];
	const struct opts o = { .format = "jsonl", .match = match, .output = output };
	bool has;
	FILE *f;

	snprintf(output, sizeof(output), "%s.out", dir);
	assert_int_equal(log_export(&o, dir), STATUS_OK);
	f = fopen(output, "r");
	has = fgets(line, sizeof(line), f);
	fclose(f);
	unlink(output);
	return has;
}

/* -p takes a name as it is shown and as it was. */
UNIT_TEST(names)
{
	char dir[64], *line;

	made_dir(dir);
	line = line_of(1, 1, ",\"client\":\"a\\\\x5cb caf\\\\xc3\\\\xa9\"");
	memcpy(strstr(line, "\"pool\""), "\"ta\"  ", 6); /* what -p has a say in */
	add(dir, "optee-top.jsonl", line, strlen(line));
	assert_true(exports(dir, "a\\b"));
	assert_true(exports(dir, "a\\x5cb"));
	assert_true(exports(dir, "caf\u00e9"));
	assert_false(exports(dir, "cafe"));
	made_remove(dir);
}
