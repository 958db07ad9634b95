// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the daemon sends: snapshots told as changes are, at the reader's end, byte for byte
 * what they were; merged ones have what all of them had; and a client's pace is its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "unit.h"
#include "record/decoder.h"
#include "render/json.h"
#include "daemon/history_writer.h"
#include "model/class_sums.h"
#include "model/hist.h"
#include "base/listener.h"
#include "base/loop.h"
#include "source/snapshot_merge.h"
#include "daemon/daemon_server.h"
#include "source/source.h"

#define SLOTS  40
#define FRAMES 400
#define SECOND 1000000000ULL

static const char path[] = "build/unit/history_writer.sock";

static const struct host host = { .version = "v1", .boot_id = "0", .mono_ns = 5, .reserved = -1 };

static u64 seed = 1;

static u32 any(u32 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 20) % n;
}

/* A made queue: sessions come, call, end, and some are given away unseen. */
static struct {
	struct snapshot snap;
	struct snap_session rows[SLOTS];
	session_hists hists[SLOTS];
	struct snap_session shown[SLOTS + 1];
	struct snap_ta tas[3];
	struct snap_call calls[4];
	u64 serial;
	u64 ended, made_calls; /* sessions that were shown as closed; calls in all */
} made;

static void make_call(u32 slot, struct snap_session *row)
{
	u64 ns = 1ULL << any(30);
	struct snap_ta *ta = &made.tas[slot % 3];
	struct hist64 *h = made.hists[slot];

	row->sums[0].calls++;
	row->sums_iv.calls++;
	row->sums[0].wait_ns += ns;
	row->sums_iv.wait_ns += ns;
	ta->sums.calls++;
	ta->changed = true;
	for (int i = 0; i < 3; i++)
		assert_true(hist_add(&h[i], hist_bucket(ns), 1));
	row->wait = &h[0];
	row->hold = &h[1];
	row->secure = &h[2];
	row->wait_iv.calls++;
	row->changed = true;
	made.made_calls++;
	made.snap.pools[0].sums[0].calls++;
	made.snap.pools[0].sums_iv[0].calls++;
}

static void forget(u32 slot)
{
	for (int i = 0; i < 3; i++)
		hist_clear(&made.hists[slot][i]);
	memset(&made.rows[slot], 0, sizeof(made.rows[slot]));
}

static void open_session(u32 slot)
{
	made.rows[slot] = (struct snap_session){
		.serial = ++made.serial, .slot = slot * 3 + 1, .open = true, .changed = true
	};
	snprintf(made.rows[slot].comm, sizeof(made.rows[slot].comm), "client-%u", slot);
}

static void step_session(u32 slot)
{
	struct snap_session *row = &made.rows[slot];

	row->changed = false;
	row->sums_iv = (struct class_sums){};
	row->wait_iv = (struct spread){};
	if (row->serial && !row->open)
		forget(slot); /* its end was shown */
	if (!row->serial) {
		if (!any(6))
			open_session(slot);
		return;
	}
	if (!any(40)) {
		forget(slot); /* given away, its end unseen */
		return;
	}
	for (u32 n = any(4) ? 0 : any(5); n; n--)
		make_call(slot, row);
	if (!any(20)) {
		row->open = false;
		row->changed = true;
		made.ended++;
	}
}

static const struct snapshot *step(void)
{
	struct snapshot *s = &made.snap;

	s->seq++;
	s->mono_ns += SECOND;
	s->real_ns = s->mono_ns + 7;
	s->interval_ns = s->seq > 1 ? SECOND : 0;
	s->nr_pools = 1;
	s->pools[0].total = 2;
	s->pools[0].sums_iv[0] = (struct class_sums){};
	for (u32 i = 0; i < 3; i++)
		made.tas[i].changed = s->seq == 1;
	s->nr_sessions = 0;
	s->sessions = made.shown;
	for (u32 slot = 0; slot < SLOTS; slot++) {
		step_session(slot);
		if (made.rows[slot].serial)
			made.shown[s->nr_sessions++] = made.rows[slot];
	}
	s->nr_tas = 3;
	s->tas = made.tas;
	s->nr_calls = any(4);
	s->calls = made.calls;
	for (u32 i = 0; i < s->nr_calls; i++)
		made.calls[i] = (struct snap_call){ .tid = any(100), .session = -1 };
	s->nr_cpus = 2;
	return s;
}

