// SPDX-License-Identifier: GPL-2.0-only
/* The log's files when things go wrong: torn tails, short writes, what is taken away or in the way. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>
#include "unit.h"
#include "fixtures/capture.h"
#include "log/log_file.h"
#include "fixtures/log_made.h"
#include "log/log_pack.h"
#include "log/logger.h"

static struct made m;
static char path[128];

static const char *in(const char *dir, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *dir, const char *name, const char *text, size_t len)
{
	FILE *f = fopen(in(dir, name), "w");

	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static char *text_of(const char *dir, const char *name)
{
	char *text = calloc(1, 1 << 23);
	gzFile f = gzopen(in(dir, name), "rb");

	if (f) {
		assert_true(gzread(f, text, (1 << 23) - 1) >= 0);
		gzclose(f);
	}
	return text;
}

static void is_text(const char *dir, const char *name, const char *want)
{
	char *text = text_of(dir, name);

	assert_string_equal(text, want);
	free(text);
}

static void open_file(struct log_dir *d, struct log_file *f, const char *dir, u64 cap, u64 share)
{
	log_dir_init(d, dir, cap, 1U << LOG_NAME_JSONL);
	log_file_init(f, d, LOG_NAME_JSONL, share);
	assert_int_equal(log_dir_open(d), 0);
	assert_int_equal(log_file_ready(f), 0);
}

static struct log_dir d;

/* What a crash left of a line, however long it is, is cut off; what is whole stays. */
UNIT_TEST(torn_tails)
{
	static char long_line[10000];
	const struct {
		const char *before, *after;
	} cases[] = {
		{ "", "" },
		{ "{\"a\":1}\n", "{\"a\":1}\n" },
		{ "{\"a\":1}\n{\"a\":", "{\"a\":1}\n" },
		{ "{\"a\":", "" },
		{ "a\n\nb", "a\n\n" },
	};
	struct log_file f;
	char dir[64];

	made_dir(dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_file(dir, "optee-top.jsonl", cases[i].before, strlen(cases[i].before));
		open_file(&d, &f, dir, 1000000, 100000);
		is_text(dir, "optee-top.jsonl", cases[i].after);
		assert_int_equal(f.size, strlen(cases[i].after));
		assert_int_equal(d.size, f.size);
		log_file_close(&f);
		log_dir_close(&d);
	}
	memset(long_line, 0, sizeof(long_line)); /* as a file system leaves it after a power cut */
	memcpy(long_line, "x\n", 2);
	put_file(dir, "optee-top.jsonl", long_line, sizeof(long_line));
	open_file(&d, &f, dir, 1000000, 100000);
	is_text(dir, "optee-top.jsonl", "x\n");
	log_file_close(&f);
	log_dir_close(&d);
	made_remove(dir);
}

/* Rotated by number, deflated by pieces, the oldest deleted first, never more than the cap. */
UNIT_TEST(rotation)
{
	char dir[64], line[100], name[LOG_NAME_LEN];
	struct log_file f;
	struct log_pack p;
	u32 files;

	made_dir(dir);
	put_file(dir, "optee-top.00000041.jsonl", "old\n", 4);
	put_file(dir, "optee-top.00000041.jsonl.gz.part", "part", 4);
	put_file(dir, "optee-top.00000040.jsonl", "twice\n", 6);
	put_file(dir, "optee-top.00000040.jsonl.gz", "twice", 5);
	put_file(dir, "optee-top.0000009.jsonl", "not ours", 8);
	put_file(dir, "pools.csv", "ts\r\n", 4); /* of a name that is not written now */
	open_file(&d, &f, dir, 3000, 500);
	assert_int_equal(access(in(dir, "optee-top.00000041.jsonl.gz.part"), F_OK), -1);
	assert_int_equal(access(in(dir, "optee-top.00000040.jsonl"), F_OK), -1);
	is_text(dir, "pools.00000001.csv", "ts\r\n");
	assert_int_equal(made_bytes(dir, &files), d.size + 8);
	log_pack_init(&p, &d);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(log_file_ready(&f), 0);
		snprintf(line, sizeof(line), "line %d %d %d\n", i, i * 7919 % 1009,
			 i * 104729 % 997);
		assert_int_equal(log_file_append(&f, line, strlen(line)), 0);
		if (i % 3)
			log_pack_step(&p);
		assert_true(d.size <= d.cap);
		assert_int_equal(made_bytes(dir, &files), d.size + 8);
	}
	assert_true(p.packed > 10 && d.deleted > 10);
	assert_int_equal(d.last_number[LOG_NAME_JSONL], 41 + d.retired - 1);
	/* From the oldest that is there on no line is missing. */
	log_file_close(&f);
	log_pack_stop(&p);
	for (u32 n = 1, next = 0; n <= d.last_number[LOG_NAME_JSONL] + 1; n++) {
		struct log_part part = { .number = n > d.last_number[LOG_NAME_JSONL] ? 0 : n };
		char *text = text_of(dir, log_name_make(&part, name)), *at;

		if (!*text) {
			free(text);
			part.deflated = true;
			text = text_of(dir, log_name_make(&part, name));
		}
		for (at = text; *at; at = strchr(at, '\n') + 1) {
			assert_true(!next || next == strtoul(at + 5, NULL, 10));
			next = (u32)strtoul(at + 5, NULL, 10) + 1;
		}
		assert_true(n <= d.last_number[LOG_NAME_JSONL] || next == 1000);
		free(text);
	}
	log_dir_close(&d);
	made_remove(dir);
}

