// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients of the daemon's socket that do not do as they should, many at once:
 *
 *	crowd PATH N READY [KIND]
 *
 * connects N of them, of all kinds or of one, makes the file READY, and goes on until
 * SIGTERM. Then it prints, for
 * each kind, its name, how many there were, and how many of them the daemon has closed.
 * tests/programs/daemon/mob.c is the same for HTTP.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_MEMBERS 1000

static const struct kind {
	const char *name, *says;
	bool drips; /* reads a byte a second */
} kinds[] = {
	{ "stuck", "follow 0 1\n", false },
	{ "drip", "follow 0 1\n", true },
	{ "silent", "", false },
	{ "half", "follow 0", false },
	{ "rubbish", "GET /metrics HTTP/1.1\r\n\r\n", false },
	{ "number", "follow 99999999999999999999999999 2\n", false },
	{ "endless", "follow 00000000000000000000000000000000000000000000000000000000000000000",
	  false },
	{ "talks", "follow 0 0\nfollow 0 1\n", false },
	{ "gone", "follow 0 1\n", false }, /* see below: closes as soon as it has spoken */
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static volatile sig_atomic_t ends;

static void on_signal(int sig)
{
	ends = sig;
}

/* Of which kind the nth one is; only NULL: of all in turn. */
static size_t kind_of(int nth, const char *only)
{
	size_t kind = (size_t)nth % NR_KINDS;

	for (size_t i = 0; only && i < NR_KINDS; i++)
		if (!strcmp(kinds[i].name, only))
			kind = i;
	return kind;
}

static int die(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	return 1;
}

static int come(const char *path, const struct kind *k)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    send(fd, k->says, strlen(k->says), MSG_NOSIGNAL) < 0)
		return -1;
	return fd;
}

/* Those that drip take their byte. */
static void drip(const struct pollfd *members, int n, const char *only)
{
	char byte;

	for (int i = 0; i < n; i++)
		if (members[i].fd >= 0 && kinds[kind_of(i, only)].drips)
			(void)!recv(members[i].fd, &byte, 1, MSG_DONTWAIT);
}

static void tell(const struct pollfd *members, int n, const char *only)
{
	int all[NR_KINDS] = {}, closed[NR_KINDS] = {};

	for (int i = 0; i < n; i++) {
		all[kind_of(i, only)]++;
		closed[kind_of(i, only)] += (members[i].revents & POLLHUP) != 0;
	}
	for (size_t i = 0; i < NR_KINDS; i++)
		printf("%s %d %d\n", kinds[i].name, all[i], closed[i]);
}

int main(int argc, char **argv)
{
	const struct rlimit fds = { MAX_MEMBERS + 16, MAX_MEMBERS + 16 };
	static struct pollfd members[MAX_MEMBERS];
	int n = argc == 4 || argc == 5 ? atoi(argv[2]) : 0;
	const char *only = argc == 5 ? argv[4] : NULL;
	struct sigaction act = { .sa_handler = on_signal };

	if (n < 1 || n > MAX_MEMBERS) {
		fprintf(stderr, "usage: crowd PATH N READY [KIND]\n");
		return 2;
	}
	sigaction(SIGTERM, &act, NULL);
	setpriority(PRIO_PROCESS, 0, 19);
	if (setrlimit(RLIMIT_NOFILE, &fds))
		return die("cannot have so many");
	for (int i = 0; i < n; i++) {
		const struct kind *k = &kinds[kind_of(i, only)];

		members[i].fd = come(argv[1], k);
		if (members[i].fd < 0)
			return die(k->name);
		if (!strcmp(k->name, "gone")) {
			close(members[i].fd);
			members[i].fd = -1;
		}
	}
	if (creat(argv[3], 0644) < 0)
		return die(argv[3]);
	while (!ends) {
		drip(members, n, only);
		sleep(1);
	}
	if (poll(members, (nfds_t)n, 0) < 0)
		return die("poll");
	tell(members, n, only);
	return 0;
}
