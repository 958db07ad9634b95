// SPDX-License-Identifier: GPL-2.0-only
/* Connecting by a path: of the daemon's clients, and of a daemon that looks for another. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/unix_socket.h"

int unix_connect(const char *path, int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval most = { .tv_sec = 60 }; /* where too many wait to be accepted */
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* One byte goes with it, for there has to be one. */
struct fd_message {
	char byte;
	struct iovec data;
	union {
		struct cmsghdr head;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg;
};

static struct msghdr *fd_message(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->data = (struct iovec){ &m->byte, 1 };
	m->msg = (struct msghdr){ .msg_iov = &m->data,
				  .msg_iovlen = 1,
				  .msg_control = m->control.buf,
				  .msg_controllen = sizeof(m->control.buf) };
	return &m->msg;
}

bool unix_send_fd(int via, int fd)
{
	struct fd_message m;
	struct msghdr *msg = fd_message(&m);
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(via, msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

int unix_receive_fd(int via)
{
	struct fd_message m;
	struct msghdr *msg = fd_message(&m);
	const struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(via, msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

uid_t unix_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? (uid_t)-1 : peer.uid;
}
