// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection reads a request, writes the answer, and then waits for the next or, after
 * the last, for the client to close: to close first, with something unread, would take
 * the answer away from the client. It never reads while it writes, so that what is sent
 * to us meanwhile stays with the sender.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/acceptor.h"
#include "base/clock.h"
#include "metrics/http.h"
#include "metrics/http_answer.h"
#include "metrics/http_peer.h"
#include "metrics/http_request.h"

#define ACCEPT_AT_ONCE 16
#define LINGER_MOST    262144 /* bytes that are read and thrown away */

/* In the order in which they give way to a new one. */
enum state { STATE_FREE, STATE_IDLE, STATE_LINGER, STATE_READ, STATE_WRITE };

struct conn {
	struct http *http;
	struct loop_fd watched;
	struct http_peer peer;
	enum state state;
	u64 since; /* when the state, or the request, began */
	struct http_scan scan;
	size_t got;    /* bytes of in */
	size_t thrown; /* away, after the answer */
	bool served;   /* a request before this one */
	bool keep;
	struct http_answer answer;
	struct http_body *body; /* NULL: there is none, or it is in the answer */
	size_t sent;            /* of answer and body together */
	char in[HTTP_HEAD_MOST];
};

struct http {
	struct loop *loop;
	struct acceptor acceptor;
	const struct http_names *names; /* NULL: any name will do */
	http_render render;
	void *arg;
	struct daemon_stats *self;
	struct http_bodies bodies;
	struct conn conns[HTTP_CONNECTIONS];
};

static void release_body(struct conn *c)
{
	if (c->body)
		http_body_put(c->body);
	c->body = NULL;
}

static void drop(struct conn *c)
{
	bool cut = c->state == STATE_READ ? c->got > 0 : c->state == STATE_WRITE;

	if (cut)
		daemon_stats_count(c->http->self, STAT_HTTP_CUT);
	loop_remove(c->http->loop, &c->watched);
	close(c->watched.fd);
	release_body(c);
	c->state = STATE_FREE;
	c->http->self->at[STAT_HTTP_CONNECTIONS]--;
}

static void wait_for(struct conn *c, u32 events)
{
	loop_change(c->http->loop, &c->watched, events);
}

static void finish(struct conn *c)
{
	release_body(c);
	c->since = clock_now();
	if (c->keep) {
		c->state = STATE_IDLE;
		c->got = 0;
		c->scan = (struct http_scan){};
		c->served = true;
	} else {
		c->state = STATE_LINGER;
		shutdown(c->watched.fd, SHUT_WR);
	}
	wait_for(c, EPOLLIN);
}

