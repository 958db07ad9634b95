// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes is read block by block. Snapshots go where the next one will go, too:
 * what is given to a view is a copy, which src/source/snapshot_merge.c makes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/stop.h"
#include "base/unix_socket.h"
#include "record/decoder.h"
#include "source/daemon_client.h"
#include "source/snapshot_merge.h"

/*
 * The daemon is not trusted: its worker runs as an ordinary user, and we may be root. It must
 * be able neither to fill our memory nor to keep us from ending.
 */
#define READ_BYTES  (64 << 10)
#define PUMP_BYTES  (8 << 20)   /* read in one go; a daemon's history is shorter, */
#define LAST_BYTES  (1 << 20)   /* and so is what is left to read once we are to end */
#define CALLS_MAX   (256 << 10) /* kept until they are asked for */
#define PATIENCE_NS 60000000000 /* for what a daemon sends every second, or first */

struct daemon_client {
	int fd;
	struct daemon_client_opts o;
	u8 *buf;
	size_t len, room;
	u64 received; /* bytes, in all */
	u64 heard_ns; /* when the last of them came; before that, when we began */
	bool silent;  /* it has been said that nothing comes */
	bool ended;
	const char *fault; /* why we ended it */
	struct hello hello;
	struct host host; /* version "": not known yet */
	struct decoder decoder;
	bool there; /* a snapshot that was not given is in the decoder */
	bool lost;
	bool only_events; /* nobody takes snapshots */
	struct snapshot_merge merge;
	struct event_list events; /* since the snapshot that was given last */
	u32 looked;               /* of them, by looks, */
	u32 before;               /* those that came before the snapshot that is there, */
	u32 given;                /* and those that are in the one that was given last */
	struct call_record *calls;
	u32 nr_calls, calls_room;
	bool calls_taken;
	u64 calls_dropped;
};

/* Nothing more is read. Complete snapshots and events that have come stay valid. */
static void give_up(struct daemon_client *st, const char *fault)
{
	st->ended = true;
	st->fault = fault;
}

/* Blocks. */

/* Room for so many more; false: out of memory. */
static bool calls_fit(struct daemon_client *st, u32 n)
{
	u32 room = 2 * (st->nr_calls + n);
	struct call_record *more;

	if (st->nr_calls + n <= st->calls_room)
		return true;
	more = realloc(st->calls, room * sizeof(*more));
	if (!more)
		return false;
	st->calls = more;
	st->calls_room = room;
	return true;
}

/* Calls that find no room are counted. */
static bool keep_calls(struct daemon_client *st, const struct block *b)
{
	const struct call_record *calls;
	bool damaged = false;
	u32 n;

	if (!st->o.calls)
		return true;
	damaged = !decoder_open_calls(&st->decoder, b);
	if (st->calls_taken)
		st->nr_calls = 0;
	st->calls_taken = false;
	while ((n = decode_calls(&st->decoder, &calls, &damaged)) > 0) {
		if (st->nr_calls + n > CALLS_MAX || !calls_fit(st, n)) {
			st->calls_dropped += n;
			continue;
		}
		memcpy(st->calls + st->nr_calls, calls, n * sizeof(*calls));
		st->nr_calls += n;
	}
	return !damaged;
}

/* Is the snapshot of before we came? */
static bool is_history(const struct daemon_client *st)
{
	return st->decoder.snap.mono_ns < st->hello.mono_ns;
}

/* Is what has come to be taken, before more is? */
static bool has_enough(const struct daemon_client *st)
{
	if (st->only_events)
		return st->events.nr >= LIST_EVENTS / 2;
	return st->o.each && st->there && is_history(st);
}

/* Of what is past only the newest are of use, but to whom takes each. */
static void make_room(struct daemon_client *st)
{
	struct event_list *l = &st->events;
	u32 half = LIST_EVENTS / 2;

	if (st->only_events || !is_history(st) || l->nr < half)
		return;
	memmove(l->events, l->events + l->nr - half / 2, half / 2 * sizeof(*l->events));
	l->nr = half / 2;
	st->looked = st->looked < l->nr ? st->looked : l->nr;
	st->before = l->nr;
}

