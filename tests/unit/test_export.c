// SPDX-License-Identifier: GPL-2.0-only
/* What exports are made of: lanes, order, protocol buffers, files; and a small export each. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "unit.h"
#include "export/call_order.h"
#include "export/export.h"
#include "export/intern.h"
#include "export/timeline_lanes.h"
#include "base/out_file.h"
#include "base/stop.h"
#include "export/protobuf.h"

static void lanes_that_last(void)
{
	struct timeline_lanes l = {};

	assert_int_equal(timeline_lanes_begin(&l, 10, 7), 0);
	assert_int_equal(timeline_lanes_begin(&l, 12, 8), 1);
	assert_true(timeline_lanes_lasts(&l, 7));
	assert_int_equal(timeline_lanes_end(&l, 20, 7), 0);
	assert_false(timeline_lanes_lasts(&l, 7));
	assert_int_equal(timeline_lanes_end(&l, 20, 7), LANE_NONE);
	assert_int_equal(timeline_lanes_begin(&l, 19, 9), 2);
	assert_int_equal(timeline_lanes_begin(&l, 20, 10), 0);
	timeline_lanes_free(&l);
}

UNIT_TEST(lanes)
{
	struct timeline_lanes l = {};

	assert_int_equal(timeline_lanes_place(&l, 10, 20), 0);
	assert_int_equal(timeline_lanes_place(&l, 5, 30), 1);
	/* The lane that became free last: the other may be needed for a longer stay. */
	assert_int_equal(timeline_lanes_place(&l, 30, 40), 1);
	assert_int_equal(timeline_lanes_place(&l, 20, 50), 0);
	assert_int_equal(timeline_lanes_place(&l, 45, 60), 1);
	/* Late: only before the last stay of lane 1 there is room for it. */
	assert_int_equal(timeline_lanes_place(&l, 41, 43), 1);
	/* That room is taken now. */
	assert_int_equal(timeline_lanes_place(&l, 42, 44), 2);
	timeline_lanes_free(&l);
	/* Of a made-up file: all at once, and without end. */
	for (u32 i = 0; i < 3 * LANES_MAX; i++)
		assert_true(timeline_lanes_place(&l, i, 1000000 + i) < LANES_MAX);
	for (u32 i = 0; i < 3 * LANES_MAX; i++)
		assert_true(timeline_lanes_begin(&l, i, i) < LANES_MAX);
	assert_int_equal(l.count, LANES_MAX);
	timeline_lanes_free(&l);
	lanes_that_last();
}

UNIT_TEST(order)
{
	struct call_record call = {};
	struct call_order o;
	u64 before = 0;

	assert_true(call_order_init(&o));
	for (u32 i = 0; i < CALL_ORDER_WINDOW; i++) {
		assert_false(call_order_full(&o));
		call.start_ns = i * 7919ULL % 10007;
		call_order_put(&o, &call);
	}
	assert_true(call_order_full(&o));
	for (u32 i = 0; i < CALL_ORDER_WINDOW; i++) {
		assert_true(call_order_take(&o, &call));
		assert_true(call_end(&call) >= before);
		before = call_end(&call);
	}
	assert_false(call_order_take(&o, &call));
	call_order_free(&o);
}

/* As the documentation of the wire format has them. */
UNIT_TEST(wire)
{
	static const u8 want[] = { 0x08, 0x96, 0x01,      /* 1: 150 */
				   0x12, 0x02, 'h',  'i', /* 2: "hi" */
				   0x1a, 0x03, 0x08, 0x96, 0x01 /* 3: { 1: 150 } */ };
	u8 data[300];
	struct protobuf p = { .data = data, .size = sizeof(data) };
	char text[201];
	size_t at;

	protobuf_number(&p, 1, 150);
	protobuf_text(&p, 2, "hi");
	at = protobuf_begin(&p, 3);
	protobuf_number(&p, 1, 150);
	protobuf_end(&p, at);
	assert_int_equal(p.len, sizeof(want));
	assert_memory_equal(data, want, sizeof(want));

	/* A message of more than 127 bytes has a length of two. */
	memset(text, 'x', 200);
	text[200] = '\0';
	p.len = 0;
	at = protobuf_begin(&p, 1);
	protobuf_text(&p, 2, text);
	protobuf_end(&p, at);
	assert_int_equal(p.len, 1 + 2 + 1 + 2 + 200);
	assert_memory_equal(data, "\x0a\xcb\x01\x12\xc8\x01xx", 8);
	assert_false(p.full);
	protobuf_text(&p, 2, text);
	assert_true(p.full);
}

