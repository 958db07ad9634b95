// SPDX-License-Identifier: GPL-2.0-only
/* Whatever a client says to the daemon, instead of its one line or behind it. */
#include "fuzz.h"
#include "daemon/daemon_server.h"
#include "source/source.h"

static void fuzz_request(const uint8_t *data, size_t size)
{
	static const struct hello hello = { .version = "v1", .present = true };
	static struct sockaddr_un address;
	static socklen_t address_len;
	static struct loop loop;
	static struct daemon_server *serve;
	char answer[4096];
	int fd;

	if (!serve) {
		struct history *history = history_new(4096);
		int listener = fuzz_listen("request", &address, &address_len);

		if (loop_init(&loop))
			abort();
		serve = daemon_server_new(&loop, listener, history, &hello, &daemon_server_limits);
		if (!serve)
			abort();
	}
	fd = fuzz_connect(&address, address_len);
	loop_turn(&loop, 0);
	for (size_t at = 0, n; at < size; at += n) {
		n = 1 + data[at] % 32; /* as it may come: in pieces */
		n = n < size - at ? n : size - at;
		if (send(fd, data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		loop_turn(&loop, 0);
	}
	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
	close(fd);
	loop_turn(&loop, 0);
	daemon_server_turn(serve, clock_now());
}

FUZZ_TARGET(request);