static ssize_t send_some(struct conn *c)
{
	size_t head = c->answer.len, body = c->body ? c->body->len : 0;
	size_t past = c->sent > head ? c->sent - head : 0;
	struct iovec parts[2] = {
		{ c->answer.text + (c->sent < head ? c->sent : head),
		  c->sent < head ? head - c->sent : 0 },
		{ c->body ? c->body->text + past : NULL, body - past },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(c->watched.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void continue_writing(struct conn *c)
{
	size_t all = c->answer.len + (c->body ? c->body->len : 0);

	while (c->sent < all) {
		ssize_t n = send_some(c);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			wait_for(c, EPOLLOUT);
			return;
		}
		if (n < 0) {
			drop(c);
			return;
		}
		c->sent += (size_t)n;
	}
	finish(c);
}

/* Who reads the oldest text longest has had the time for it. */
static void cut_slow_readers(struct http *h)
{
	const struct http_body *oldest = http_bodies_oldest(&h->bodies);

	for (int i = 0; i < HTTP_CONNECTIONS; i++)
		if (h->conns[i].state == STATE_WRITE && h->conns[i].body == oldest)
			drop(&h->conns[i]);
}

/* NULL: out of memory. */
static struct http_body *body_for(struct http *h, enum metrics_dialect dialect)
{
	struct http_body *body;
	bool oom;

	body = http_body_get(&h->bodies, dialect, h->render, h->arg, &oom);
	if (body || oom)
		return body;
	cut_slow_readers(h);
	return http_body_get(&h->bodies, dialect, h->render, h->arg, &oom);
}

static void respond(struct conn *c, struct http_request *r)
{
	struct http *h = c->http;
	size_t len = 0;

	if (r->status == 200 && r->target == HTTP_METRICS) {
		c->body = body_for(h, r->dialect);
		if (c->body)
			len = c->body->len;
		else
			r->status = 500;
	}
	c->keep = r->keep && (r->status == 200 || r->status == 404);
	http_answer_make(&c->answer, r, c->keep, c->body != NULL, len);
	daemon_stats_count(h->self, http_answer_stat(r->status));
	if (r->head)
		release_body(c);
	c->sent = 0;
	c->state = STATE_WRITE;
	continue_writing(c);
}

static void refuse(struct conn *c, int status)
{
	struct http_request r = { .status = status };

	respond(c, &r);
}

static void take(struct conn *c)
{
	int head = http_scan(&c->scan, c->in, c->got);
	struct http_request r;

	if (!head)
		return;
	if (head < 0) {
		refuse(c, -head);
		return;
	}
	r = http_parse(c->in, (size_t)head, c->http->names);
	/* One at a time: what is behind it is not answered, and the end of the connection says so. */
	r.keep &= (size_t)head == c->got;
	respond(c, &r);
}

static void continue_reading(struct conn *c)
{
	ssize_t n = recv(c->watched.fd, c->in + c->got, sizeof(c->in) - c->got, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n > 0) {
		if (c->state == STATE_IDLE)
			c->since = clock_now();
		c->state = STATE_READ;
		c->got += (size_t)n;
		take(c);
	} else if (!n && c->got) {
		refuse(c, 400);
	} else {
		drop(c);
	}
}

static void throw_away(struct conn *c)
{
	char rest[4096];
	ssize_t n = recv(c->watched.fd, rest, sizeof(rest), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n > 0)
		c->thrown += (size_t)n;
	if (n <= 0 || c->thrown > LINGER_MOST)
		drop(c);
}

static void conn_ready(void *arg, u32 events)
{
	struct conn *c = arg;

	if (c->state == STATE_LINGER)
		throw_away(c);
	else if (c->state != STATE_WRITE)
		continue_reading(c);
	else if (events & (EPOLLERR | EPOLLHUP))
		drop(c);
	else
		continue_writing(c);
}

static int nr_of_peer(const struct http *h, const struct http_peer *peer)
{
	int n = 0;

	for (int i = 0; i < HTTP_CONNECTIONS; i++)
		n += h->conns[i].state && !memcmp(&h->conns[i].peer, peer, sizeof(*peer));
	return n;
}

/* Is c closed before other to make room? */
static bool gives_way(const struct conn *c, const struct conn *other)
{
	int many = nr_of_peer(c->http, &c->peer), fewer = nr_of_peer(c->http, &other->peer);

	if (many != fewer)
		return many > fewer;
	return c->state != other->state ? c->state < other->state : c->since < other->since;
}

/*
 * Finds a free place, or frees one. A connection of the peer that has the most is closed
 * first, so that a peer cannot push out others by opening many.
 */
static struct conn *place_for_one(struct http *h)
{
	struct conn *least = &h->conns[0];

	for (int i = 1; i < HTTP_CONNECTIONS && least->state; i++) {
		struct conn *c = &h->conns[i];

		if (!c->state || gives_way(c, least))
			least = c;
	}
	if (least->state)
		drop(least);
	return least;
}

static void serve(struct http *h, int fd)
{
	struct conn *c = place_for_one(h);

	memset(c, 0, offsetof(struct conn, in));
	c->http = h;
	c->watched = (struct loop_fd){ .fd = fd, .ready = conn_ready, .arg = c };
	c->peer = http_peer_of(fd);
	if (loop_add(h->loop, &c->watched, EPOLLIN)) {
		close(fd);
		return;
	}
	c->state = STATE_READ;
	c->since = clock_now();
	h->self->at[STAT_HTTP_CONNECTIONS]++;
}

static void listener_ready(void *arg, u32 events)
{
	struct http *h = arg;

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		bool full;
		int fd = acceptor_next(&h->acceptor, &full);

		if (full)
			daemon_stats_count(h->self, STAT_HTTP_FULL);
		if (fd < 0)
			return;
		serve(h, fd);
	}
}

int http_new(struct http **to, struct loop *loop, int fd, const struct http_names *names,
	     http_render render, void *arg, struct daemon_stats *self)
{
	struct http *h = calloc(1, sizeof(*h));
	int domain = AF_UNIX, err;
	socklen_t len = sizeof(domain);

	if (!h)
		return -ENOMEM;
	h->loop = loop;
	h->render = render;
	h->arg = arg;
	h->self = self;
	err = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ? -errno : 0;
	h->names = domain == AF_UNIX ? NULL : names;
	if (!err)
		err = acceptor_init(&h->acceptor, loop, fd, false, listener_ready, h);
	if (err) {
		free(h);
		return err;
	}
	daemon_stats_use(self, STAT_HTTP_CONNECTIONS, STAT_HTTP_FULL);
	*to = h;
	return 0;
}

int http_listen(struct http *h, int fd)
{
	acceptor_release(&h->acceptor);
	return acceptor_init(&h->acceptor, h->loop, fd, false, listener_ready, h);
}

void http_changed(struct http *h)
{
	http_bodies_age(&h->bodies);
}

static bool too_long(const struct conn *c, u64 now)
{
	static const u64 limits[] = {
		[STATE_IDLE] = HTTP_IDLE_NS,
		[STATE_LINGER] = HTTP_LINGER_NS,
		[STATE_READ] = HTTP_REQUEST_NS,
		[STATE_WRITE] = HTTP_REQUEST_NS,
	};

	return c->state != STATE_FREE && now > c->since && now - c->since > limits[c->state];
}

void http_tick(struct http *h, u64 now)
{
	for (int i = 0; i < HTTP_CONNECTIONS; i++) {
		struct conn *c = &h->conns[i];

		if (!too_long(c, now))
			continue;
		if (c->state == STATE_READ && c->got)
			refuse(c, 408);
		else
			drop(c);
	}
	acceptor_turn(&h->acceptor);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	for (int i = 0; i < HTTP_CONNECTIONS; i++)
		if (h->conns[i].state != STATE_FREE)
			drop(&h->conns[i]);
	acceptor_release(&h->acceptor);
	http_bodies_release(&h->bodies);
	free(h);
}