/* They stay where they are until the next snapshot is wanted, or more room. */
static void drop_given(struct daemon_client *st)
{
	struct event_list *l = &st->events;

	l->nr -= st->given;
	if (st->given && l->nr)
		memmove(l->events, l->events + st->given, l->nr * sizeof(*l->events));
	st->looked -= st->looked < st->given ? st->looked : st->given;
	st->before -= st->before < st->given ? st->before : st->given;
	st->given = 0;
}

/* But for those of before we wanted any. Whoever takes none for long loses some: that is counted. */
static bool keep_events(struct daemon_client *st, const struct block *b)
{
	u64 dropped = st->events.dropped;
	u32 first, kept;

	drop_given(st);
	make_room(st);
	first = kept = st->events.nr;
	if (!decode_events(b, &st->events))
		return st->events.dropped != dropped;
	for (u32 i = first; i < st->events.nr; i++)
		if (st->events.events[i].mono_ns >= st->o.since_ns ||
		    st->events.events[i].mono_ns >= st->hello.mono_ns)
			st->events.events[kept++] = st->events.events[i];
	st->events.nr = kept;
	return true;
}

static bool keep_snapshot(struct daemon_client *st, const struct block *b)
{
	if (st->there && !snapshot_merge_pass(&st->merge, &st->decoder.snap))
		return false;
	st->there = false; /* this one overwrites it */
	if (!decode_snapshot(&st->decoder, b))
		return false;
	st->before = st->events.nr;
	st->there = !(st->o.fresh && is_history(st)) &&
		    !(st->o.each && st->decoder.snap.mono_ns < st->o.since_ns && is_history(st));
	return true;
}

/* It is told again and again; another one is of another attach. */
static bool keep_host(struct daemon_client *st, const struct block *b)
{
	u64 attached = st->host.mono_ns;

	if (!decode_host(b, &st->host))
		return false;
	st->host.calls = st->o.calls;
	if (attached && attached != st->host.mono_ns)
		snapshot_merge_break(&st->merge);
	return true;
}

/* False: this is not what a daemon sends. */
static bool take(struct daemon_client *st, const struct block *b)
{
	if (b->schema != SCHEMA)
		return false;
	switch (b->type) {
	case BLOCK_HOST:
		return keep_host(st, b);
	case BLOCK_EVENTS:
		return keep_events(st, b);
	case BLOCK_CALLS:
		return keep_calls(st, b);
	case BLOCK_SNAPSHOT:
	case BLOCK_CHANGES:
		return keep_snapshot(st, b);
	default:
		return true;
	}
}

/* The blocks that have come whole; of what is past, up to the first snapshot if each is wanted. */
static void take_blocks(struct daemon_client *st)
{
	size_t at = 0;
	struct block b;
	int whole = 0;

	while (!st->fault && !has_enough(st) &&
	       (whole = block_parse(st->buf + at, st->len - at, &b)) > 0) {
		if (!take(st, &b)) {
			whole = -1;
			break;
		}
		at += b.end;
	}
	if (whole < 0)
		give_up(st, "it sent data that cannot be read");
	memmove(st->buf, st->buf + at, st->len - at);
	st->len -= at;
}

/*
 * The machine may just be busy, or the daemon still attaching: this says that we wait, and is
 * no failure.
 */
static void note_silence(struct daemon_client *st)
{
	u64 now = clock_now();

	if (st->silent || !st->o.silence_ns || now - st->heard_ns < st->o.silence_ns)
		return;
	st->silent = true;
	say("the daemon has sent nothing for %.0f s: waiting for it; root can do without it, with "
	    "--direct",
	    (double)(now - st->heard_ns) / 1e9);
}

