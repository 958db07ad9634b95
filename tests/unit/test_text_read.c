// SPDX-License-Identifier: GPL-2.0-only
/* Small text files of every kind, and the daemon's file of options made of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "options/config_file.h"
#include "unit.h"
#include "fixtures/capture.h"
#include "log/log_cursor.h"
#include "options/opts.h"
#include "base/text_read.h"

static char path[32];

#define FILE_OF(text) file_of(path, text, sizeof(text) - 1)

/* Its lines, joined by a | each. */
static const char *lines(const char *text, size_t len, char joined[256])
{
	char *all, *line, *rest;
	size_t nul_line, n = 0;

	file_of(path, text, len);
	assert_int_equal(text_read(path, TEXT_FILE, &all, &nul_line), 0);
	rest = all;
	joined[0] = '\0';
	while ((line = text_line(&rest)))
		n += (size_t)snprintf(joined + n, 256 - n, "%s|", line);
	free(all);
	unlink(path);
	return joined;
}

#define LINES(text) lines(text, sizeof(text) - 1, joined)

UNIT_TEST(ends_of_lines)
{
	char joined[256];

	assert_string_equal(LINES(""), "");
	assert_string_equal(LINES("\n"), "|");
	assert_string_equal(LINES("one"), "one|");
	assert_string_equal(LINES("one\n\ntwo\n"), "one||two|");
	assert_string_equal(LINES("one\r\n\r\ntwo"), "one||two|");
	assert_string_equal(LINES("one\rtwo\r"), "one\rtwo|");
	assert_string_equal(LINES("\xef\xbb\xbfone\n"), "one|");
	assert_string_equal(LINES("\xef\xbb\xbf"), "");
	assert_string_equal(LINES("\xef\xbb"), "\xef\xbb|");
}

static int error_of(const char *name, enum text_kind kind, size_t *nul_line)
{
	char *text;
	int err = text_read(name, kind, &text, nul_line);

	assert_true(!err == (text != NULL));
	free(text);
	return err;
}

UNIT_TEST(errors)
{
	static char large[TEXT_READ_MOST + 1];
	size_t line;

	assert_int_equal(error_of("/nowhere", TEXT_FILE, &line), -ENOENT);
	assert_int_equal(error_of("/tmp", TEXT_FILE, &line), -EISDIR);
	assert_int_equal(error_of("/tmp", TEXT_INPUT, &line), -EISDIR);
	assert_int_equal(error_of("/dev/zero", TEXT_FILE, &line), -EOPNOTSUPP);
	assert_int_equal(line, 0);
	assert_int_equal(error_of("/dev/zero", TEXT_INPUT, &line), -EFBIG);
	FILE_OF("one\ntwo\0\n");
	assert_int_equal(error_of(path, TEXT_FILE, &line), -EILSEQ);
	assert_int_equal(line, 2);
	unlink(path);
	FILE_OF("\0");
	assert_int_equal(error_of(path, TEXT_FILE, &line), -EILSEQ);
	assert_int_equal(line, 1);
	unlink(path);
	/* Nobody writes there: it does not wait. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(error_of(path, TEXT_FILE, &line), -EOPNOTSUPP);
	unlink(path);
	memset(large, 'x', sizeof(large));
	file_of(path, large, sizeof(large));
	assert_int_equal(error_of(path, TEXT_FILE, &line), -EFBIG);
	assert_int_equal(truncate(path, TEXT_READ_MOST), 0);
	assert_int_equal(error_of(path, TEXT_FILE, &line), 0);
	unlink(path);
}

/* What is wrong with a file of options, in one line or two; "": nothing. */
static const char *said_of(const char *text, size_t len, struct opts *o, char said[512])
{
	struct capture c;
	char *config;

	*o = (struct opts){};
	file_of(path, text, len);
	capture_begin(&c, STDERR_FILENO);
	config_file_read(o, path, &config);
	capture_end(&c, said, 512);
	unlink(path);
	free(config); /* o points into it */
	return said;
}

#define SAID_OF(text) said_of(text, sizeof(text) - 1, &o, said)

UNIT_TEST(options)
{
	char said[512];
	struct opts o;

	assert_string_equal(SAID_OF(""), "");
	assert_string_equal(SAID_OF("\n"), "");
	assert_string_equal(SAID_OF("# nothing"), "");
	assert_string_equal(SAID_OF("\xef\xbb\xbflog-csv\r\nlog-interval 5"), "");
	assert_true(o.daemon.log_csv && o.daemon.log_interval == 5);
	assert_non_null(strstr(SAID_OF("log-csv\n\0nonsense\n"), "NUL byte"));
	assert_non_null(strstr(said, "see line 2"));
	assert_false(o.daemon.log_csv);
	assert_non_null(strstr(SAID_OF("\0"), "see line 1"));
}

UNIT_TEST(cursors)
{
	static const char *const bad[] = { "", "{", "[]", "{}" };
	struct log_position at = {};
	struct log_reader *r;
	struct capture c;
	char said[1024];
	char dir[] = "/tmp/test_text_read.XXXXXX";

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file_of(path, bad[i], strlen(bad[i]));
		capture_begin(&c, STDERR_FILENO);
		assert_int_equal(log_cursor_open(&r, dir, path, &at), STATUS_FAILURE);
		assert_non_null(
			strstr(capture_end(&c, said, sizeof(said)), "does not hold the position"));
		unlink(path);
	}
	capture_begin(&c, STDERR_FILENO);
	assert_int_equal(log_cursor_open(&r, dir, "/dev/zero", &at), STATUS_FAILURE);
	assert_int_equal(log_cursor_open(&r, dir, dir, &at), STATUS_FAILURE);
	capture_end(&c, said, sizeof(said));
	assert_non_null(strstr(said, "not a regular file"));
	assert_non_null(strstr(said, "Is a directory"));
	rmdir(dir);
}
