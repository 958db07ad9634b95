// SPDX-License-Identifier: GPL-2.0-only
/* Whatever a client sends to the metrics' server, in pieces. */
#include "fuzz.h"
#include "metrics/http.h"
#include "metrics/http_request.h"
#include "source/source.h"

static void render_page(void *arg, FILE *out, enum metrics_dialect dialect)
{
	(void)arg;
	fprintf(out, "page %d\n", dialect);
}

/* As over TCP, where it has to be asked for by a name; and as a file of such names. */
static void parse_guarded(struct http_names *names, const uint8_t *data, size_t size)
{
	struct http_scan scan = {};
	int head = http_scan(&scan, (const char *)data, size);
	char path[32];
	int fd = fuzz_file(data, size, path);

	if (head > 0)
		http_parse((const char *)data, (size_t)head, names);
	http_names_read(names, path);
	http_names_release(names);
	close(fd);
}

static void fuzz_http(const uint8_t *data, size_t size)
{
	static struct sockaddr_un address;
	static socklen_t address_len;
	static struct daemon_stats self;
	static struct http_names names = { .given = { "*.example" }, .nr_given = 1 };
	static struct loop loop;
	static struct http *http;
	char answer[4096];
	int fd;

	parse_guarded(&names, data, size);
	if (!http) {
		int listener = fuzz_listen("http", &address, &address_len);

		daemon_stats_init(&self);
		if (loop_init(&loop) ||
		    http_new(&http, &loop, listener, &names, render_page, NULL, &self))
			abort();
	}
	fd = fuzz_connect(&address, address_len);
	loop_turn(&loop, 0);
	for (size_t at = 0, n; at < size; at += n) {
		n = 1 + data[at] * 4;
		n = n < size - at ? n : size - at;
		if (send(fd, data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		loop_turn(&loop, 0);
	}
	shutdown(fd, SHUT_WR);
	for (int turns = 0; turns < 3; turns++) {
		loop_turn(&loop, 0);
		while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
			;
	}
	close(fd);
	loop_turn(&loop, 0);
	http_tick(http, clock_now() + HTTP_LINGER_NS);
}

FUZZ_TARGET(http);