static void start(void)
{
	for (u32 slot = 0; slot < SLOTS; slot++)
		forget(slot);
	memset(&made.snap, 0, sizeof(made.snap));
	memset(made.tas, 0, sizeof(made.tas));
	made.serial = made.ended = made.made_calls = 0;
}

static struct codec bytes_of(const struct snapshot *s)
{
	struct codec c = schema_writer();

	code_snapshot(&c, (struct snapshot *)s, NULL);
	assert_false(c.failed);
	return c;
}

static void same(const struct snapshot *a, const struct snapshot *b)
{
	struct codec x = bytes_of(a), y = bytes_of(b);

	assert_int_equal(x.at, y.at);
	assert_memory_equal(x.buf, y.buf, x.at);
	free(x.buf);
	free(y.buf);
}

/* The block at a place, in one piece; free(). */
static u8 *copy_block(const struct history *h, u64 at, struct block *b)
{
	enum block_type type;
	size_t n = history_block(h, at, &type);
	struct iovec pieces[2];
	u8 *data = malloc(n);

	history_bytes(h, at, n, pieces);
	memcpy(data, pieces[0].iov_base, pieces[0].iov_len);
	memcpy(data + pieces[0].iov_len, pieces[1].iov_base, n - pieces[0].iov_len);
	assert_int_equal(block_parse(data, n, b), 1);
	assert_int_equal(block_parse(data, n - 1, b), 0);
	assert_int_equal(block_parse(data, n, b), 1);
	assert_int_equal(b->type, type);
	return data;
}

/* Takes what has come since a place, which moves on; counts the blocks by their types. */
static void read_on(const struct history *h, u64 *at, struct decoder *d, u32 blocks[NR_BLOCK_TYPES])
{
	struct block b;

	assert_true(history_has(h, *at));
	for (; *at < history_end(h); *at += b.end) {
		u8 *data = copy_block(h, *at, &b);
		struct host got;

		if (b.type == BLOCK_HOST)
			assert_true(decode_host(&b, &got));
		else
			assert_true(decode_snapshot(d, &b));
		blocks[b.type]++;
		free(data);
	}
}

UNIT_TEST(changes_make_the_same_snapshot)
{
	struct history *h = history_new(64 << 10);
	u32 blocks[NR_BLOCK_TYPES] = {}, wholes;
	struct decoder d;
	struct history_writer writer;
	u64 at = 0;

	start();
	assert_int_equal(history_writer_init(&writer, h, &host), 0);
	assert_int_equal(decoder_init(&d), 0);
	for (int n = 0; n < FRAMES; n++) {
		const struct snapshot *s = step();

		history_writer_snapshot(&writer, s);
		read_on(h, &at, &d, blocks);
		same(s, &d.snap);
	}
	wholes = blocks[BLOCK_SNAPSHOT];
	assert_int_equal(wholes + blocks[BLOCK_CHANGES], FRAMES);
	/* Once a minute, and when a quarter of the room was used since. */
	assert_in_range(wholes, FRAMES / 60, FRAMES / 60 + 1 + 4 * at / (64 << 10));
	assert_true(history_size(h) <= 64 << 10);
	decoder_release(&d);
	history_writer_release(&writer);
	history_free(h);
}

/* More happens than there is room for: who has read it all goes on, and others can begin. */
UNIT_TEST(too_much_for_the_history)
{
	struct history *h = history_new(4 << 10);
	u32 blocks[NR_BLOCK_TYPES] = {};
	struct decoder d;
	struct history_writer writer;
	u64 at = 0;

	start();
	assert_int_equal(history_writer_init(&writer, h, &host), 0);
	assert_int_equal(decoder_init(&d), 0);
	for (int n = 0; n < FRAMES; n++) {
		const struct snapshot *s = step();

		history_writer_snapshot(&writer, s);
		read_on(h, &at, &d, blocks);
		assert_int_equal(at, history_end(h));
		same(s, &d.snap);
	}
	assert_int_equal(blocks[BLOCK_SNAPSHOT] + blocks[BLOCK_CHANGES], FRAMES);
	decoder_release(&d);
	history_writer_release(&writer);
	history_free(h);
}

