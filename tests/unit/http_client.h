/* SPDX-License-Identifier: GPL-2.0-only */
/* A server on a loop, and clients of it in the same thread: each gives the loop its turns. */
#ifndef OPTEE_TOP_HTTP_CLIENT_H
#define OPTEE_TOP_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "metrics/http.h"
#include "source/source.h"

#define ANSWER 4096

struct server {
	struct loop loop;
	struct http *http;
	struct daemon_stats self;
	struct http_names names;
	int fd;
	bool is_unix;
	size_t page; /* bytes of the page, before its end */
	int rendered;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_un un;
	} address;
	socklen_t address_len;
};

static inline void server_render(void *arg, FILE *out, enum metrics_dialect dialect)
{
	struct server *s = arg;

	s->rendered++;
	for (size_t i = 0; i < s->page; i++)
		fputc('x', out);
	fprintf(out, "page %d %s\n", s->rendered,
		dialect == METRICS_OPENMETRICS ? "open" : "classic");
}

static inline void server_start(struct server *s, bool is_unix)
{
	memset(s, 0, sizeof(*s));
	s->is_unix = is_unix;
	if (is_unix) {
		/* Abstract: no file is left of it. */
		s->address.un.sun_family = AF_UNIX;
		s->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
					     (size_t)sprintf(s->address.un.sun_path + 1,
							     "optee-top-unit-%d", getpid()));
	} else {
		s->address.in.sin_family = AF_INET;
		s->address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		s->address_len = sizeof(s->address.in);
	}
	s->fd = socket(s->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, &s->address.any, s->address_len), 0);
	assert_int_equal(listen(s->fd, 128), 0);
	if (!is_unix)
		assert_int_equal(getsockname(s->fd, &s->address.any, &s->address_len), 0);
	assert_int_equal(loop_init(&s->loop), 0);
	daemon_stats_init(&s->self);
	assert_int_equal(http_new(&s->http, &s->loop, s->fd, &s->names, server_render, s, &s->self),
			 0);
}

static inline void server_stop(struct server *s)
{
	http_free(s->http);
	assert_int_equal(s->self.at[SELF_HTTP_CONNECTIONS], 0);
	loop_release(&s->loop);
	close(s->fd);
}

/* What can be done at once is done. */
static inline void server_turn(struct server *s)
{
	for (int i = 0; i < 4; i++)
		loop_turn(&s->loop, 0);
}

static inline int client_open(struct server *s)
{
	int fd = socket(s->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &s->address.any, s->address_len), 0);
	server_turn(s);
	return fd;
}

/* What could be sent; a server that is done with us resets the connection. */
static inline size_t client_send(struct server *s, int fd, const char *text, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		server_turn(s);
	}
	return sent;
}

/*
 * All that comes, up to its end or until nothing more comes for so long; text has what
 * fits, and a NUL. Returns the number of bytes; *ended: the server closed.
 */
static inline size_t client_read(struct server *s, int fd, char text[ANSWER], int quiet_ms,
				 bool *ended)
{
	size_t all = 0, kept = 0;
	char part[65536];
	u64 until = clock_now() + (u64)quiet_ms * 1000000;

	*ended = false;
	while (clock_now() < until) {
		ssize_t n;

		server_turn(s);
		n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
		if (!n || (n < 0 && errno != EAGAIN)) {
			*ended = true;
			break;
		}
		if (n < 0)
			continue;
		for (ssize_t i = 0; i < n && kept < ANSWER - 1; i++)
			text[kept++] = part[i];
		all += (size_t)n;
		until = clock_now() + (u64)quiet_ms * 1000000;
	}
	text[kept] = '\0';
	return all;
}

/* The length of an answer by its own head. */
static inline size_t answer_len(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n"), *len = strstr(text, "Content-Length: ");

	assert_non_null(body);
	assert_non_null(len);
	return (size_t)(body + 4 - text) + strtoul(len + strlen("Content-Length: "), NULL, 10);
}

/* One answer on a connection that stays. */
static inline void client_answer(struct server *s, int fd, char text[ANSWER])
{
	u64 until = clock_now() + 10000000000ULL;
	size_t got = 0;

	text[0] = '\0';
	do {
		ssize_t n;

		server_turn(s);
		n = recv(fd, text + got, ANSWER - 1 - got, MSG_DONTWAIT);
		assert_true(n > 0 || (n < 0 && errno == EAGAIN));
		got += n > 0 ? (size_t)n : 0;
		text[got] = '\0';
		assert_true(clock_now() < until);
	} while (!strstr(text, "\r\n\r\n") || got < answer_len(text));
	assert_int_equal(got, answer_len(text));
}

static inline int status_of(const char *text)
{
	int status = 0;

	sscanf(text, "HTTP/1.1 %d ", &status);
	return status;
}

/* One request on a connection of its own; returns the status, and the answer in text. */
static inline int client_ask(struct server *s, const char *request, char text[ANSWER])
{
	int fd = client_open(s);
	bool ended;

	client_send(s, fd, request, strlen(request));
	shutdown(fd, SHUT_WR);
	client_read(s, fd, text, 2000, &ended);
	close(fd);
	server_turn(s);
	assert_true(ended);
	return status_of(text);
}

#define GET_METRICS "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static inline void still_serves(struct server *s)
{
	char text[ANSWER];

	assert_int_equal(client_ask(s, GET_METRICS, text), 200);
	assert_non_null(strstr(text, "page"));
}

#endif
