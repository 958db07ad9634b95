// SPDX-License-Identifier: GPL-2.0-only
/* Clients in an array of slots; nothing is kept of one but where it stands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/acceptor.h"
#include "base/clock.h"
#include "base/unix_socket.h"
#include "daemon/daemon_server.h"

#define LINE_MAX_BYTES 64
#define SAY_NS         10000000000 /* so long a client has for its line */
#define PIECES         32          /* given to the kernel at once */
#define BUFFER         (16 << 10)  /* the kernel's, for one; with its own it makes that twice */
#define BURST          (64 << 10)  /* bytes to one client before the next has its turn */
#define BUDGET         (1 << 20)   /* bytes to all of them between two looks at the queue */

const struct daemon_server_limits daemon_server_limits = { .clients = MAX_CLIENTS,
							   .of_user = MAX_OF_USER,
							   .kept_for_root = FOR_ROOT };

struct client {
	struct loop_fd watched; /* fd -1: the slot is free */
	struct daemon_server *serve;
	uid_t uid;
	u64 since_ns; /* it came */
	bool follows; /* it has said its line */
	bool calls, blocked;
	u32 line_len;
	char line[LINE_MAX_BYTES];
	u64 at;      /* block that is sent to it, */
	size_t sent; /* and how much of it was */
};

struct daemon_server {
	struct loop *loop;
	struct acceptor acceptor;
	struct daemon_server_limits limits;
	const struct history *history;
	struct hello hello;
	struct daemon_server_stats stats;
	struct client *clients[MAX_CLIENTS]; /* NULL: free */
	u32 nr_slots;                        /* that were ever used */
	u32 first;                           /* who is served first, next time */
	size_t budget;
	u32 nr_calls; /* clients that want calls */
};

static void drop(struct client *c)
{
	struct daemon_server *s = c->serve;

	loop_remove(s->loop, &c->watched);
	close(c->watched.fd);
	s->nr_calls -= c->follows && c->calls;
	s->stats.clients--;
	for (u32 i = 0; i < s->nr_slots; i++)
		if (s->clients[i] == c)
			s->clients[i] = NULL;
	free(c);
}

/* Sending. */

/*
 * The next blocks for it, as pieces; returns their number. Calls go only to those who
 * want them.
 */
static int gather(struct client *c, struct iovec pieces[PIECES])
{
	const struct history *h = c->serve->history;
	u64 at = c->at;
	size_t skip = c->sent;
	int n = 0;

	while (at < history_end(h) && n + 2 <= PIECES) {
		enum block_type type;
		size_t bytes = history_block(h, at, &type);

		if (type != BLOCK_CALLS || c->calls)
			n += history_bytes(h, at + skip, bytes - skip, pieces + n);
		else if (!n)
			c->at = at + bytes;
		else
			break;
		at += bytes;
		skip = 0;
	}
	return n;
}

/* So much of what was gathered has been sent. */
static void advance(struct client *c, size_t n)
{
	while (n) {
		enum block_type type;
		size_t bytes = history_block(c->serve->history, c->at, &type);

		if (c->sent + n < bytes) {
			c->sent += n;
			return;
		}
		n -= bytes - c->sent;
		c->at += bytes;
		c->sent = 0;
	}
}

static void set_blocked(struct client *c, bool blocked)
{
	if (c->blocked == blocked)
		return;
	c->blocked = blocked;
	loop_change(c->serve->loop, &c->watched, EPOLLIN | (blocked ? EPOLLOUT : 0));
}

