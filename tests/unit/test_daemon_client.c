// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon's clients, whose daemon is not trusted: whatever it sends costs the connection,
 * at most, and neither memory nor the way out.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "record/schema_call.h"
#include "unit.h"
#include "record/decoder.h"
#include "render/json.h"
#include "fixtures/recording_made.h"
#include "fixtures/capture.h"
#include "base/stop.h"
#include "source/daemon_client.h"

#define SECOND 1000000000ULL

/* The daemon's end. */

/* False: the client has gone. */
static bool send_block(int fd, enum block_type type, struct codec *c, bool deflate)
{
	struct packer *p = packer_new();
	size_t n, at = 0;
	const u8 *data = packer_pack(p, SCHEMA, type, c->buf, c->at, deflate, &n);

	assert_non_null(data);
	while (at < n) {
		ssize_t sent = send(fd, data + at, n - at, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		at += (size_t)sent;
	}
	packer_free(p);
	free(c->buf);
	return at == n;
}

static void send_absent(int fd)
{
	struct hello hello = { .version = "a", .mono_ns = 1, .starved_ns = SECOND };
	struct codec c = schema_writer();

	code_hello(&c, &hello);
	send_block(fd, BLOCK_HELLO, &c, false);
}

static void send_hello(int fd, bool deflate)
{
	struct hello hello = { .version = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			       .present = true,
			       .mono_ns = 1,
			       .starved_ns = SECOND };
	struct codec c = schema_writer();

	code_hello(&c, &hello);
	send_block(fd, BLOCK_HELLO, &c, deflate);
}

static void send_host(int fd)
{
	struct codec c = schema_writer();

	code_host(&c, (struct host *)&host);
	send_block(fd, BLOCK_HOST, &c, true);
}

static void send_snapshot(int fd, struct snapshot *s)
{
	struct codec c = schema_writer();

	code_snapshot(&c, s, NULL);
	send_block(fd, BLOCK_SNAPSHOT, &c, true);
}

/* Changes of a snapshot without rows, but for what is said of the TAs: n numbers. */
static void send_changes(int fd, struct snapshot *s, const u64 *numbers, int n)
{
	struct slot_list gone = {};
	struct codec c = schema_writer();

	code_changes(&c, s, NULL, &gone);
	c.at -= 2; /* how many TAs there are, and how many of them have changed */
	for (int i = 0; i < n; i++)
		codec_put(&c, numbers[i]);
	for (int i = 0; i < 400; i++)
		codec_put(&c, 0);
	send_block(fd, BLOCK_CHANGES, &c, false);
}

static bool send_calls(int fd, u32 n)
{
	struct call_record call = { .start_ns = 1 }, before = {};
	struct codec c = schema_writer();

	for (u32 i = 0; i < n; i++) {
		put_call(&c, &call, &before);
		before = call;
	}
	return send_block(fd, BLOCK_CALLS, &c, false);
}

/* A client of all that has been sent to its socket; the daemon has ended. */
static struct daemon_client *client_of(int pair[2], const struct daemon_client_opts *o)
{
	struct daemon_client *st;

	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	assert_int_equal(daemon_client_open_fd(&st, pair[0], o), 0);
	return st;
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

/* What every daemon begins with. */
static void begin(int pair[2], bool deflated, struct snapshot *s)
{
	make_pair(pair);
	send_hello(pair[1], deflated);
	send_host(pair[1]);
	send_snapshot(pair[1], s);
}

static const struct daemon_client_opts from_now = { .since_ns = ~0ULL, .calls = true };

/* Tests. */

UNIT_TEST(hello_may_be_deflated)
{
	struct snapshot s = { .seq = 1, .mono_ns = 10 };
	const struct snapshot *got;
	struct source source;
	struct daemon_client *st;
	int pair[2];

	begin(pair, true, &s);
	st = client_of(pair, &from_now);
	assert_int_equal(daemon_client_hello(st)->starved_ns, SECOND);
	assert_true(daemon_client_wait_host(st));
	source = daemon_client_source(st);
	got = source.next(source.ctx);
	assert_non_null(got);
	assert_int_equal(got->seq, 1);
	assert_null(source.next(source.ctx));
	assert_int_equal(errno, ENODEV);
	assert_true(daemon_client_ended(st));
	assert_null(daemon_client_fault(st));
	daemon_client_close(st);
	close(pair[1]);
}

/* Of no TA, of one that is not there, of one that was not told of, backwards, too many. */
UNIT_TEST(changes_of_what_is_not_there)
{
	static const u64 bad[][5] = {
		{ 0, 1, 0 },        { 0, 1, 100000 },      { 0, 1, ~0U }, { 0, 1, ~0ULL >> 2 },
		{ 1, 1, 1 },        { 1, 1, ~0U },         { 1, 0 },      { 2, 2, 1, 0 },
		{ MAX_TAS + 1, 0 }, { 1, MAX_TAS + 1, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct snapshot s = { .seq = 1, .mono_ns = 10, .nr_pools = 1 };
		struct source source;
		struct daemon_client *st;
		int pair[2];

		begin(pair, false, &s);
		s.seq = 2;
		send_changes(pair[1], &s, bad[i], 5);
		st = client_of(pair, &from_now);
		source = daemon_client_source(st);
		assert_null(source.next(source.ctx)); /* the half of it is not given */
		assert_int_equal(errno, ENODEV);
		assert_non_null(daemon_client_fault(st));
		daemon_client_close(st);
		close(pair[1]);
	}
}

/* What came before the fault, and is whole, is given. */
UNIT_TEST(the_last_whole_one_is_given)
{
	struct snapshot s = { .seq = 1, .mono_ns = 10 };
	struct codec c = schema_writer();
	const struct snapshot *got;
	struct source source;
	struct daemon_client *st;
	int pair[2];

	begin(pair, false, &s);
	codec_put(&c, 1); /* event, which is missing */
	send_block(pair[1], BLOCK_EVENTS, &c, false);
	st = client_of(pair, &from_now);
	source = daemon_client_source(st);
	got = source.next(source.ctx);
	assert_non_null(got);
	assert_int_equal(got->seq, 1);
	assert_null(source.next(source.ctx));
	assert_non_null(daemon_client_fault(st));
	daemon_client_close(st);
	close(pair[1]);
}

static void send_events(int fd, u32 n)
{
	struct codec c = schema_writer();

	codec_put(&c, n);
	for (u32 i = 0; i < n; i++)
		code_event(&c, &(struct event){ .culprit = -1, .mono_ns = 10 });
	send_block(fd, BLOCK_EVENTS, &c, false);
}

/* What is looked at before a snapshot is taken is that one's; a recorder relies on it. */
UNIT_TEST(looks_are_not_ahead)
{
	struct snapshot s = { .seq = 1, .mono_ns = 10 };
	const struct event *events;
	struct source source;
	struct daemon_client *st;
	int pair[2];

	begin(pair, false, &s);
	send_events(pair[1], 1);
	s.seq = 2;
	send_snapshot(pair[1], &s);
	send_events(pair[1], 2);
	st = client_of(pair, &from_now);
	source = daemon_client_source(st);
	assert_int_equal(source.look(source.ctx, &events), 1);
	assert_int_equal(source.look(source.ctx, &events), 0);
	assert_int_equal(source.next(source.ctx)->nr_events, 1);
	assert_int_equal(source.look(source.ctx, &events), 2);
	assert_int_equal(source.look(source.ctx, &events), LOOK_ENDED);
	daemon_client_close(st);
	close(pair[1]);
}

static pid_t fork_daemon(int pair[2])
{
	pid_t pid;

	make_pair(pair);
	pid = fork();
	assert_true(pid >= 0);
	close(pair[pid ? 1 : 0]);
	return pid;
}

#define BLOCK_CALLS_NR 4096
#define CALL_BLOCKS    100

UNIT_TEST(calls_are_bounded_and_counted)
{
	const struct call_record *calls;
	const struct snapshot *got;
	struct source source;
	struct daemon_client *st;
	int pair[2];
	u32 kept;
	pid_t pid = fork_daemon(pair);

	if (!pid) {
		struct snapshot s = { .seq = 1, .mono_ns = 10 };

		send_hello(pair[1], false);
		send_host(pair[1]);
		for (int i = 0; i < CALL_BLOCKS; i++)
			send_calls(pair[1], BLOCK_CALLS_NR);
		send_snapshot(pair[1], &s);
		_exit(0);
	}
	assert_int_equal(daemon_client_open_fd(&st, pair[0], &from_now), 0);
	source = daemon_client_source(st);
	got = source.next(source.ctx);
	assert_non_null(got);
	kept = source.calls(source.ctx, &calls);
	assert_in_range(kept, 1 << 17, 1 << 19);
	assert_int_equal(kept + got->losses.count[LOSS_CALL_RECORD], CALL_BLOCKS * BLOCK_CALLS_NR);
	assert_true(daemon_client_lost(st));
	daemon_client_close(st);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Of what has no end, a signal ends the reading; also where it is blocked. */
UNIT_TEST(a_signal_ends_it)
{
	for (int blocked = 0; blocked < 2; blocked++) {
		struct source source;
		struct daemon_client *st;
		sigset_t set, kept;
		int pair[2];
		pid_t pid;

		stop_catch();
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, &kept);
		pid = fork_daemon(pair);
		if (!pid) {
			send_hello(pair[1], false);
			send_host(pair[1]);
			kill(getppid(), SIGTERM);
			while (send_calls(pair[1], 64))
				;
			_exit(0);
		}
		if (!daemon_client_open_fd(&st, pair[0], &from_now)) { /* else it came that early */
			source = daemon_client_source(st);
			assert_null(source.next(source.ctx));
			assert_int_equal(errno, EINTR);
			daemon_client_close(st);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		assert_int_equal(stop_asked, SIGTERM);
		sigprocmask(SIG_SETMASK, &kept, NULL);
		stop_asked = 0;
	}
}

/* What a client says of a daemon that pauses, each time for 0.2 s, before HELLO and after it. */
static const char *said_of(bool present, bool slow, char buf[512])
{
	/* Without a driver it says so at once, but on a busy machine that may take its time. */
	const struct daemon_client_opts o = { .since_ns = ~0ULL,
					      .silence_ns = !slow   ? 5 * SECOND :
							    present ? SECOND / 20 :
								      SECOND };
	struct snapshot s = { .seq = 1, .mono_ns = 10 };
	struct daemon_client *st;
	struct capture said;
	int pair[2];
	pid_t pid = fork_daemon(pair);

	if (!pid) {
		if (present) {
			usleep(200000);
			send_hello(pair[1], false);
			send_host(pair[1]);
			send_snapshot(pair[1], &s);
		} else {
			send_absent(pair[1]);
		}
		usleep(present ? 200000 : 1200000);
		_exit(0);
	}
	capture_begin(&said, STDERR_FILENO);
	assert_int_equal(daemon_client_open_fd(&st, pair[0], &o), 0);
	assert_int_equal(daemon_client_wait_host(st), present);
	capture_end(&said, buf, 512);
	daemon_client_close(st);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return buf;
}

/* One line, and it goes on; a daemon without a driver has nothing to say. */
UNIT_TEST(silence_is_told)
{
	char buf[512];

	assert_string_equal(said_of(true, false, buf), "");
	assert_string_equal(said_of(false, true, buf), "");
	assert_non_null(strstr(said_of(true, true, buf), "--direct\n"));
	assert_ptr_equal(strchr(buf, '\n'), buf + strlen(buf) - 1);
}

/* A connection that breaks ends us as SIGTERM does, but not under nohup. */
UNIT_TEST(a_hangup_ends_it_too)
{
	struct sigaction now;

	signal(SIGHUP, SIG_IGN);
	stop_catch();
	assert_int_equal(raise(SIGHUP), 0);
	assert_false(stop_wanted());
	signal(SIGHUP, SIG_DFL);
	stop_catch();
	assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
	assert_true(now.sa_handler != SIG_DFL); /* else it would end this test */
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(stop_asked, SIGHUP);
	stop_asked = 0;
	signal(SIGHUP, SIG_DFL);
}

/* Each number of a block, one after the other, far too large: it is refused, or can be shown. */
static void show(struct decoder *d)
{
	static const struct opts o;

	json_decref(snapshot_json(&o, &host, &d->snap));
}

static void spoil(struct decoder *d, const struct codec *whole, const struct codec *c,
		  enum block_type type, size_t at)
{
	static const u8 large[] = { 0xff, 0xff, 0xff, 0xff, 0x0f };
	size_t n = c->at + sizeof(large) - 1;
	struct block b = { .type = BLOCK_SNAPSHOT,
			   .schema = SCHEMA,
			   .data = whole->buf,
			   .stored = (u32)whole->at,
			   .size = (u32)whole->at };
	u8 *data = malloc(n);

	assert_true(decode_snapshot(d, &b));
	memcpy(data, c->buf, at);
	memcpy(data + at, large, sizeof(large));
	memcpy(data + at + sizeof(large), c->buf + at + 1, c->at - at - 1);
	b = (struct block){
		.type = type, .schema = SCHEMA, .data = data, .stored = (u32)n, .size = (u32)n
	};
	if (decode_snapshot(d, &b))
		show(d);
	free(data);
}

UNIT_TEST(every_number_may_be_anything)
{
	struct slot_list gone = {};
	struct codec whole, changes;
	struct decoder d;

	seed = 5;
	make_all();
	given[0].snap.seq = 1;
	given[1].snap.seq = 2;
	given[1].snap.mono_ns = given[0].snap.mono_ns;
	for (int i = 0; i < SESSIONS; i++) {
		given[1].sessions[i].slot = given[0].sessions[i].slot;
		given[1].sessions[i].changed = true;
	}
	assert_int_equal(decoder_init(&d), 0);
	whole = schema_writer();
	code_snapshot(&whole, &given[0].snap, NULL);
	changes = schema_writer();
	code_changes(&changes, &given[1].snap, NULL, &gone);
	for (size_t at = 0; at < whole.at; at += 1 + at % 7)
		spoil(&d, &whole, &whole, BLOCK_SNAPSHOT, at);
	for (size_t at = 0; at < changes.at; at += 1 + at % 7)
		spoil(&d, &whole, &changes, BLOCK_CHANGES, at);
	decoder_release(&d);
	free(whole.buf);
	free(changes.buf);
}