/* Who is behind, but less than there is room for, misses nothing; and there is a past to begin in. */
UNIT_TEST(who_is_behind_is_not_cut)
{
	const u64 room = 64 << 10;
	struct history *h = history_new(room);
	struct history_writer writer;
	u64 at = 0;
	u32 rounds = 0;

	start();
	assert_int_equal(history_writer_init(&writer, h, &host), 0);
	while (history_end(h) < 10 * room) {
		u64 begin;

		history_writer_snapshot(&writer, step());
		begin = history_begin(h, 0);
		assert_true(history_has(h, at));
		while (history_end(h) - at > room / 2) {
			struct block b;

			free(copy_block(h, at, &b));
			at += b.end;
		}
		assert_true(begin < history_end(h));
		rounds += history_end(h) > room;
		if (history_end(h) > room)
			assert_true(history_end(h) - begin > room / 2);
	}
	assert_true(rounds > 100);
	history_writer_release(&writer);
	history_free(h);
}

/* Where a reader begins all is there, whenever it comes; and it is small enough. */
UNIT_TEST(who_comes_late_has_all)
{
	struct history *h = history_new(32 << 10);
	struct history_writer writer;

	start();
	assert_int_equal(history_begin(h, 0), history_end(h));
	assert_int_equal(history_writer_init(&writer, h, &host), 0);
	for (int n = 0; n < FRAMES; n++) {
		const struct snapshot *s = step();
		struct decoder d;
		struct block b;
		u64 at;

		history_writer_snapshot(&writer, s);
		at = history_begin(h, ~0ULL);
		assert_int_equal(decoder_init(&d), 0);
		for (bool first = true; at < history_end(h); first = false, at += b.end) {
			u8 *data = copy_block(h, at, &b);

			assert_int_equal(b.type == BLOCK_HOST, first);
			assert_true(first || decode_snapshot(&d, &b));
			free(data);
		}
		same(s, &d.snap);
		decoder_release(&d);
	}
	history_writer_release(&writer);
	history_clear(h);
	assert_int_equal(history_begin(h, 0), history_end(h));
	history_free(h);
}

static struct block block_of(const struct codec *c)
{
	return (struct block){ .type = BLOCK_SNAPSHOT,
			       .schema = SCHEMA,
			       .data = c->buf,
			       .stored = (u32)c->at,
			       .size = (u32)c->at };
}

/* As a recorder writes it down, where two rows may be of one slot, and a reader has it back. */
static void same_when_read(struct decoder *d, const struct snapshot *s)
{
	struct codec c = bytes_of(s);
	const struct block b = block_of(&c);

	assert_true(decode_snapshot(d, &b));
	same(s, &d->snap);
	free(c.buf);
}

/* Of an older optee-top that kept fewer sums the last are unknown; of a newer one none is guessed. */
UNIT_TEST(other_numbers_of_sums)
{
	const struct snapshot *s;
	struct snapshot fewer;
	struct decoder d;
	struct codec c;
	struct block b;

	start();
	do
		s = step();
	while (!s->nr_sessions || !s->sessions[0].sums[0].calls);
	fewer = *s;
	fewer.sums_unknown = NR_SUMS - 10; /* waited_late, as schema 3 had it */
	c = bytes_of(&fewer);
	b = block_of(&c);
	assert_int_equal(decoder_init(&d), 0);
	assert_true(decode_snapshot(&d, &b));
	same(&fewer, &d.snap);
	assert_int_equal(d.snap.sums_unknown, NR_SUMS - 10);
	assert_int_equal(d.snap.sessions[0].sums[0].calls, s->sessions[0].sums[0].calls);
	assert_int_equal(d.snap.sessions[0].sums[0].waited_late, 0);
	free(c.buf);
	fewer.sums_unknown++; /* nobody ever wrote so few */
	c = bytes_of(&fewer);
	b = block_of(&c);
	assert_false(decode_snapshot(&d, &b));
	free(c.buf);
	c = bytes_of(s);
	b = block_of(&c);
	assert_int_equal(c.buf[0], NR_SUMS);
	c.buf[0]++;
	assert_false(decode_snapshot(&d, &b));
	free(c.buf);
	decoder_release(&d);
}

