// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP requests that are none, many at once:
 *
 *	mob PORT N
 *
 * makes N connections to 127.0.0.1, and prints how often which status was the answer ("200
 * 12"), and how many got none ("none 34").
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE  48
#define STATUSES 600
#define HEAD     12 /* "HTTP/1.1 200" */

enum manner { ALL, ENDLESS, HALF, SLOW, LEAVES, DEAF };

static const struct kind {
	const char *text;
	size_t len;
	enum manner manner;
} kinds[] = {
#define SAYS(text, manner)                                                                         \
	{                                                                                          \
		text, sizeof(text) - 1, manner                                                     \
	}
	SAYS("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", ALL),
	SAYS("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", DEAF),
	SAYS("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", ALL),
	SAYS("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", ALL),
	SAYS("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
	     ALL),
	SAYS("GET /metrics HTTP/9.9\r\nHost: localhost\r\n\r\n", ALL),
	SAYS("GET  /metrics  HTTP/1.1\r\n\r\n", ALL),
	SAYS("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ALL),
	SAYS("\r\n\r\n\r\n\r\n", ALL),
	SAYS("GET /\0metrics HTTP/1.1\r\n\r\n", ALL),
	SAYS("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", HALF),
	SAYS("\xff\xfe\xfd\xfc\n\n\n", ALL),
	SAYS("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", ALL),
	SAYS("GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
	     HALF),
	SAYS("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ENDLESS),
	SAYS("GET / HTTP/1.1\r\nX: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", ENDLESS),
	SAYS("GET /metrics HTTP/1.1\r\nHost: lo", HALF),
	SAYS("", HALF),
	SAYS("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", SLOW),
	SAYS("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", LEAVES),
#undef SAYS
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct member {
	const struct kind *kind; /* NULL: free */
	long long end_ms;
	size_t said;
	char head[HEAD];
	size_t heard;
} mob[AT_ONCE];

static struct pollfd fds[AT_ONCE];
static unsigned int answers[STATUSES], none;

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static bool come(int i, unsigned int nth, in_port_t port)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					.sin_port = htons(port) };
	struct member *m = &mob[i];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    (connect(fd, (const struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS))
		return false;
	*m = (struct member){ .kind = &kinds[nth % NR_KINDS] };
	m->end_ms = now_ms() + (m->kind->manner == HALF || m->kind->manner == SLOW ? 300 : 20000);
	fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT };
	return true;
}

static void go(int i)
{
	const struct member *m = &mob[i];
	int status = m->heard == HEAD ? atoi(m->head + 9) : 0;

	if (status > 0 && status < STATUSES)
		answers[status]++;
	else
		none++;
	close(fds[i].fd);
	fds[i].fd = -1;
	mob[i].kind = NULL;
}

/* False: there is nothing more to say. */
static bool speak(struct member *m, int fd)
{
	const struct kind *k = m->kind;
	size_t at = k->manner == ENDLESS ? m->said % k->len : m->said;
	size_t n = k->manner == SLOW ? 1 : k->len - at;
	ssize_t sent;

	if (at == k->len || !n)
		return false;
	sent = send(fd, k->text + at, n, MSG_NOSIGNAL);
	if (sent > 0)
		m->said += (size_t)sent;
	return sent > 0 || errno == EAGAIN;
}

/* False: it is over. */
static bool hear(struct member *m, int fd)
{
	char spare[4096];
	ssize_t n = m->heard < HEAD ? recv(fd, m->head + m->heard, HEAD - m->heard, 0) :
				      recv(fd, spare, sizeof(spare), 0);

	if (n > 0 && m->heard < HEAD)
		m->heard += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void take(int i)
{
	struct member *m = &mob[i];

	if (fds[i].revents & POLLOUT && !speak(m, fds[i].fd)) {
		fds[i].events = m->kind->manner == DEAF ? 0 : POLLIN;
		if (m->kind->manner == DEAF)
			m->end_ms = now_ms() + 300;
		if (m->kind->manner == LEAVES) {
			go(i);
			return;
		}
	}
	if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR) && m->kind->manner != DEAF &&
	     !hear(m, fds[i].fd)) ||
	    now_ms() > m->end_ms)
		go(i);
}

int main(int argc, char **argv)
{
	unsigned int n = argc == 3 ? (unsigned int)atoi(argv[2]) : 0, come_so_far = 0, gone;
	in_port_t port = argc == 3 ? (in_port_t)atoi(argv[1]) : 0;

	if (!n || !port) {
		fprintf(stderr, "usage: mob PORT N\n");
		return 2;
	}
	setpriority(PRIO_PROCESS, 0, 19);
	for (int i = 0; i < AT_ONCE; i++)
		fds[i].fd = -1;
	do {
		gone = 0;
		for (int i = 0; i < AT_ONCE; i++) {
			if (!mob[i].kind && come_so_far < n) {
				if (!come(i, come_so_far, port)) {
					perror("mob");
					return 1;
				}
				come_so_far++;
			}
			gone += !mob[i].kind;
		}
		poll(fds, AT_ONCE, 100);
		for (int i = 0; i < AT_ONCE; i++)
			if (mob[i].kind)
				take(i);
	} while (gone < AT_ONCE);
	for (unsigned int i = 0; i < STATUSES; i++)
		if (answers[i])
			printf("%u %u\n", i, answers[i]);
	printf("none %u\n", none);
	return 0;
}