/* Reads until a time (ns), 0: what is there. False: nothing has come. */
static bool receive(struct daemon_client *st, u64 until)
{
	struct pollfd p = { .fd = st->fd, .events = POLLIN };
	u64 now = clock_now();
	ssize_t n;

	if (poll(&p, 1, until > now ? (int)((until - now) / 1000000 + 1) : 0) <= 0)
		return false;
	if (st->room - st->len < READ_BYTES) {
		size_t room = 2 * st->room + READ_BYTES;
		u8 *more = realloc(st->buf, room);

		if (!more) {
			give_up(st, "out of memory");
			return false;
		}
		st->buf = more;
		st->room = room;
	}
	n = recv(st->fd, st->buf + st->len, st->room - st->len, MSG_DONTWAIT);
	if (n > 0) {
		st->len += (size_t)n;
		st->received += (u64)n;
		st->heard_ns = clock_now();
	} else if (!n || (errno != EAGAIN && errno != EINTR))
		st->ended = true;
	return n > 0;
}

/* Takes what has come, or, where that never ends, a part of it. */
static void pump(struct daemon_client *st)
{
	u64 begin = st->received;

	do
		take_blocks(st);
	while (!st->ended && !has_enough(st) &&
	       st->received - begin < (stop_wanted() ? LAST_BYTES : PUMP_BYTES) && receive(st, 0));
}

/* Waits for more. If no snapshot has come by that time (ns), the daemon is given up. */
static void wait_for_more(struct daemon_client *st, u64 end)
{
	u64 now = clock_now(), soon = now + 1000000000;

	if (now >= end)
		give_up(st, "it has sent no snapshot for a minute");
	else if (!receive(st, soon < end ? soon : end) && st->hello.present)
		note_silence(st);
	pump(st);
}

/* As a source. */

static const struct snapshot *stream_next(void *ctx)
{
	struct daemon_client *st = ctx;
	u64 end = clock_now() + PATIENCE_NS;
	const struct snapshot *s;

	pump(st);
	while (!st->there && !st->ended && !stop_wanted())
		wait_for_more(st, end);
	if (!st->there) {
		errno = st->ended ? ENODEV : EINTR;
		return NULL;
	}
	st->there = false;
	drop_given(st);
	s = snapshot_merge_give(&st->merge, &st->decoder.snap);
	if (!s) {
		errno = ENOMEM;
		return NULL;
	}
	st->merge.given->events = st->events.events;
	st->merge.given->nr_events = st->before;
	st->given = s->interval_ns ? st->before : 0; /* the first one's come again */
	st->merge.given->losses.count[LOSS_EPISODE] += st->events.dropped;
	st->merge.given->losses.count[LOSS_CALL_RECORD] += st->calls_dropped;
	st->lost |= !snapshot_complete(s);
	return s;
}

/*
 * Events that came after a snapshot which was not given yet have to wait for it: a recorder
 * writes events as it sees them, and those written before a snapshot belong to it.
 */
static u32 stream_look(void *ctx, const struct event **events)
{
	struct daemon_client *st = ctx;
	u32 end, n;

	pump(st);
	st->looked = st->looked < st->given ? st->given : st->looked;
	end = st->there && !st->only_events ? st->before : st->events.nr;
	n = end > st->looked ? end - st->looked : 0;
	*events = n ? st->events.events + st->looked : NULL;
	st->looked += n;
	return n || !st->ended || st->looked < st->events.nr ? n : LOOK_ENDED;
}

static void stream_forget(void *ctx)
{
	struct daemon_client *st = ctx;

	st->only_events = true;
	st->there = false;
	st->events.nr = st->looked = st->before = st->given = 0;
}

static u32 stream_calls(void *ctx, const struct call_record **calls)
{
	struct daemon_client *st = ctx;

	*calls = st->calls;
	if (st->calls_taken)
		return 0;
	st->calls_taken = true;
	return st->nr_calls;
}

static bool stream_behind(void *ctx)
{
	const struct daemon_client *st = ctx;

	return st->o.each && is_history(st) && !st->ended;
}

struct source daemon_client_source(struct daemon_client *st)
{
	if (st->o.has_screen)
		st->o.silence_ns = 0;
	return (struct source){
		.ctx = st,
		.host = &st->host,
		.next = stream_next,
		.look = stream_look,
		.forget = stream_forget,
		.calls = st->o.calls ? stream_calls : NULL,
		.behind = stream_behind,
		.past_ns = st->o.each ? st->hello.mono_ns : 0,
		.pace_ns = DAEMON_PACE_NS,
	};
}