/* A worker does not trust the ring that it finds: a length that leads out of it costs all. */
UNIT_TEST(another_worker_checks_it)
{
	struct history *h = history_new(32 << 10);
	struct iovec pieces[2];
	struct history_writer writer;
	u64 size;

	start();
	assert_int_equal(history_writer_init(&writer, h, &host), 0);
	for (int n = 0; n < FRAMES; n++)
		history_writer_snapshot(&writer, step());
	size = history_size(h);
	history_check(h);
	assert_int_equal(history_size(h), size);
	history_bytes(h, history_begin(h, ~0ULL), BLOCK_HEAD, pieces);
	memset((u8 *)pieces[0].iov_base + 8, 0xff, 1); /* its length */
	history_check(h);
	assert_int_equal(history_size(h), 0);
	assert_false(history_begins(h));
	history_writer_release(&writer);
	history_free(h);
}

/* However many are made one: nothing of what happened in them is missing, or there twice. */
UNIT_TEST(merged_ones_have_it_all)
{
	struct snapshot_merge m = {};
	u64 calls = 0, pool_calls = 0, ended = 0, before_first = 0, ns = 0;
	const struct snapshot *s = NULL;
	struct decoder d;

	start();
	assert_int_equal(decoder_init(&d), 0);
	for (int n = 0; n < FRAMES; n++) {
		const struct snapshot *given;

		if (s && any(3)) /* the one of before was not given */
			assert_true(snapshot_merge_pass(&m, s));
		else if (s) {
			given = snapshot_merge_give(&m, s);
			assert_non_null(given);
			same_when_read(&d, given);
			if (!before_first) {
				before_first = made.made_calls + 1;
				calls = pool_calls = made.made_calls;
				ended = made.ended;
				ns = given->mono_ns;
			} else {
				for (u32 i = 0; i < given->nr_sessions; i++) {
					const struct snap_session *row = &given->sessions[i];

					calls += row->sums_iv.calls;
					assert_int_equal(row->wait_iv.calls, row->sums_iv.calls);
					ended += !row->open;
				}
				pool_calls += given->pools[0].sums_iv[0].calls;
				assert_int_equal(pool_calls, made.made_calls);
				assert_int_equal(ended, made.ended);
				ns += given->interval_ns;
				assert_int_equal(ns, given->mono_ns);
			}
		}
		s = step();
	}
	assert_true(ended > 50);
	/* Those of sessions that were given away unseen are in no row. */
	assert_in_range(calls, made.made_calls / 2, made.made_calls);
	decoder_release(&d);
	snapshot_merge_release(&m);
}

/* Clients. */

static int client(const char *line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	return fd;
}

struct reader {
	int fd;
	u8 buf[1 << 20];
	size_t len;
	struct decoder d;
	u32 snapshots;
};

/* Takes what has come; false: it was cut off. */
static bool take(struct reader *r)
{
	ssize_t n = recv(r->fd, r->buf + r->len, sizeof(r->buf) - r->len, MSG_DONTWAIT);
	struct block b;
	size_t at = 0;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	r->len += (size_t)n;
	while (block_parse(r->buf + at, r->len - at, &b) > 0) {
		if (b.type == BLOCK_SNAPSHOT || b.type == BLOCK_CHANGES) {
			assert_true(decode_snapshot(&r->d, &b));
			r->snapshots++;
		}
		at += b.end;
	}
	memmove(r->buf, r->buf + at, r->len - at);
	r->len -= at;
	return true;
}

#define STUCK 900 /* say what they want and never read */
#define MUTE  100 /* say nothing */