static struct logger *begin(const char *dir)
{
	const struct log_opts o = { .dir = dir, .interval = 1, .size = 64 * LOG_SIZE_MIN };
	struct logger *g;

	assert_int_equal(logger_new(&g, &o), 0);
	return g;
}

static struct log_stats take(struct logger *g)
{
	made_second(&m);
	made_call(&m, 0);
	made_event(&m, EVENT_BEGIN);
	logger_take(g, &m.host, &m.s);
	return logger_stats(g);
}

/* All lines are there, whole, or counted: by their numbers, by the stats, and by the gaps. */
static void check(const char *dir, const struct log_stats *stats)
{
	char *text = text_of(dir, "optee-top.jsonl"), *line, *rest = text;
	u64 seq = 0, missing = 0, lines = 0, gaps = 0;

	while (*rest) {
		json_t *o;

		line = strsep(&rest, "\n");
		assert_non_null(rest);
		o = json_loads(line, 0, NULL);
		assert_non_null(o);
		lines++;
		missing += (u64)json_integer_value(json_object_get(o, "seq")) - seq - 1;
		seq = (u64)json_integer_value(json_object_get(o, "seq"));
		if (!strcmp(json_string_value(json_object_get(o, "type")), "gap"))
			gaps += (u64)json_integer_value(json_object_get(o, "lines"));
		json_decref(o);
	}
	free(text);
	assert_int_equal(missing, gaps);
	assert_int_equal(lines, stats->lines);
	assert_int_equal(gaps, stats->lost);
}

static const char *said(struct capture *c)
{
	static char text[1 << 17];

	return capture_end(c, text, sizeof(text));
}

