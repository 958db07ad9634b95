// SPDX-License-Identifier: GPL-2.0-only
/*
 * Serves a made snapshot by HTTP as the daemon does, for tests/guest/metrics/test_http.py: on a
 * free port of 127.0.0.1, which it prints, until standard input ends. There is a new
 * snapshot each second; its figures stay the same.
 *
 * usage: metrics-served CASE
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>
#include "metrics/http.h"
#include "metrics_made.h"
#include "source/source.h"

#define TURN_NS 50000000 /* as the daemon */

static void render(void *arg, FILE *out, enum metrics_dialect dialect)
{
	(void)arg;
	metrics_print(out, dialect, &host, &snap, &self);
}

static void input_ready(void *arg, u32 events)
{
	(void)events;
	*(bool *)arg = true;
}

static int listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		exit(1);
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	bool ends = false;
	struct loop_fd input = { .fd = STDIN_FILENO, .ready = input_ready, .arg = &ends };
	static const struct http_names names;
	struct http *http;
	struct loop loop;
	u64 due = 0;

	if (argc < 2 || !make_case(argv[1]))
		return 2;
	daemon_stats_init(&self);
	daemon_stats_use(&self, 0, NR_DAEMON_STATS - 1);
	daemon_stats_measure(&self); /* once: a page is to be like the one before */
	if (loop_init(&loop) || loop_add(&loop, &input, EPOLLIN) ||
	    http_new(&http, &loop, listen_somewhere(), &names, render, NULL, &self))
		return 1;
	while (!ends) {
		u64 now = clock_now();

		http_tick(http, now);
		if (now >= due) {
			http_changed(http);
			due = now + 1000000000;
		}
		loop_turn(&loop, now + TURN_NS);
	}
	http_free(http);
	loop_release(&loop);
	return self.at[STAT_HTTP_CONNECTIONS] != 0;
}
