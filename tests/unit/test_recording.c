// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings: what a recorder wrote is what a reader gets, member by member, and of
 * a file that was cut off or spoiled all that is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include "record/schema_call.h"
#include "unit.h"
#include "record/block.h"
#include "model/hist.h"
#include "source/recorder.h"
#include "source/recording.h"
#include "fixtures/recording_made.h"
#include "record/schema.h"

static const char file[] = "build/unit/recording.tmp", spoiled[] = "build/unit/spoiled.tmp";

/* A source of these, as the running kernel is one: half of the events are found by looks. */
struct script {
	int next;    /* snapshot */
	bool looked; /* since the last one */
	bool called;
};

static const struct snapshot *script_next(void *ctx)
{
	struct script *script = ctx;

	errno = 0;
	script->looked = false;
	return script->next < SNAPSHOTS ? &given[script->next++].snap : NULL;
}

static u32 script_look(void *ctx, const struct event **events)
{
	struct script *script = ctx;

	if (script->looked || script->next == SNAPSHOTS)
		return 0;
	script->looked = true;
	script->called = false;
	*events = given[script->next].events;
	return EVENTS / 2;
}

static u32 script_calls(void *ctx, const struct call_record **calls)
{
	struct script *script = ctx;

	if (script->called || script->next == SNAPSHOTS)
		return 0;
	script->called = true;
	*calls = given[script->next].records;
	return CALL_RECORDS;
}

static void record_all(bool compress)
{
	struct script script = {};
	struct source source = {
		.ctx = &script,
		.host = &host,
		.next = script_next,
		.look = script_look,
		.calls = script_calls,
	};
	struct recorder *recorder;
	const struct event *events;

	make_all();
	unlink(file);
	assert_int_equal(recorder_open(&recorder, file, compress), STATUS_OK);
	source = recorder_source(recorder, &source);
	for (int i = 0; i < SNAPSHOTS; i++) {
		source.look(source.ctx, &events);
		assert_ptr_equal(source.next(source.ctx), &given[i].snap);
	}
	assert_null(source.next(source.ctx));
	assert_int_equal(recorder_close(recorder), STATUS_OK);
}

static void same_hist(const struct hist64 *a, const struct hist64 *b)
{
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(hist_at(a, i), hist_at(b, i));
}

static void same_session(const struct snap_session *a, const struct snap_session *b)
{
	const struct hist64 *const left[] = { a->wait, a->hold, a->secure };
	const struct hist64 *const right[] = { b->wait, b->hold, b->secure };
	struct snap_session x = *a, y = *b;

	x.wait = x.hold = x.secure = y.wait = y.hold = y.secure = NULL;
	y.ta = NULL;
	y.changed = x.changed;
	assert_memory_equal(&x, &y, sizeof(x));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(!left[i], !right[i]);
		if (left[i])
			same_hist(left[i], right[i]);
	}
}

static void same_snapshot(const struct given *g, const struct snapshot *s)
{
	assert_non_null(s);
	assert_int_equal(s->seq, g->snap.seq);
	assert_int_equal(s->mono_ns, g->snap.mono_ns);
	assert_int_equal(s->real_ns, g->snap.real_ns);
	assert_int_equal(s->interval_ns, g->snap.interval_ns);
	assert_int_equal(s->nr_pools, g->snap.nr_pools);
	assert_memory_equal(s->pools, g->snap.pools, sizeof(s->pools));
	assert_int_equal(s->nr_sessions, SESSIONS);
	for (int i = 0; i < SESSIONS; i++)
		same_session(&g->sessions[i], &s->sessions[i]);
	assert_int_equal(s->nr_calls, CALLS);
	assert_memory_equal(s->calls, g->calls, sizeof(g->calls));
	assert_memory_equal(&s->losses, &g->snap.losses, sizeof(s->losses));
	assert_int_equal(s->nr_cpus, g->snap.nr_cpus);
	assert_int_equal(s->nr_tas, TAS);
	assert_memory_equal(s->tas, g->tas, sizeof(g->tas));
	assert_memory_equal(s->records, g->snap.records, sizeof(s->records));
}

static void same_calls(const struct source *source, const struct given *g)
{
	const struct call_record *calls;
	u32 n = 0, more;

	while ((more = source->calls(source->ctx, &calls)) > 0) {
		assert_true(n + more <= CALL_RECORDS);
		assert_memory_equal(calls, g->records + n, more * sizeof(*calls));
		n += more;
	}
	assert_int_equal(n, CALL_RECORDS);
}

