// SPDX-License-Identifier: GPL-2.0-only
/* Who gets a place at the daemon's socket, and what those are told who get none. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "unit.h"
#include "base/listener.h"
#include "daemon/daemon_server.h"
#include "source/source.h"
#include "source/daemon_client.h"
#include "base/unix_socket.h"

#define SERVED 100 /* exit status of a client that is served; else its errno */

static const char path[] = "build/unit/daemon_server.sock";
static const struct daemon_server_limits limits = { .clients = 8,
						    .of_user = 3,
						    .kept_for_root = 2 };

static struct {
	struct loop loop;
	struct listener listener;
	struct history *history;
	struct daemon_server *serve;
} server;

static void start(void)
{
	struct identity id = { geteuid(), getegid() };
	struct hello hello = { .version = "v1", .present = true };

	assert_int_equal(loop_init(&server.loop), 0);
	assert_int_equal(listener_unix(&server.listener, path, &id), STATUS_OK);
	assert_int_equal(chmod(path, 0666), 0);
	server.history = history_new(64 << 10);
	server.serve = daemon_server_new(&server.loop, server.listener.fd, server.history, &hello,
					 &limits);
	assert_non_null(server.serve);
}

static void stop(void)
{
	daemon_server_free(server.serve);
	listener_close(&server.listener);
	history_free(server.history);
	loop_release(&server.loop);
}

/* As another user, where we may be: the kernel remembers who connected. */
static int come(uid_t uid)
{
	int fd;

	if (!getuid())
		assert_int_equal(seteuid(uid), 0);
	fd = unix_connect(path, 0);
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
	assert_true(fd >= 0);
	for (int i = 0; i < 4; i++)
		loop_turn(&server.loop, 0);
	return fd;
}

/* What a real client makes of it. */
static int ask(uid_t uid)
{
	const struct daemon_client_opts want = { .since_ns = ~0ULL };
	struct daemon_client *st;
	int how;
	pid_t pid = fork();

	if (!pid) {
		if (!getuid() && setuid(uid))
			_exit(EPERM);
		how = -daemon_client_open(&st, path, &want);
		_exit(how ? how : SERVED);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &how, WNOHANG) != pid) {
		loop_turn(&server.loop, clock_now() + 1000000);
		daemon_server_turn(server.serve, clock_now());
	}
	assert_true(WIFEXITED(how));
	loop_turn(&server.loop, 0); /* it has closed */
	return WEXITSTATUS(how);
}

static u64 refused(void)
{
	struct daemon_server_stats stats;

	daemon_server_stats(server.serve, &stats);
	return stats.refused;
}

UNIT_TEST(one_user_has_a_share)
{
	int fds[8], n = 0;

	start();
	for (; n < 3; n++)
		fds[n] = come(1000);
	if (geteuid()) { /* all are the same user then */
		assert_int_equal(ask(0), EDQUOT);
		assert_int_equal(refused(), 1);
	} else {
		assert_int_equal(ask(1000), EDQUOT);
		assert_int_equal(ask(1001), SERVED);
		for (; n < 6; n++)
			fds[n] = come(1001);
		/* The last places are root's. */
		assert_int_equal(ask(1002), EUSERS);
		assert_int_equal(ask(0), SERVED);
		assert_int_equal(refused(), 2);
		for (; n < 8; n++)
			fds[n] = come(0);
		assert_int_equal(ask(0), EUSERS);
		close(fds[--n]);
		loop_turn(&server.loop, 0);
		assert_int_equal(ask(0), SERVED);
	}
	while (n)
		close(fds[--n]);
	stop();
}

/* Without descriptors: it says so, and does not turn in vain. */
UNIT_TEST(descriptors_run_out)
{
	struct rlimit limit, none;
	u64 before;
	int fd;

	start();
	fd = dup(0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd; /* none is left, but that in use */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	before = refused();
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		int how;

		if (!pid) {
			const struct daemon_client_opts want = { .since_ns = ~0ULL };
			struct daemon_client *st;

			setrlimit(RLIMIT_NOFILE, &limit);
			_exit(-daemon_client_open(&st, path, &want));
		}
		while (waitpid(pid, &how, WNOHANG) != pid)
			loop_turn(&server.loop, clock_now() + 1000000);
		assert_int_equal(WEXITSTATUS(how), ENOSR);
	}
	assert_int_equal(refused() - before, 3);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(ask(0), SERVED);
	stop();
}

/* Nor is there a spare one: it waits instead. */
UNIT_TEST(not_even_a_spare_one)
{
	struct rlimit limit, none;
	u64 start_ns;
	int fd, turns = 0;

	start();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(connect(fd,
				 (struct sockaddr *)&(struct sockaddr_un){
					 .sun_family = AF_UNIX,
					 .sun_path = "build/unit/daemon_server.sock" },
				 sizeof(struct sockaddr_un)),
			 0);
	loop_turn(&server.loop, 0);
	start_ns = clock_now();
	for (; clock_now() < start_ns + 50000000; turns++)
		loop_turn(&server.loop, start_ns + 50000000);
	assert_true(turns < 4);
	setrlimit(RLIMIT_NOFILE, &limit);
	daemon_server_turn(server.serve, clock_now());
	assert_int_equal(send(fd, "follow 0 0\n", 11, MSG_NOSIGNAL), 11);
	for (int i = 0; i < 4; i++)
		loop_turn(&server.loop, 0);
	assert_true(recv(fd, &limit, sizeof(limit), MSG_DONTWAIT) > 0);
	assert_int_equal(refused(), 0); /* it was only served late */
	close(fd);
	stop();
}
