// SPDX-License-Identifier: GPL-2.0-only
/* The spare is an open file, not a dup(): the system may be out of files (ENFILE), too. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/acceptor.h"

static void keep_spare(struct acceptor *a)
{
	if (a->keeps_spare && a->spare < 0)
		a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool give_spare(struct acceptor *a)
{
	bool had = a->spare >= 0;

	if (had)
		close(a->spare);
	a->spare = -1;
	return had;
}

int acceptor_init(struct acceptor *a, struct loop *l, int fd, bool keeps_spare,
		  void (*ready)(void *arg, u32 events), void *arg)
{
	*a = (struct acceptor){ .loop = l,
				.listener = { .fd = fd, .ready = ready, .arg = arg },
				.keeps_spare = keeps_spare,
				.spare = -1 };
	keep_spare(a);
	return loop_add(l, &a->listener, EPOLLIN);
}

static void pause_listening(struct acceptor *a)
{
	loop_remove(a->loop, &a->listener);
	a->paused = true;
}

void acceptor_release(struct acceptor *a)
{
	if (!a->paused)
		loop_remove(a->loop, &a->listener);
	give_spare(a);
}

static int accept_one(const struct acceptor *a)
{
	int fd = accept4(a->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

/* Any other error concerns a single connection, which is gone by now. */
static bool none_left(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM;
}

int acceptor_next(struct acceptor *a, bool *full)
{
	int fd = accept_one(a);

	*full = none_left(fd);
	if (*full && give_spare(a))
		fd = accept_one(a);
	if (fd >= 0)
		return fd;
	keep_spare(a);
	if (none_left(fd))
		pause_listening(a);
	return -1;
}

void acceptor_refuse(struct acceptor *a, int fd)
{
	close(fd);
	keep_spare(a);
}

void acceptor_turn(struct acceptor *a)
{
	keep_spare(a);
	if (a->paused && !loop_add(a->loop, &a->listener, EPOLLIN))
		a->paused = false;
}