UNIT_TEST(stuck_clients_hold_nobody_up)
{
	struct identity id = { geteuid(), getegid() };
	struct history *h = history_new(64 << 10);
	static struct reader reader;
	struct daemon_server_stats stats;
	struct listener listener;
	struct hello hello = { .version = "v1", .present = true };
	const struct daemon_server_limits any = { MAX_CLIENTS, MAX_CLIENTS, 0 };
	struct daemon_server *serve;
	struct history_writer writer;
	struct loop loop;
	int fds[STUCK + MUTE];
	u64 longest = 0;

	start();
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(listener_unix(&listener, path, &id), STATUS_OK);
	serve = daemon_server_new(&loop, listener.fd, h, &hello, &any);
	assert_non_null(serve);
	assert_int_equal(history_writer_init(&writer, h, &host), 0);
	for (int i = 0; i < STUCK + MUTE; i++) {
		fds[i] = client(i < STUCK ? "follow 0 1\n" : "");
		loop_turn(&loop, 0);
	}
	reader.fd = client("follow 18446744073709551615 0\n");
	assert_int_equal(decoder_init(&reader.d), 0);
	for (int n = 0; n < 5 * FRAMES; n++) {
		const struct snapshot *s = step();
		u64 began = clock_ns(CLOCK_PROCESS_CPUTIME_ID), ns;

		history_writer_snapshot(&writer, s);
		daemon_server_turn(serve, clock_now());
		for (int turns = 0; turns < 20; turns++)
			loop_turn(&loop, 0);
		ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
		longest = ns > longest ? ns : longest;
		assert_true(take(&reader));
		assert_int_equal(reader.snapshots, n + 1);
		same(s, &reader.d.snap);
	}
	daemon_server_stats(serve, &stats);
	assert_int_equal(stats.cut, STUCK);
	assert_int_equal(stats.accepted, STUCK + MUTE + 1);
	assert_int_equal(stats.clients, MUTE + 1);
	daemon_server_turn(serve, clock_now() + 11 * SECOND);
	daemon_server_stats(serve, &stats);
	assert_int_equal(stats.clients, 1);
	assert_int_equal(stats.rejected, MUTE);
	assert_false(daemon_server_wants_calls(serve));
	for (int i = 0; i < STUCK + MUTE; i++)
		close(fds[i]);
	close(reader.fd);
	decoder_release(&reader.d);
	daemon_server_free(serve);
	history_writer_release(&writer);
	listener_close(&listener);
	loop_release(&loop);
	history_free(h);
}

/* Of two daemons one gets the socket; what is no socket is not removed; a dead one's is. */
UNIT_TEST(the_way_of_the_socket)
{
	struct identity id = { geteuid(), getegid() };
	struct listener first, second;
	int kept = dup(STDERR_FILENO);
	FILE *f;

	assert_non_null(freopen("/dev/null", "w", stderr));
	assert_int_equal(listener_unix(&first, path, &id), STATUS_OK);
	assert_int_equal(listener_unix(&second, path, &id), STATUS_FAILURE);
	assert_int_equal(access(path, F_OK), 0);
	close(first.fd); /* as if it was killed */
	close(first.lock);
	assert_int_equal(listener_unix(&second, path, &id), STATUS_OK);
	listener_close(&second);
	assert_int_not_equal(access(path, F_OK), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(listener_unix(&first, path, &id), STATUS_FAILURE);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(listener_open(&first, "127.0.0.1:0", &id), STATUS_USAGE);
	assert_int_equal(listener_open(&first, "host:80", &id), STATUS_USAGE);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
}

/* As it is read from a recording of a schema. */
static struct event recorded(struct event e, u16 schema)
{
	struct codec to = schema_writer(), from;
	struct event found = {};

	to.schema = schema;
	code_event(&to, &e);
	assert_false(to.failed);
	from = codec_reader(to.buf, to.at);
	from.schema = schema;
	code_event(&from, &found);
	assert_false(from.failed);
	free(to.buf);
	return found;
}

static void check_bounds(u16 schema, json_type of_late, json_type of_other)
{
	const struct event e = recorded(
		(struct event){ .nr_parties = 2,
				.parties = { { .late = true, .since_at_least = true }, {} } },
		schema);
	json_t *line = event_line_json(&host, &e, 1), *who = json_object_get(line, "who");
	const json_t *late = json_object_get(json_array_get(who, 0), "since_at_least"),
		     *other = json_object_get(json_array_get(who, 1), "since_at_least");

	assert_int_equal(json_typeof(late), of_late);
	assert_int_equal(json_typeof(other), of_other);
	json_decref(line);
}

/* Up to schema 3 a recording does not tell of a call from before the attach whether its time is one. */
UNIT_TEST(lower_bounds_may_be_unknown)
{
	check_bounds(SCHEMA, JSON_TRUE, JSON_FALSE);
	check_bounds(4, JSON_TRUE, JSON_FALSE);
	check_bounds(3, JSON_NULL, JSON_FALSE);
	check_bounds(1, JSON_NULL, JSON_FALSE);
}