static int lines_in(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* A file that may not grow any more: of a line nothing stays, and what is lost is counted. */
UNIT_TEST(short_writes)
{
	struct rlimit old, little;
	struct log_stats stats;
	struct capture c;
	struct logger *g;
	char dir[64], *text;
	u64 whole, over = 0;
	int says;

	made_init(&m, 10);
	made_dir(dir);
	getrlimit(RLIMIT_FSIZE, &old);
	capture_begin(&c, STDERR_FILENO);
	g = begin(dir);
	whole = take(g).bytes;
	/* At every place within the next lines. */
	for (u64 i = 1; i < 1500; i += 7) {
		little = old;
		little.rlim_cur = whole + i;
		setrlimit(RLIMIT_FSIZE, &little);
		stats = take(g);
		over += stats.bytes > whole + i;
		take(g);
		setrlimit(RLIMIT_FSIZE, &old);
		stats = take(g);
		whole = stats.bytes;
	}
	logger_free(g);
	says = lines_in(said(&c));
	assert_int_equal(over, 0);
	assert_true(stats.lost > 400);
	text = text_of(dir, "optee-top.jsonl");
	stats.lines = (u64)lines_in(text);
	free(text);
	check(dir, &stats);
	/* Said once when it begins and once when it ends, each of the 215 times. */
	assert_int_equal(says, 2 * 215);
	made_remove(dir);
}

/* The directory goes and comes, or something else is there. */
UNIT_TEST(taken_away)
{
	char dir[64], moved[80];
	struct log_stats stats, before;
	struct capture c;
	struct logger *g;
	const char *text;

	made_init(&m, 10);
	made_dir(dir);
	rmdir(dir); /* the logger makes it */
	g = begin(dir);
	take(g);
	snprintf(moved, sizeof(moved), "%s.moved", dir);
	assert_int_equal(rename(dir, moved), 0);
	/* A file in its place. */
	capture_begin(&c, STDERR_FILENO);
	close(open(dir, O_CREAT | O_WRONLY, 0600));
	before = logger_stats(g);
	for (int i = 0; i < 10; i++)
		stats = take(g);
	text = said(&c);
	assert_int_equal(lines_in(text), 1);
	assert_non_null(strstr(text, strerror(ENOTDIR)));
	assert_int_equal(stats.lines, before.lines);
	assert_true(stats.lost >= 30);
	/* It is gone: the directory is made anew, and the log says what it lost. */
	capture_begin(&c, STDERR_FILENO);
	unlink(dir);
	before = stats;
	stats = take(g);
	text = said(&c);
	assert_int_equal(lines_in(text), 1);
	assert_non_null(strstr(text, "logging to "));
	assert_int_equal(stats.lost, before.lost);
	stats.lines -= before.lines; /* those are in the other directory */
	text = text_of(dir, "optee-top.jsonl");
	assert_non_null(strstr(text, "\"type\":\"host\""));
	assert_non_null(strstr(text, "\"type\":\"gap\""));
	assert_int_equal(lines_in(text), stats.lines);
	free((void *)text);
	/* Every session is there again, not only the one that called. */
	text = text_of(dir, "optee-top.jsonl");
	assert_non_null(strstr(text, "\"serial\":10,"));
	free((void *)text);
	logger_free(g);
	made_remove(dir);
	made_remove(moved);
}

/* The file alone is moved away or deleted, with or without a signal; or is no file. */
UNIT_TEST(file_taken_away)
{
	struct log_stats stats;
	struct capture c;
	struct logger *g;
	char dir[64], to[128], *text;

	made_init(&m, 10);
	made_dir(dir);
	g = begin(dir);
	take(g);
	snprintf(to, sizeof(to), "%s/elsewhere", dir);
	assert_int_equal(rename(in(dir, "optee-top.jsonl"), to), 0);
	take(g);
	text = text_of(dir, "optee-top.jsonl");
	assert_non_null(strstr(text, "\"type\":\"host\""));
	free(text);
	assert_int_equal(unlink(in(dir, "optee-top.jsonl")), 0);
	logger_reopen(g);
	stats = take(g);
	assert_int_equal(access(in(dir, "optee-top.jsonl"), F_OK), 0);
	assert_int_equal(stats.lost, 0);
	/* A pipe without a reader would hold a writer up. */
	unlink(in(dir, "optee-top.jsonl"));
	assert_int_equal(mkfifo(in(dir, "optee-top.jsonl"), 0600), 0);
	capture_begin(&c, STDERR_FILENO);
	stats = take(g);
	assert_true(stats.lost > 0);
	take(g);
	assert_int_equal(lines_in(said(&c)), 1);
	unlink(in(dir, "optee-top.jsonl"));
	assert_int_equal(symlink("/dev/null", in(dir, "optee-top.jsonl")), 0);
	take(g);
	unlink(in(dir, "optee-top.jsonl"));
	take(g);
	text = text_of(dir, "optee-top.jsonl");
	assert_non_null(strstr(text, "\"type\":\"gap\""));
	free(text);
	logger_free(g);
	made_remove(dir);
}

/* A second one keeps off, and takes over when the first has gone. */
UNIT_TEST(two)
{
	struct logger *first, *second;
	struct log_stats stats;
	struct capture c;
	const char *text;
	char dir[64];

	made_init(&m, 3);
	made_dir(dir);
	first = begin(dir);
	second = begin(dir);
	take(first);
	capture_begin(&c, STDERR_FILENO);
	stats = take(second);
	stats = take(second);
	text = said(&c);
	assert_int_equal(lines_in(text), 1);
	assert_non_null(strstr(text, "another optee-top logs there"));
	assert_int_equal(stats.lines, 0);
	assert_true(stats.lost > 2);
	assert_int_equal(take(first).lost, 0);
	logger_free(first);
	assert_true(take(second).lines > 2);
	logger_free(second);
	made_remove(dir);
}

/* A reader who locks everything that he can open does not stop the log. */
UNIT_TEST(readers_lock)
{
	static const char *const readable[] = { ".", "optee-top.jsonl" };
	int fds[2];
	struct logger *g;
	struct stat st;
	char dir[64];

	made_init(&m, 3);
	made_dir(dir);
	g = begin(dir);
	take(g);
	for (int i = 0; i < 2; i++) {
		fds[i] = open(in(dir, readable[i]), O_RDONLY);
		assert_int_equal(flock(fds[i], LOCK_EX | LOCK_NB), 0);
	}
	logger_reopen(g);
	assert_int_equal(take(g).lost, 0);
	assert_int_equal(take(g).errors, 0);
	assert_int_equal(stat(in(dir, ".lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
	logger_free(g);
	made_remove(dir);
}

/* A lock file that was removed is made again; one that others can lock is refused. */
UNIT_TEST(lost_locks)
{
	struct logger *first, *second;
	struct capture c;
	const char *text;
	char dir[64];

	made_init(&m, 3);
	made_dir(dir);
	first = begin(dir);
	take(first);
	unlink(in(dir, ".lock"));
	take(first);
	capture_begin(&c, STDERR_FILENO);
	second = begin(dir);
	assert_int_equal(take(second).lines, 0);
	unlink(in(dir, ".lock"));
	put_file(dir, ".lock", "", 0);
	assert_int_equal(chmod(path, 0644), 0);
	logger_reopen(first);
	take(first);
	text = said(&c);
	assert_non_null(strstr(text, "another optee-top logs there"));
	assert_non_null(strstr(text, "its lock file '.lock' belongs to another user"));
	assert_int_equal(lines_in(text), 2);
	assert_true(take(first).lost > 0);
	logger_free(second);
	logger_free(first);
	made_remove(dir);
}