static void read_all(bool compress)
{
	struct recording *r;
	struct source source;
	const struct event *events;

	record_all(compress);
	assert_int_equal(recording_open(&r, file), STATUS_OK);
	source = recording_source(r);
	assert_false(recording_damaged(r));
	assert_int_equal(recording_snapshots(r), SNAPSHOTS);
	assert_memory_equal(source.host, &host, sizeof(host));
	for (int i = 0; i < SNAPSHOTS; i++) {
		const struct snapshot *s = source.next(source.ctx);

		same_snapshot(&given[i], s);
		assert_int_equal(s->nr_events, i == 1 ? 2 * EVENTS : EVENTS);
		assert_memory_equal(s->events + (i == 1 ? EVENTS : 0), given[i].events,
				    sizeof(given[i].events));
		same_calls(&source, &given[i]);
	}
	assert_null(source.next(source.ctx));
	assert_int_equal(errno, 0);
	assert_int_equal(source.look(source.ctx, &events), LOOK_ENDED);
	recording_seek(r, 3);
	same_snapshot(&given[3], source.next(source.ctx));
	same_calls(&source, &given[3]);
	recording_close(r);
}

UNIT_TEST(what_was_written_is_read)
{
	for (seed = 1; seed < 40; seed += 3) {
		u64 kept = seed;

		read_all(false);
		seed = kept;
		read_all(true);
		seed = kept;
	}
}

UNIT_TEST(looks_have_the_events)
{
	struct recording *r;
	struct source source;
	const struct event *events;
	u32 n, seen = 0;

	record_all(false);
	assert_int_equal(recording_open(&r, file), STATUS_OK);
	source = recording_source(r);
	while ((n = source.look(source.ctx, &events)) != LOOK_ENDED) {
		if (!n) {
			source.next(source.ctx);
			continue;
		}
		assert_memory_equal(events, given[seen / EVENTS].events + seen % EVENTS,
				    n * sizeof(*events));
		seen += n;
	}
	assert_int_equal(seen, SNAPSHOTS * EVENTS);
	recording_close(r);
}

/* A call of less than an hour, whatever else it has, takes at most 64 bytes. */
UNIT_TEST(calls_are_small)
{
	const u64 hour = 3600ULL * 1000000000;
	struct call_record before = {}, call = {
		.start_ns = 40 * hour, /* the first of a block, 40 h after boot */
		.wait_ns = hour,
		.limit_ns = hour,
		.hold_ns = hour,
		.serial = ~0U,
		.tid = ~0U >> 1,
		.func = ~0U,
		.result = 0xffff0000,
		.op = CMD_OTHER,
		.class = CLASS_SYSTEM,
		.pool = MAX_POOLS - 1,
		.flags = 0xff,
	};
	struct codec c = codec_writer();

	put_call(&c, &call, &before);
	assert_true(c.at <= 64);
	free(c.buf);
}

/* Bad files. */

