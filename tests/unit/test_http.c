// SPDX-License-Identifier: GPL-2.0-only
/* The HTTP server on real sockets: what it serves, and what clients cannot do to it. */
#include <sys/resource.h>
#include "unit.h"
#include "fixtures/http_client.h"

#define KEEP "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define OPEN "Accept: application/openmetrics-text;version=1.0.0\r\n"

static struct server s;
static char text[ANSWER];

UNIT_TEST(serves)
{
	for (int is_unix = 0; is_unix < 2; is_unix++) {
		server_start(&s, is_unix);
		assert_int_equal(client_ask(&s, GET_METRICS, text), 200);
		assert_non_null(strstr(text, "\r\nContent-Type: text/plain; version=0.0.4"));
		assert_non_null(strstr(text, "\r\n\r\npage 1 classic\n"));
		assert_int_equal(strlen(text), answer_len(text));
		assert_int_equal(client_ask(&s, "GET /metrics HTTP/1.0\r\n" OPEN "\r\n", text),
				 200);
		assert_non_null(strstr(text, "application/openmetrics-text; version=1.0.0;"));
		assert_non_null(strstr(text, "\r\n\r\npage 2 open\n"));
		/* The same text until there is a new snapshot. */
		client_ask(&s, GET_METRICS, text);
		assert_non_null(strstr(text, "page 1 classic"));
		http_changed(s.http);
		client_ask(&s, GET_METRICS, text);
		assert_non_null(strstr(text, "page 3 classic"));
		assert_int_equal(client_ask(&s, "HEAD /metrics HTTP/1.0\r\n\r\n", text), 200);
		assert_int_equal(answer_len(text), strlen(text) + strlen("page 3 classic\n"));
		assert_int_equal(client_ask(&s, "GET / HTTP/1.0\r\n\r\n", text), 200);
		assert_non_null(strstr(text, "/metrics\n"));
		assert_int_equal(client_ask(&s, "GET /x HTTP/1.0\r\n\r\n", text), 404);
		assert_int_equal(client_ask(&s, "PUT / HTTP/1.0\r\n\r\n", text), 405);
		assert_non_null(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
		assert_int_equal(client_ask(&s, "GET / HTTP/1.1\r\nHost: a.b\r\n\r\n", text),
				 is_unix ? 200 : 421);
		assert_int_equal(client_ask(&s, "GET / HTTP/1.0\r\n", text), 400); /* and no more */
		assert_int_equal(s.self.at[STAT_HTTP_200], 6 + is_unix);
		assert_int_equal(s.self.at[STAT_HTTP_404], 1);
		assert_int_equal(s.self.at[STAT_HTTP_405], 1);
		assert_int_equal(s.self.at[STAT_HTTP_421], !is_unix);
		assert_int_equal(s.self.at[STAT_HTTP_400], 1);
		assert_int_equal(s.self.at[STAT_HTTP_CUT], 0);
		assert_int_equal(s.self.at[STAT_HTTP_CONNECTIONS], 0);
		server_stop(&s);
	}
}

/* A connection for many requests, each in pieces of another size. */
UNIT_TEST(keeps_alive)
{
	bool ended;
	int fd;

	server_start(&s, false);
	fd = client_open(&s);
	for (size_t step = 1; step < 40; step += 3) {
		for (size_t at = 0; at < strlen(KEEP); at += step) {
			size_t left = strlen(KEEP) - at;

			client_send(&s, fd, KEEP + at, left < step ? left : step);
		}
		client_answer(&s, fd, text);
		assert_int_equal(status_of(text), 200);
		assert_non_null(strstr(text, "keep-alive"));
	}
	assert_int_equal(s.self.at[STAT_HTTP_CONNECTIONS], 1);
	/* Two at once: the first is answered, and the connection ends. */
	client_send(&s, fd, KEEP KEEP, 2 * strlen(KEEP));
	shutdown(fd, SHUT_WR);
	client_read(&s, fd, text, 2000, &ended);
	assert_true(ended);
	assert_non_null(strstr(text, "Connection: close"));
	assert_int_equal(strlen(text), answer_len(text));
	close(fd);
	server_turn(&s);
	server_stop(&s);
}

/* Sends what never ends, until the server has had enough; returns its answer. */
static int endless(const char *begin, const char *more)
{
	int fd = client_open(&s), status;
	bool ended = false;

	client_send(&s, fd, begin, strlen(begin));
	for (int i = 0; i < 2000 && client_send(&s, fd, more, strlen(more)); i++)
		;
	client_read(&s, fd, text, 100, &ended);
	status = status_of(text);
	for (int i = 0; i < 200000 && client_send(&s, fd, more, strlen(more)); i++)
		;
	assert_int_equal(client_send(&s, fd, more, strlen(more)), 0); /* cut off */
	close(fd);
	server_turn(&s);
	return status;
}

UNIT_TEST(endless_requests)
{
	char body[1000];

	server_start(&s, false);
	assert_int_equal(endless("GET /", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 414);
	assert_int_equal(endless("GET / HTTP/1.1\r\n", "a: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"), 431);
	assert_int_equal(endless("GET / HTTP/1.1\r\na: ", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"), 431);
	memset(body, 'b', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	assert_int_equal(
		endless("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n",
			body),
		405);
	still_serves(&s);
	server_stop(&s);
}

/* More silent, half-said and unread connections than there are places. */
UNIT_TEST(stuck_clients)
{
	enum { NR = 3 * HTTP_CONNECTIONS };
	static const char *const said[] = { "", "GET /met", KEEP };
	int fds[NR];
	bool ended;

	server_start(&s, false);
	s.page = 8000000;
	for (int i = 0; i < NR; i++) {
		fds[i] = client_open(&s);
		client_send(&s, fds[i], said[i % 3], strlen(said[i % 3]));
		http_changed(s.http);
		assert_in_range(s.self.at[STAT_HTTP_CONNECTIONS], 1, HTTP_CONNECTIONS);
	}
	s.page = 0;
	still_serves(&s);
	/* In good time those that are left are told so, or cut off. */
	assert_true(s.self.at[STAT_HTTP_CONNECTIONS] > 1);
	http_tick(s.http, clock_now() + HTTP_REQUEST_NS / 2);
	assert_true(s.self.at[STAT_HTTP_CONNECTIONS] > 1);
	http_tick(s.http, clock_now() + HTTP_REQUEST_NS);
	assert_true(s.self.at[STAT_HTTP_408] > 0 && s.self.at[STAT_HTTP_CUT] > 0);
	http_tick(s.http, clock_now() + HTTP_REQUEST_NS);
	assert_int_equal(s.self.at[STAT_HTTP_CONNECTIONS], 0);
	client_read(&s, fds[NR - 2], text, 2000, &ended);
	assert_int_equal(status_of(text), 408);
	for (int i = 0; i < NR; i++)
		close(fds[i]);
	still_serves(&s);
	server_stop(&s);
}

/* One that is slow keeps its place while another address opens more than there are. */
UNIT_TEST(many_of_one_address)
{
	const struct sockaddr_in other = { .sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1) };
	enum { NR = 3 * HTTP_CONNECTIONS };
	int fds[NR], slow = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ended;

	server_start(&s, false);
	assert_int_equal(bind(slow, (const struct sockaddr *)&other, sizeof(other)), 0);
	assert_int_equal(connect(slow, &s.address.any, s.address_len), 0);
	server_turn(&s);
	for (int i = 0; i < NR; i++) {
		fds[i] = client_open(&s);
		client_send(&s, fds[i], "GET /met", 8);
	}
	client_send(&s, slow, GET_METRICS, strlen(GET_METRICS));
	client_read(&s, slow, text, 2000, &ended);
	assert_int_equal(status_of(text), 200);
	close(slow);
	for (int i = 0; i < NR; i++)
		close(fds[i]);
	server_turn(&s);
	server_stop(&s);
}

/* Who does not read holds an old text, of which there are few; who reads gets all of it. */
UNIT_TEST(slow_readers)
{
	int slow[6], fd;
	bool ended;

	server_start(&s, false);
	s.page = 8000000;
	for (int i = 0; i < 6; i++) {
		slow[i] = client_open(&s);
		client_send(&s, slow[i], GET_METRICS, strlen(GET_METRICS));
		http_changed(s.http);
	}
	assert_int_equal(s.rendered, 6);
	assert_int_equal(s.self.at[STAT_HTTP_CUT], 6 - HTTP_BODIES);
	assert_int_equal(s.self.at[STAT_HTTP_CONNECTIONS], HTTP_BODIES);
	fd = client_open(&s);
	client_send(&s, fd, GET_METRICS, strlen(GET_METRICS));
	assert_true(client_read(&s, fd, text, 2000, &ended) > s.page);
	assert_true(ended);
	assert_non_null(strstr(text, "Content-Length: 8000015\r\n"));
	assert_int_equal(client_read(&s, slow[5], text, 2000, &ended), answer_len(text));
	assert_true(client_read(&s, slow[0], text, 2000, &ended) < s.page);
	for (int i = 0; i < 6; i++)
		close(slow[i]);
	close(fd);
	server_turn(&s);
	server_stop(&s);
}

/* No descriptor left: it neither turns in vain nor forgets who waits. */
UNIT_TEST(no_descriptors)
{
	struct rlimit limit, none;
	bool ended;
	u64 start;
	int fd;

	server_start(&s, false);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(connect(fd, &s.address.any, s.address_len), 0);
	server_turn(&s);
	start = clock_now();
	loop_turn(&s.loop, start + 50000000);
	assert_true(clock_now() - start >= 50000000);
	setrlimit(RLIMIT_NOFILE, &limit);
	http_tick(s.http, clock_now());
	client_send(&s, fd, GET_METRICS, strlen(GET_METRICS));
	client_read(&s, fd, text, 2000, &ended);
	assert_int_equal(status_of(text), 200);
	close(fd);
	server_turn(&s);
	server_stop(&s);
}

static u32 next_random(u32 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* A request spoiled in a few places: bytes changed, left out, doubled, cut off. */
static size_t spoil(char *buf, size_t len, size_t room, u32 *seed)
{
	for (u32 n = next_random(seed) % 8; n-- > 0 && len > 1;) {
		size_t at = next_random(seed) % len, rest = len - at;

		switch (next_random(seed) % 5) {
		case 0:
			buf[at] = (char)next_random(seed);
			break;
		case 1:
			memmove(buf + at, buf + at + 1, rest - 1);
			len--;
			break;
		case 2:
			rest = rest < room - len ? rest : room - len;
			memmove(buf + len, buf + at, rest);
			len += rest;
			break;
		case 3:
			len = at + 1;
			break;
		default:
			buf[at] = "\r\n :;,=\0/?["[next_random(seed) % 11];
		}
	}
	return len;
}

UNIT_TEST(spoiled_requests)
{
	static const char whole[] =
		"GET http://[::1]:80/metrics?x=y HTTP/1.1\r\nHost: 127.0.0.1:9469\r\n"
		"Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1\r\n"
		"Connection: keep-alive, close\r\nContent-Length: 0\r\nUser-Agent: x\r\n\r\n";
	static const int seen[] = { 200, 400, 404, 405, 414, 421, 431, 505 };
	static char buf[8192];
	u32 seed = 0x5eed1e55;
	int counts[8] = {}, answers = 0;

	server_start(&s, false);
	for (int i = 0; i < 10000; i++) {
		int fd = client_open(&s), status;
		size_t len;
		bool ended;

		memcpy(buf, whole, sizeof(whole));
		len = spoil(buf, sizeof(whole) - 1, sizeof(buf), &seed);
		client_send(&s, fd, buf, len);
		if (next_random(&seed) % 4)
			shutdown(fd, SHUT_WR);
		client_read(&s, fd, text, 1, &ended);
		close(fd);
		server_turn(&s);
		status = status_of(text);
		answers += status != 0;
		for (int n = 0; n < 8; n++)
			counts[n] += status == seen[n];
		if (i % 1000 == 0)
			still_serves(&s);
	}
	still_serves(&s);
	assert_int_equal(s.self.at[STAT_HTTP_CONNECTIONS], 0);
	for (int n = 0; n < 8; n++) {
		print_message("%d: %d\n", seen[n], counts[n]);
		answers -= counts[n];
	}
	assert_int_equal(answers, 0);
	assert_true(counts[0] > 500 && counts[1] > 500 && counts[2] > 10 && counts[3] > 10);
	server_stop(&s);
}