UNIT_TEST(texts_have_numbers)
{
	struct intern *t = calloc(1, sizeof(*t));
	char text[16];
	bool is_new;

	for (u32 round = 0; round < 2; round++) {
		for (u32 i = 0; i < INTERN_MAX; i++) {
			snprintf(text, sizeof(text), "%u", i / 2);
			assert_int_equal(intern_text(t, i % 2, text, &is_new), i + 1);
			assert_true(is_new);
		}
		assert_int_equal(intern_text(t, 0, "more", &is_new), 0);
		assert_int_equal(intern_text(t, 1, "5", &is_new), 12);
		assert_false(is_new);
		intern_clear(t);
	}
	free(t);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

UNIT_TEST(files)
{
	char dir[] = "/tmp/test_export.XXXXXX", path[64], link[64], command[80];
	struct rlimit before, small = { .rlim_cur = 2 };
	struct out_file f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	/* It has its name when it is complete, and not before. */
	assert_int_equal(out_file_open(&f, path), STATUS_OK);
	fputs("one", f.stream);
	fflush(f.stream);
	assert_int_equal(size_of(path), -1);
	assert_int_equal(out_file_close(&f, true), STATUS_OK);
	assert_int_equal(size_of(path), 3);
	/* What was there stays when it is not; a link stays one. */
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(out_file_open(&f, link), STATUS_OK);
	fputs("three", f.stream);
	assert_int_equal(out_file_close(&f, false), STATUS_OK);
	assert_int_equal(size_of(path), 3);
	assert_int_equal(out_file_open(&f, link), STATUS_OK);
	fputs("three", f.stream);
	assert_int_equal(out_file_close(&f, true), STATUS_OK);
	assert_int_equal(size_of(path), 5);
	assert_int_equal(readlink(link, command, sizeof(command)), strlen(path));
	/* A device is written, not replaced. */
	assert_int_equal(out_file_open(&f, "/dev/full"), STATUS_OK);
	fputs("one", f.stream);
	assert_int_equal(out_file_close(&f, true), STATUS_FAILURE);
	assert_int_equal(f.error, ENOSPC);
	/* A limit of the shell's is an error like another, and no end by a signal. */
	stop_catch();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(out_file_open(&f, path), STATUS_OK);
	fputs("one", f.stream);
	assert_int_equal(out_file_close(&f, true), STATUS_FAILURE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(f.error, EFBIG);
	assert_int_equal(size_of(path), 5);
	assert_int_equal(out_file_open(&f, "/nowhere/out"), STATUS_FAILURE);
	assert_int_equal(out_file_open(&f, ""), STATUS_FAILURE);
	assert_int_equal(unlink(link) | unlink(path), 0);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left there */
}

static char asked[64]; /* of what was asked of the disk: f a file, r a new name, d a directory */

static void note(char what)
{
	size_t n = strlen(asked);

	if (n + 1 < sizeof(asked))
		asked[n] = what;
}

/* In place of libc's. */
int fsync(int fd)
{
	struct stat st;

	note(!fstat(fd, &st) && S_ISDIR(st.st_mode) ? 'd' : 'f');
	return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	note('r');
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void write_out(const char *path)
{
	struct out_file f;

	assert_int_equal(out_file_open(&f, path), STATUS_OK);
	fputs("text", f.stream);
	assert_int_equal(out_file_close(&f, true), STATUS_OK);
}

/* It is as private as the file that it replaces, and on the disk with its name. */
UNIT_TEST(files_stay_private)
{
	static const mode_t modes[] = { 0600, 0640, 0604, 0400 };
	char dir[] = "/tmp/test_export.XXXXXX", path[64], cwd[PATH_MAX];
	struct stat st;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	memset(asked, 0, sizeof(asked));
	write_out(path);
	assert_string_equal(asked, "frd");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		if (!geteuid())
			assert_int_equal(chown(path, 1234, 2345), 0);
		write_out(path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		assert_int_equal(st.st_uid, geteuid() ? geteuid() : 1234);
		assert_int_equal(st.st_gid, geteuid() ? getegid() : 2345);
	}
	/* Without a directory in its name, too. */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(dir) | unlink("out"), 0);
	write_out("out");
	assert_int_equal(unlink("out") | chdir(cwd), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Where standard output is a terminal that does not take UTF-8, it gets none. */
UNIT_TEST(a_terminal_gets_ascii)
{
	static const char want[] = "a\\xc3\\xa9\\xc2\\x9bz";
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), saved = dup(STDOUT_FILENO), slave;
	struct out_file out;
	char got[64];
	ssize_t n;

	assert_int_equal(grantpt(terminal) | unlockpt(terminal), 0);
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	setenv("LC_ALL", "C", 1);
	fflush(stdout);
	dup2(slave, STDOUT_FILENO);
	assert_int_equal(out_file_open(&out, NULL), STATUS_OK);
	fputs("a\u00e9\xc2\x9bz", out.stream);
	assert_int_equal(out_file_close(&out, true), STATUS_OK);
	dup2(saved, STDOUT_FILENO);
	unsetenv("LC_ALL");
	n = read(terminal, got, sizeof(got) - 1);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, strlen(want));
	close(slave);
	close(terminal);
	close(saved);
}

/* One snapshot with one session, and a call that it does not know the session of. */
static struct snap_session row = { .serial = 3, .id = 9, .comm = "=1+1, \"x\"" };
static struct snapshot snap = { .seq = 1,
				.mono_ns = 5000,
				.real_ns = 1000000000000005000,
				.nr_sessions = 1,
				.sessions = &row };
static const struct call_record records[] = {
	{ .start_ns = 2000,
	  .wait_ns = 100,
	  .hold_ns = 900,
	  .secure_ns = 600,
	  .serial = 3,
	  .op = CMD_INVOKE,
	  .func = 7,
	  .argument_ns = 800,
	  .flags = RECORD_WAITED | RECORD_ARGUMENT },
	{ .start_ns = 3100,
	  .argument_ns = 50,
	  .serial = 3,
	  .op = CMD_INVOKE,
	  .flags = RECORD_ARGUMENT | RECORD_RELEASE },
	{ .start_ns = 1000, .hold_ns = 500, .serial = 4, .op = CMD_CLOSE, .class = CLASS_SYSTEM },
};
static int given;

static const struct snapshot *next(void *ctx)
{
	(void)ctx;
	errno = 0;
	return given++ ? NULL : &snap;
}

static u32 calls(void *ctx, const struct call_record **found)
{
	(void)ctx;
	*found = records;
	return given++ == 1 ? 3 : 0;
}

static enum status status;
static u64 since_ns;
static const char *match;

static char *run_with(const char *format, const char *what, bool strict)
{
	static const struct host host = { .reserved = -1, .mono_ns = 1500 };
	const struct source source = { .host = &host, .next = next, .calls = calls };
	const struct opts o = { .format = format,
				.what = what,
				.strict = strict,
				.since_ns = since_ns,
				.match = match };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	given = 0;
	status = export_run(&o, export_format(&o), &source, out);
	fclose(out);
	return text;
}

static char *run(const char *format, const char *what)
{
	char *text = run_with(format, what, false);

	assert_int_equal(status, STATUS_OK);
	return text;
}

/* It is said and, when it is asked for, is the exit status; the file is the same. */
UNIT_TEST(losses)
{
	char *text = run("csv", NULL), *other;

	snap.losses.count[LOSS_CALL_RECORD] = 2;
	other = run_with("csv", NULL, true);
	assert_int_equal(status, STATUS_INCOMPLETE);
	assert_string_equal(text, other);
	free(other);
	free(run("csv", NULL));
	snap.losses.count[LOSS_CALL_RECORD] = 0;
	free(text);
}

#define CALL_HEAD                                                                                  \
	"ts,mono_ns,start_ns,argument_ns,wait_ns,limit_wait_ns,hold_ns,secure_ns,rpc_ns,tee,"      \
	"serial,session,ta,client,tid,pid,cmd,func,class,result,waited,nested,late\r\n"

UNIT_TEST(csv)
{
	static const char want[] = CALL_HEAD
		"2001-09-09T01:46:40.000001Z,1500,1000,0,0,0,500,0,500,0,4,,,,0,0,close,"
		",system,0,false,false,false\r\n"
		"2001-09-09T01:46:40.000003Z,3000,2000,800,100,0,900,600,300,0,3,9,,"
		"\"'=1+1, \"\"x\"\"\",0,0,invoke,7,normal,0,true,false,false\r\n";
	char *text = run("csv", NULL);

	assert_string_equal(text, want);
	free(text);
}

/* What was waited after a call is no call. */
UNIT_TEST(csv_of_releases)
{
	static const char want[] = CALL_HEAD
		"2001-09-09T01:46:40.000003Z,3150,3100,50,0,0,0,0,0,0,3,9,,"
		"\"'=1+1, \"\"x\"\"\",0,0,invoke,0,normal,0,false,false,false\r\n";
	char *text = run_with("csv", "releases", false);

	assert_string_equal(text, want);
	free(text);
}

/* -p takes a name as it is shown and as it was. */
UNIT_TEST(names)
{
	static const struct {
		const char *comm, *match;
		size_t calls;
	} cases[] = {
		{ "a\\x5cb", "a\\b", 1 },
		{ "a\\x5cb", "x5c", 1 },
		{ "caf\\xc3\\xa9", "caf\u00e9", 1 }, /* of an old recording */
		{ "caf\u00e9", "cafe", 0 },
	};
	const struct snap_session as_it_was = row;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;

		snprintf(row.comm, sizeof(row.comm), "%s", cases[i].comm);
		match = cases[i].match;
		text = run("jsonl", NULL);
		assert_int_equal(!!strstr(text, "\"type\":\"call\""), cases[i].calls);
		free(text);
	}
	match = NULL;
	row = as_it_was;
}

/* A call counts by its end, a snapshot by when it was taken. */
static void since(void)
{
	static const struct {
		u64 ns;
		size_t calls, snapshots;
	} cases[] = { { 1500, 2, 1 }, { 1501, 1, 1 }, { 3001, 0, 1 }, { 5001, 0, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t calls = 0, snapshots = 0;
		char *text, *at;

		since_ns = 1000000000000000000 + cases[i].ns;
		text = run("jsonl", NULL);
		for (at = text; (at = strstr(at, "\"type\":\"")); at++) {
			calls += !strncmp(at, "\"type\":\"call", 12);
			snapshots += !strncmp(at, "\"type\":\"snap", 12);
		}
		assert_int_equal(calls, cases[i].calls);
		assert_int_equal(snapshots, cases[i].snapshots);
		free(text);
	}
	since_ns = 0;
}

UNIT_TEST(jsonl)
{
	char *text = run("jsonl", NULL), *rest = text, *line;
	static const char *const types[] = { "host", "call", "call", "release", "snapshot" };
	json_t *lines[5];

	for (int i = 0; i < 5; i++) {
		line = strsep(&rest, "\n");
		lines[i] = json_loads(line, 0, NULL);
		assert_non_null(lines[i]);
		assert_string_equal(json_string_value(json_object_get(lines[i], "type")), types[i]);
	}
	assert_string_equal(rest, "");
	assert_true(json_is_null(json_object_get(lines[1], "client")));
	assert_true(json_is_null(json_object_get(lines[1], "func")));
	assert_true(json_is_null(json_object_get(lines[0], "reserved")));
	assert_int_equal(json_integer_value(json_object_get(lines[2], "func")), 7);
	assert_string_equal(json_string_value(json_object_get(lines[2], "client")), row.comm);
	assert_null(json_object_get(lines[4], "events"));
	for (int i = 0; i < 5; i++)
		json_decref(lines[i]);
	free(text);
	since();
}