bool daemon_client_wait_host(struct daemon_client *st)
{
	/* While there is no driver it has nothing to say. */
	u64 end = st->hello.present ? clock_now() + PATIENCE_NS : ~0ULL;

	pump(st);
	while (!(st->hello.present && st->host.version[0]) && !st->ended && !stop_wanted())
		wait_for_more(st, end);
	return st->hello.present && st->host.version[0];
}

/* Opening. */

/* daemon_client_open() returns a different error for each. */
static const struct {
	int err;
	const char *why;
} refusals[NR_REFUSALS] = {
	[REFUSED_USER] = { -EDQUOT, "you have all the clients that one user may have; end some" },
	[REFUSED_ALL] = { -EUSERS, "all its places for clients are taken; end some clients" },
	[REFUSED_FULL] = { -ENOSR,
			   "it has no file descriptor left for a client; end some clients" },
};

const char *daemon_client_refused(int err)
{
	for (size_t i = 0; i < NR_REFUSALS; i++)
		if (refusals[i].why && refusals[i].err == err)
			return refusals[i].why;
	return NULL;
}

/* A daemon that turns us away may have closed the socket already; its answer is still there. */
static int say_line(const struct daemon_client *st)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "follow %llu %d\n", (unsigned long long)st->o.since_ns,
			 st->o.calls);

	if (send(st->fd, line, (size_t)n, MSG_NOSIGNAL) == n)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
}

/* The first block. A worker that is attaching says nothing before it has. */
static int hear_hello(struct daemon_client *st)
{
	u64 end = clock_now() + PATIENCE_NS, soon = st->heard_ns + st->o.silence_ns;
	struct block b;
	int whole;

	while (!(whole = st->len ? block_parse(st->buf, st->len, &b) : 0)) {
		if (st->ended && !st->len)
			return -ECONNRESET; /* it was just ending */
		if (clock_now() > end)
			return -ETIMEDOUT;
		if (stop_wanted())
			return -EINTR;
		if (st->ended)
			return -EPROTO;
		if (!receive(st, st->o.silence_ns && !st->silent && soon < end ? soon : end))
			note_silence(st);
	}
	if (whole < 0 || b.type != BLOCK_HELLO || b.schema != SCHEMA ||
	    !decode_hello(&b, &st->hello))
		return -EPROTO;
	if (st->hello.refusal)
		return refusals[st->hello.refusal].err;
	memmove(st->buf, st->buf + b.end, st->len - b.end);
	st->len -= b.end;
	return 0;
}

int daemon_client_open_fd(struct daemon_client **to, int fd, const struct daemon_client_opts *o)
{
	struct daemon_client *st = calloc(1, sizeof(*st));
	int err;

	if (!st) {
		close(fd);
		return -ENOMEM;
	}
	st->o = *o;
	st->fd = fd;
	st->heard_ns = clock_now();
	err = decoder_init(&st->decoder);
	err = err ?: say_line(st);
	err = err ?: hear_hello(st);
	if (err)
		daemon_client_close(st);
	else
		*to = st;
	return err;
}

int daemon_client_open(struct daemon_client **to, const char *path,
		       const struct daemon_client_opts *o)
{
	int fd = unix_connect(path, 0);

	return fd < 0 ? fd : daemon_client_open_fd(to, fd, o);
}

void daemon_client_close(struct daemon_client *st)
{
	close(st->fd);
	decoder_release(&st->decoder);
	snapshot_merge_release(&st->merge);
	free(st->events.events);
	free(st->calls);
	free(st->buf);
	free(st);
}

const struct hello *daemon_client_hello(const struct daemon_client *st)
{
	return &st->hello;
}

bool daemon_client_ended(const struct daemon_client *st)
{
	return st->ended;
}

const char *daemon_client_fault(const struct daemon_client *st)
{
	return st->fault;
}

u64 daemon_client_reached(const struct daemon_client *st)
{
	return st->decoder.snap.mono_ns;
}

bool daemon_client_lost(const struct daemon_client *st)
{
	return st->lost;
}