/* False: it has gone, or is too slow. */
static bool send_on(struct client *c)
{
	struct iovec pieces[PIECES];
	bool full = false;
	size_t burst = 0;
	int n;

	if (!history_has(c->serve->history, c->at)) {
		c->serve->stats.cut++;
		return false;
	}
	while (burst < BURST && c->serve->budget && (n = gather(c, pieces)) > 0) {
		const struct msghdr msg = { .msg_iov = pieces, .msg_iovlen = (size_t)n };
		ssize_t sent = sendmsg(c->watched.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			return false;
		full = sent < 0;
		if (full)
			break;
		advance(c, (size_t)sent);
		burst += (size_t)sent;
		c->serve->budget -= (size_t)sent < c->serve->budget ? (size_t)sent :
								      c->serve->budget;
	}
	/* Who has had enough for now is served by the next turn, whether there is room or not. */
	set_blocked(c, full);
	return true;
}

/* The first block it gets; small enough for any socket's buffer. */
static bool send_hello(struct daemon_server *s, int fd, enum hello_refusal refusal)
{
	struct codec content = schema_writer();
	struct packer *packer = packer_new();
	const u8 *data = NULL;
	ssize_t sent = -1;
	size_t n = 0;

	s->hello.mono_ns = clock_now();
	s->hello.refusal = refusal;
	code_hello(&content, &s->hello);
	if (packer && !content.failed)
		data = packer_pack(packer, SCHEMA, BLOCK_HELLO, content.buf, content.at, false, &n);
	if (data)
		sent = send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	packer_free(packer);
	free(content.buf);
	return sent == (ssize_t)n;
}

/* What it says. */

static bool take_line(struct client *c)
{
	unsigned long long since;
	unsigned int calls;
	char end;

	if (sscanf(c->line, "follow %llu %u%c", &since, &calls, &end) != 3 || end != '\n' ||
	    calls > 1) {
		c->serve->stats.rejected++;
		return false;
	}
	c->calls = calls;
	c->follows = true;
	c->serve->nr_calls += calls;
	c->at = history_begin(c->serve->history, since);
	return send_hello(c->serve, c->watched.fd, REFUSED_NOT) && send_on(c);
}

/* False: it has gone, or says what it should not. */
static bool hear(struct client *c)
{
	char spare[256];
	ssize_t n;

	if (c->follows) /* there is nothing more to say, but that it goes */
		n = recv(c->watched.fd, spare, sizeof(spare), MSG_DONTWAIT);
	else
		n = recv(c->watched.fd, c->line + c->line_len, sizeof(c->line) - 1 - c->line_len,
			 MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n || c->follows) {
		c->serve->stats.rejected += n != 0;
		return false;
	}
	c->line_len += (u32)n;
	if (memchr(c->line, '\n', c->line_len))
		return take_line(c);
	if (c->line_len < sizeof(c->line) - 1)
		return true;
	c->serve->stats.rejected++;
	return false;
}

static void client_ready(void *arg, u32 events)
{
	struct client *c = arg;
	bool stays = !(events & EPOLLERR);

	if (stays && events & (EPOLLIN | EPOLLHUP))
		stays = hear(c);
	if (stays && events & EPOLLOUT)
		stays = send_on(c);
	if (!stays)
		drop(c);
}

/* Coming. */

static enum hello_refusal refusal_for(const struct daemon_server *s, uid_t uid)
{
	const struct daemon_server_limits *l = &s->limits;
	u32 of_user = 0;

	if (s->stats.clients >= l->clients - (uid ? l->kept_for_root : 0))
		return REFUSED_ALL;
	for (u32 i = 0; uid && i < s->nr_slots; i++)
		of_user += s->clients[i] && s->clients[i]->uid == uid;
	return of_user < l->of_user ? REFUSED_NOT : REFUSED_USER;
}

static bool admit(struct daemon_server *s, int fd, uid_t uid)
{
	const int buffer = BUFFER;
	struct client *c = calloc(1, sizeof(*c));
	u32 slot = 0;

	if (!c)
		return false;
	while (slot < s->nr_slots && s->clients[slot])
		slot++;
	c->uid = uid;
	c->watched = (struct loop_fd){ .fd = fd, .ready = client_ready, .arg = c };
	c->serve = s;
	c->since_ns = clock_now();
	/* What the kernel keeps for a thousand that do not read is memory, too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (loop_add(s->loop, &c->watched, EPOLLIN)) {
		free(c);
		return false;
	}
	s->clients[slot] = c;
	s->nr_slots = slot < s->nr_slots ? s->nr_slots : slot + 1;
	s->stats.clients++;
	s->stats.accepted++;
	return true;
}

static void listener_ready(void *arg, u32 events)
{
	struct daemon_server *s = arg;
	enum hello_refusal refusal;
	bool full;
	int fd = acceptor_next(&s->acceptor, &full);
	uid_t uid;

	(void)events;
	if (fd < 0) /* with no descriptor left, the next one waits to be accepted */
		return;
	uid = unix_peer(fd);
	refusal = full ? REFUSED_FULL : refusal_for(s, uid);
	if (refusal == REFUSED_NOT && admit(s, fd, uid))
		return;
	s->stats.refused++;
	if (refusal != REFUSED_NOT)
		send_hello(s, fd, refusal);
	acceptor_refuse(&s->acceptor, fd);
}

struct daemon_server *daemon_server_new(struct loop *loop, int listener,
					const struct history *history, const struct hello *hello,
					const struct daemon_server_limits *limits)
{
	struct daemon_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->history = history;
	s->hello = *hello;
	s->limits = *limits;
	if (!acceptor_init(&s->acceptor, loop, listener, true, listener_ready, s))
		return s;
	acceptor_release(&s->acceptor);
	free(s);
	return NULL;
}

void daemon_server_free(struct daemon_server *s)
{
	if (!s)
		return;
	for (u32 i = 0; i < s->nr_slots; i++)
		if (s->clients[i])
			drop(s->clients[i]);
	acceptor_release(&s->acceptor);
	free(s);
}

int daemon_server_listen(struct daemon_server *s, int listener)
{
	acceptor_release(&s->acceptor);
	return acceptor_init(&s->acceptor, s->loop, listener, true, listener_ready, s);
}

/* False: it is to go. */
static bool turn(struct client *c, u64 now)
{
	struct daemon_server *s = c->serve;

	if (!c->follows && now - c->since_ns > SAY_NS) {
		s->stats.rejected++;
		return false;
	}
	if (!c->follows)
		return true;
	if (!c->blocked)
		return send_on(c);
	s->stats.cut += !history_has(s->history, c->at);
	return history_has(s->history, c->at);
}

void daemon_server_turn(struct daemon_server *s, u64 now)
{
	u32 first = s->first;

	s->budget = BUDGET;
	acceptor_turn(&s->acceptor);
	for (u32 i = 0; i < s->nr_slots; i++) {
		u32 slot = (first + i) % s->nr_slots;
		struct client *c = s->clients[slot];

		if (c && !turn(c, now))
			drop(c);
		if (s->budget)
			s->first = slot;
	}
}

bool daemon_server_wants_calls(const struct daemon_server *s)
{
	return s->nr_calls;
}

void daemon_server_stats(const struct daemon_server *s, struct daemon_server_stats *to)
{
	*to = s->stats;
}
