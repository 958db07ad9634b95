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
static void give_up(struct daemon_client *client, const char *fault)
{
	client->ended = true;
	client->fault = fault;
}

/* Blocks. */

/* Room for so many more; false: out of memory. */
static bool calls_fit(struct daemon_client *client, u32 n)
{
	u32 room = 2 * (client->nr_calls + n);
	struct call_record *more;

	if (client->nr_calls + n <= client->calls_room)
		return true;
	more = realloc(client->calls, room * sizeof(*more));
	if (!more)
		return false;
	client->calls = more;
	client->calls_room = room;
	return true;
}

/* Calls that find no room are counted. */
static bool keep_calls(struct daemon_client *client, const struct block *b)
{
	const struct call_record *calls;
	bool damaged = false;
	u32 n;

	if (!client->o.calls)
		return true;
	damaged = !decoder_open_calls(&client->decoder, b);
	if (client->calls_taken)
		client->nr_calls = 0;
	client->calls_taken = false;
	while ((n = decode_calls(&client->decoder, &calls, &damaged)) > 0) {
		if (client->nr_calls + n > CALLS_MAX || !calls_fit(client, n)) {
			client->calls_dropped += n;
			continue;
		}
		memcpy(client->calls + client->nr_calls, calls, n * sizeof(*calls));
		client->nr_calls += n;
	}
	return !damaged;
}

/* Is the snapshot of before we came? */
static bool is_history(const struct daemon_client *client)
{
	return client->decoder.snap.mono_ns < client->hello.mono_ns;
}

/* Is what has come to be taken, before more is? */
static bool has_enough(const struct daemon_client *client)
{
	if (client->only_events)
		return client->events.nr >= LIST_EVENTS / 2;
	return client->o.each && client->there && is_history(client);
}

/* Of what is past only the newest are of use, but to whom takes each. */
static void make_room(struct daemon_client *client)
{
	struct event_list *l = &client->events;
	u32 half = LIST_EVENTS / 2;

	if (client->only_events || !is_history(client) || l->nr < half)
		return;
	memmove(l->events, l->events + l->nr - half / 2, half / 2 * sizeof(*l->events));
	l->nr = half / 2;
	client->looked = client->looked < l->nr ? client->looked : l->nr;
	client->before = l->nr;
}

/* They stay where they are until the next snapshot is wanted, or more room. */
static void drop_given(struct daemon_client *client)
{
	struct event_list *l = &client->events;

	l->nr -= client->given;
	if (client->given && l->nr)
		memmove(l->events, l->events + client->given, l->nr * sizeof(*l->events));
	client->looked -= client->looked < client->given ? client->looked : client->given;
	client->before -= client->before < client->given ? client->before : client->given;
	client->given = 0;
}

/* But for those of before we wanted any. Whoever takes none for long loses some: that is counted. */
static bool keep_events(struct daemon_client *client, const struct block *b)
{
	u64 dropped = client->events.dropped;
	u32 first, kept;

	drop_given(client);
	make_room(client);
	first = kept = client->events.nr;
	if (!decode_events(b, &client->events))
		return client->events.dropped != dropped;
	for (u32 i = first; i < client->events.nr; i++)
		if (client->events.events[i].mono_ns >= client->o.since_ns ||
		    client->events.events[i].mono_ns >= client->hello.mono_ns)
			client->events.events[kept++] = client->events.events[i];
	client->events.nr = kept;
	return true;
}

static bool keep_snapshot(struct daemon_client *client, const struct block *b)
{
	if (client->there && !snapshot_merge_pass(&client->merge, &client->decoder.snap))
		return false;
	client->there = false; /* this one overwrites it */
	if (!decode_snapshot(&client->decoder, b))
		return false;
	client->before = client->events.nr;
	client->there = !(client->o.fresh && is_history(client)) &&
			!(client->o.each && client->decoder.snap.mono_ns < client->o.since_ns &&
			  is_history(client));
	return true;
}

/* It is told again and again; another one is of another attach. */
static bool keep_host(struct daemon_client *client, const struct block *b)
{
	u64 attached = client->host.mono_ns;

	if (!decode_host(b, &client->host))
		return false;
	client->host.calls = client->o.calls;
	if (attached && attached != client->host.mono_ns)
		snapshot_merge_break(&client->merge);
	return true;
}