static u8 *load(size_t *size)
{
	FILE *f = fopen(file, "rb");
	u8 *data;
	long n;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	assert_true(n > 0);
	rewind(f);
	data = malloc((size_t)n);
	assert_int_equal(fread(data, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	*size = (size_t)n;
	return data;
}

static void save(const u8 *data, size_t size)
{
	FILE *f = fopen(spoiled, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

/* How many snapshots are whole in the spoiled file; -1: it cannot be read. */
static int snapshots_of(bool *damaged)
{
	struct recording *r;
	struct source source;
	const struct call_record *calls;
	const struct snapshot *s;
	int n = 0;

	if (recording_open(&r, spoiled) != STATUS_OK)
		return -1;
	source = recording_source(r);
	while ((s = source.next(source.ctx))) {
		assert_true(s->seq >= 1 && s->seq <= SNAPSHOTS);
		same_snapshot(&given[s->seq - 1], s);
		while (source.calls(source.ctx, &calls))
			;
		n++;
	}
	*damaged = recording_damaged(r);
	recording_close(r);
	return n;
}

/* Silent: each spoiled file is complained of. */
static int quiet(void)
{
	int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	close(null);
	return kept;
}

static void loud(int kept)
{
	dup2(kept, STDERR_FILENO);
	close(kept);
}

UNIT_TEST(cut_off_anywhere)
{
	size_t size, first;
	struct block b;
	bool damaged;
	u8 *data;
	int kept;

	seed = 7;
	record_all(false);
	data = load(&size);
	kept = quiet();
	assert_int_equal(block_parse(data, size, &b), 1);
	first = b.end;
	for (size_t n = 0; n < size; n += 1 + size / 997) {
		int whole = 0;

		for (size_t at = 0; at < n && block_parse(data + at, n - at, &b) > 0; at += b.end)
			whole += b.type == BLOCK_SNAPSHOT;
		save(data, n);
		assert_int_equal(snapshots_of(&damaged), n < first ? -1 : whole);
		assert_true(n < first || damaged);
	}
	loud(kept);
	free(data);
}

UNIT_TEST(one_bit_costs_one_block)
{
	bool damaged;
	size_t size;
	u8 *data;
	int kept;

	seed = 8;
	record_all(false);
	data = load(&size);
	kept = quiet();
	for (size_t at = 0; at < size; at += 1 + size / 499) {
		data[at] ^= (u8)(1 << (at & 7));
		save(data, size);
		assert_true(snapshots_of(&damaged) >= SNAPSHOTS - 1);
		assert_true(damaged);
		data[at] ^= (u8)(1 << (at & 7));
	}
	loud(kept);
	free(data);
}

static enum status opens(const void *data, size_t size)
{
	struct recording *r;
	enum status status;
	int kept = quiet();

	save(data, size);
	status = recording_open(&r, spoiled);
	if (status == STATUS_OK)
		recording_close(r);
	loud(kept);
	return status;
}

/* A file of one block, with a schema of its own. */
static enum status opens_schema(u16 schema)
{
	struct packer *p = packer_new();
	size_t n;
	u8 *block = (u8 *)packer_pack(p, schema, BLOCK_HOST, "", 0, false, &n);
	enum status status = opens(block, n);

	packer_free(p);
	return status;
}

/* A writer that goes on for as long as there is a reader. */
static void refuses_endless_pipe(void)
{
	enum { MOST = 256 << 20 };
	static const char zeros[64 << 10];
	struct recording *r;
	char path[32];
	int ends[2], how;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		signal(SIGPIPE, SIG_DFL);
		for (size_t done = 0; done < MOST; done += sizeof(zeros))
			if (write(ends[1], zeros, sizeof(zeros)) < 0)
				_exit(1);
		_exit(0); /* all of it was read */
	}
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(recording_open(&r, path), STATUS_FAILURE);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGPIPE);
}

UNIT_TEST(strange_files)
{
	static const char text[] = "{\"schema\":\"optee-top/1\"}\n";

	assert_int_equal(opens("", 0), STATUS_FAILURE);
	assert_int_equal(opens(text, sizeof(text)), STATUS_FAILURE);
	assert_int_equal(opens_schema(SCHEMA), STATUS_OK);
	assert_int_equal(opens_schema(SCHEMA + 1), STATUS_FAILURE);
	assert_int_equal(opens_schema(SCHEMA_OLDEST - 1), STATUS_FAILURE);
	refuses_endless_pipe();
}

/* Files that others change, or that are made to be read for ever. */

/* Reads what the file still has; snapshots that were read. */
static int read_rest(struct recording *r)
{
	struct source source = recording_source(r);
	const struct call_record *calls;
	const struct event *events;
	int n = 0;

	while (source.next(source.ctx)) {
		while (source.calls(source.ctx, &calls))
			;
		n++;
	}
	source.look(source.ctx, &events);
	recording_seek(r, 0);
	source.next(source.ctx);
	return n;
}

/* Cut off, or overwritten, after it was opened and half of it was read. */
UNIT_TEST(changed_while_it_is_read)
{
	seed = 9;
	for (int cut = 0; cut < 2; cut++) {
		struct recording *r;
		struct source source;
		size_t size;
		u8 *data;
		int kept, fd;

		record_all(false);
		data = load(&size);
		save(data, size);
		assert_int_equal(recording_open(&r, spoiled), STATUS_OK);
		source = recording_source(r);
		for (int i = 0; i < SNAPSHOTS / 2; i++)
			same_snapshot(&given[i], source.next(source.ctx));
		fd = open(spoiled, O_WRONLY | O_CLOEXEC);
		memset(data, 'x', size);
		if (cut)
			assert_int_equal(ftruncate(fd, 100), 0);
		else
			assert_int_equal(pwrite(fd, data, size, 0), size);
		close(fd);
		kept = quiet();
		assert_int_equal(read_rest(r), 0);
		assert_true(recording_damaged(r));
		assert_int_equal(recording_strict(r), STATUS_INCOMPLETE);
		recording_close(r);
		loud(kept);
		free(data);
	}
}

/* What a recorder still writes is read up to where it was when the file was opened. */
UNIT_TEST(a_file_that_grows)
{
	struct recording *r;
	size_t size;
	u8 *data;
	int fd;

	record_all(false);
	data = load(&size);
	save(data, size);
	assert_int_equal(recording_open(&r, spoiled), STATUS_OK);
	fd = open(spoiled, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
	assert_int_equal(read_rest(r), SNAPSHOTS);
	assert_false(recording_damaged(r));
	recording_close(r);
	free(data);
}

/* Something else behind the end is damage like any other. */
UNIT_TEST(something_behind_the_end)
{
	struct recording *r;
	size_t size;
	u8 *data;
	int kept;

	record_all(false);
	data = load(&size);
	data = realloc(data, size + 3);
	memcpy(data + size, "end", 3);
	save(data, size + 3);
	kept = quiet();
	assert_int_equal(recording_open(&r, spoiled), STATUS_OK);
	assert_int_equal(read_rest(r), SNAPSHOTS);
	assert_true(recording_damaged(r));
	assert_int_equal(recording_strict(r), STATUS_INCOMPLETE);
	recording_close(r);
	loud(kept);
	free(data);
}

static u64 cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

#define LIES (1 << 20) /* bytes of heads that are none */

/*
 * Each claims all that is behind it: checked one by one they take as long as the CRC of the
 * whole file does 26,000 times. Allowed is 2,000 times that.
 */
UNIT_TEST(heads_that_lie)
{
	u8 *data = calloc(1, LIES);
	u64 crc_ns, ns;

	for (u32 at = 0; at + BLOCK_HEAD <= LIES; at += BLOCK_HEAD) {
		u32 rest = LIES - at - BLOCK_HEAD;

		memcpy(data + at, block_sync, sizeof(block_sync));
		data[at + 4] = BLOCK_SNAPSHOT;
		data[at + 6] = SCHEMA;
		for (int i = 0; i < 4; i++)
			data[at + 8 + i] = data[at + 12 + i] = (u8)(rest >> (8 * i));
	}
	crc_ns = cpu_ns();
	for (int i = 0; i < 20; i++)
		data[16] ^= (u8)crc32(0, data, LIES);
	crc_ns = cpu_ns() - crc_ns;
	ns = cpu_ns();
	assert_int_equal(opens(data, LIES), STATUS_FAILURE);
	assert_true(cpu_ns() - ns < 100 * crc_ns);
	free(data);
}

/* What can be inflated to far more than it is costs its block, and no recorder makes that. */
UNIT_TEST(bombs)
{
	static const enum block_type types[] = { BLOCK_CALLS, BLOCK_EVENTS, BLOCK_SNAPSHOT };
	const size_t zeros = 1 << 20;
	u8 *data = calloc(1, zeros);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct packer *p = packer_new();
		uLongf stored = 1 << 16;
		struct block b = {
			.type = types[i], .schema = SCHEMA, .deflated = true, .size = (u32)zeros
		};
		u8 *small = malloc(stored);
		size_t n;

		assert_int_equal(compress(small, &stored, data, zeros), Z_OK);
		b.data = small;
		b.stored = (u32)stored;
		assert_null(block_content(&b));
		free(small);
		assert_int_equal(block_parse(packer_pack(p, SCHEMA, types[i], data, zeros, true,
							 &n),
					     BLOCK_HEAD + zeros, &b),
				 1);
		small = block_content(&b);
		assert_non_null(small);
		assert_true(b.size <= BLOCK_INFLATES * n);
		free(small);
		packer_free(p);
	}
	free(data);
}

static void count_event(void *arg, const struct event *e)
{
	u32 *n = arg;

	assert_memory_equal(e, &given[*n / EVENTS].events[*n % EVENTS], sizeof(*e));
	++*n;
}

/* Those that a view has to know of that goes to a snapshot. */
UNIT_TEST(events_before_a_snapshot)
{
	struct recording *r;

	seed = 11;
	record_all(false);
	assert_int_equal(recording_open(&r, file), STATUS_OK);
	for (u32 to = 0; to < SNAPSHOTS; to++) {
		u32 n = 0;

		recording_events(r, to, count_event, &n);
		assert_int_equal(n, to * EVENTS);
	}
	recording_close(r);
}