/* False: this is not what a daemon sends. */
static bool take(struct daemon_client *client, const struct block *b)
{
	if (b->schema != SCHEMA)
		return false;
	switch (b->type) {
	case BLOCK_HOST:
		return keep_host(client, b);
	case BLOCK_EVENTS:
		return keep_events(client, b);
	case BLOCK_CALLS:
		return keep_calls(client, b);
	case BLOCK_SNAPSHOT:
	case BLOCK_CHANGES:
		return keep_snapshot(client, b);
	default:
		return true;
	}
}

/* The blocks that have come whole; of what is past, up to the first snapshot if each is wanted. */
static void take_blocks(struct daemon_client *client)
{
	size_t at = 0;
	struct block b;
	int whole = 0;

	while (!client->fault && !has_enough(client) &&
	       (whole = block_parse(client->buf + at, client->len - at, &b)) > 0) {
		if (!take(client, &b)) {
			whole = -1;
			break;
		}
		at += b.end;
	}
	if (whole < 0)
		give_up(client, "it sent data that cannot be read");
	memmove(client->buf, client->buf + at, client->len - at);
	client->len -= at;
}

/*
 * The machine may just be busy, or the daemon still attaching: this says that we wait, and is
 * no failure.
 */
static void note_silence(struct daemon_client *client)
{
	u64 now = clock_now();

	if (client->silent || !client->o.silence_ns ||
	    now - client->heard_ns < client->o.silence_ns)
		return;
	client->silent = true;
	say("the daemon has sent nothing for %.0f s: waiting for it; root can do without it, with "
	    "--direct",
	    (double)(now - client->heard_ns) / 1e9);
}

/* Reads until a time (ns), 0: what is there. False: nothing has come. */
static bool receive(struct daemon_client *client, u64 until)
{
	struct pollfd p = { .fd = client->fd, .events = POLLIN };
	u64 now = clock_now();
	ssize_t n;

	if (poll(&p, 1, until > now ? (int)((until - now) / 1000000 + 1) : 0) <= 0)
		return false;
	if (client->room - client->len < READ_BYTES) {
		size_t room = 2 * client->room + READ_BYTES;
		u8 *more = realloc(client->buf, room);

		if (!more) {
			give_up(client, "out of memory");
			return false;
		}
		client->buf = more;
		client->room = room;
	}
	n = recv(client->fd, client->buf + client->len, client->room - client->len, MSG_DONTWAIT);
	if (n > 0) {
		client->len += (size_t)n;
		client->received += (u64)n;
		client->heard_ns = clock_now();
	} else if (!n || (errno != EAGAIN && errno != EINTR))
		client->ended = true;
	return n > 0;
}

/* Takes what has come, or, where that never ends, a part of it. */
static void pump(struct daemon_client *client)
{
	u64 begin = client->received;

	do
		take_blocks(client);
	while (!client->ended && !has_enough(client) &&
	       client->received - begin < (stop_wanted() ? LAST_BYTES : PUMP_BYTES) &&
	       receive(client, 0));
}

/* Waits for more. If no snapshot has come by that time (ns), the daemon is given up. */
static void wait_for_more(struct daemon_client *client, u64 end)
{
	u64 now = clock_now(), soon = now + 1000000000;

	if (now >= end)
		give_up(client, "it has sent no snapshot for a minute");
	else if (!receive(client, soon < end ? soon : end) && client->hello.present)
		note_silence(client);
	pump(client);
}

/* As a source. */

static const struct snapshot *client_next(void *ctx)
{
	struct daemon_client *client = ctx;
	u64 end = clock_now() + PATIENCE_NS;
	const struct snapshot *s;

	pump(client);
	while (!client->there && !client->ended && !stop_wanted())
		wait_for_more(client, end);
	if (!client->there) {
		errno = client->ended ? ENODEV : EINTR;
		return NULL;
	}
	client->there = false;
	drop_given(client);
	s = snapshot_merge_give(&client->merge, &client->decoder.snap);
	if (!s) {
		errno = ENOMEM;
		return NULL;
	}
	client->merge.given->events = client->events.events;
	client->merge.given->nr_events = client->before;
	client->given = s->interval_ns ? client->before : 0; /* the first one's come again */
	client->merge.given->losses.count[LOSS_EPISODE] += client->events.dropped;
	client->merge.given->losses.count[LOSS_CALL_RECORD] += client->calls_dropped;
	client->lost |= !snapshot_complete(s);
	return s;
}

/*
 * Events that came after a snapshot which was not given yet have to wait for it: a recorder
 * writes events as it sees them, and those written before a snapshot belong to it.
 */
static u32 client_look(void *ctx, const struct event **events)
{
	struct daemon_client *client = ctx;
	u32 end, n;

	pump(client);
	client->looked = client->looked < client->given ? client->given : client->looked;
	end = client->there && !client->only_events ? client->before : client->events.nr;
	n = end > client->looked ? end - client->looked : 0;
	*events = n ? client->events.events + client->looked : NULL;
	client->looked += n;
	return n || !client->ended || client->looked < client->events.nr ? n : LOOK_ENDED;
}

static void client_forget(void *ctx)
{
	struct daemon_client *client = ctx;

	client->only_events = true;
	client->there = false;
	client->events.nr = client->looked = client->before = client->given = 0;
}

static u32 client_calls(void *ctx, const struct call_record **calls)
{
	struct daemon_client *client = ctx;

	*calls = client->calls;
	if (client->calls_taken)
		return 0;
	client->calls_taken = true;
	return client->nr_calls;
}

static bool client_behind(void *ctx)
{
	const struct daemon_client *client = ctx;

	return client->o.each && is_history(client) && !client->ended;
}

struct source daemon_client_source(struct daemon_client *client)
{
	if (client->o.has_screen)
		client->o.silence_ns = 0;
	return (struct source){
		.ctx = client,
		.host = &client->host,
		.next = client_next,
		.look = client_look,
		.forget = client_forget,
		.calls = client->o.calls ? client_calls : NULL,
		.behind = client_behind,
		.past_ns = client->o.each ? client->hello.mono_ns : 0,
		.pace_ns = DAEMON_PACE_NS,
	};
}

bool daemon_client_wait_host(struct daemon_client *client)
{
	/* While there is no driver it has nothing to say. */
	u64 end = client->hello.present ? clock_now() + PATIENCE_NS : ~0ULL;

	pump(client);
	while (!(client->hello.present && client->host.version[0]) && !client->ended &&
	       !stop_wanted())
		wait_for_more(client, end);
	return client->hello.present && client->host.version[0];
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
static int say_line(const struct daemon_client *client)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "follow %llu %d\n",
			 (unsigned long long)client->o.since_ns, client->o.calls);

	if (send(client->fd, line, (size_t)n, MSG_NOSIGNAL) == n)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
}

/* The first block. A worker that is attaching says nothing before it has. */
static int hear_hello(struct daemon_client *client)
{
	u64 end = clock_now() + PATIENCE_NS, soon = client->heard_ns + client->o.silence_ns;
	struct block b;
	int whole;

	while (!(whole = client->len ? block_parse(client->buf, client->len, &b) : 0)) {
		if (client->ended && !client->len)
			return -ECONNRESET; /* it was just ending */
		if (clock_now() > end)
			return -ETIMEDOUT;
		if (stop_wanted())
			return -EINTR;
		if (client->ended)
			return -EPROTO;
		if (!receive(client,
			     client->o.silence_ns && !client->silent && soon < end ? soon : end))
			note_silence(client);
	}
	if (whole < 0 || b.type != BLOCK_HELLO || b.schema != SCHEMA ||
	    !decode_hello(&b, &client->hello))
		return -EPROTO;
	if (client->hello.refusal)
		return refusals[client->hello.refusal].err;
	memmove(client->buf, client->buf + b.end, client->len - b.end);
	client->len -= b.end;
	return 0;
}

int daemon_client_open_fd(struct daemon_client **to, int fd, const struct daemon_client_opts *o)
{
	struct daemon_client *client = calloc(1, sizeof(*client));
	int err;

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->o = *o;
	client->fd = fd;
	client->heard_ns = clock_now();
	err = decoder_init(&client->decoder);
	err = err ?: say_line(client);
	err = err ?: hear_hello(client);
	if (err)
		daemon_client_close(client);
	else
		*to = client;
	return err;
}

int daemon_client_open(struct daemon_client **to, const char *path,
		       const struct daemon_client_opts *o)
{
	int fd = unix_connect(path, 0);

	return fd < 0 ? fd : daemon_client_open_fd(to, fd, o);
}

void daemon_client_close(struct daemon_client *client)
{
	close(client->fd);
	decoder_release(&client->decoder);
	snapshot_merge_release(&client->merge);
	free(client->events.events);
	free(client->calls);
	free(client->buf);
	free(client);
}

const struct hello *daemon_client_hello(const struct daemon_client *client)
{
	return &client->hello;
}

bool daemon_client_ended(const struct daemon_client *client)
{
	return client->ended;
}

const char *daemon_client_fault(const struct daemon_client *client)
{
	return client->fault;
}

u64 daemon_client_reached(const struct daemon_client *client)
{
	return client->decoder.snap.mono_ns;
}

bool daemon_client_lost(const struct daemon_client *client)
{
	return client->lost;
}
