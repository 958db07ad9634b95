// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may make a unix socket holds the lock beside it, so that of two daemons that
 * come at once one finds the other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/listener.h"
#include "base/lock_file.h"
#include "base/unix_socket.h"

#define BACKLOG 128

static enum status cannot(const char *where, const char *why)
{
	return fail(STATUS_FAILURE, "cannot listen on '%s': %s", where, why);
}

/*
 * The directory of a path of ours, as /run/optee-top is. It stays that of who made it:
 * in one of the worker's user others of that user could put a socket in place of ours.
 * It is created with its final mode, whatever the umask: a chmod() by name afterwards could
 * hit something else.
 */
static void make_parent(const char *path)
{
	char parent[sizeof(((struct listener *)0)->path)];
	mode_t mask;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return;
	*slash = '\0';
	mask = umask(022);
	mkdir(parent, 0755);
	umask(mask);
}

static enum status take_lock(struct listener *l)
{
	char name[sizeof(l->path) + 8];

	snprintf(name, sizeof(name), "%s.lock", l->path);
	l->lock = lock_file_take(AT_FDCWD, name);
	if (l->lock >= 0)
		return STATUS_OK;
	if (l->lock == -ENOLCK)
		return cannot(l->path, "its lock file belongs to another user; remove it, or "
				       "give another path");
	return cannot(l->path,
		      l->lock == -EWOULDBLOCK ?
			      "another daemon already listens there; stop it, or give --socket "
			      "another path" :
			      strerror(-l->lock));
}

/* Anybody's, of any type: a stream socket only tells apart whether there is one. */
static bool listens(const char *path)
{
	int fd = unix_connect(path, SOCK_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd != -ECONNREFUSED;
}

/* Of a daemon that was killed the socket stays, and nobody listens. */
static enum status clear_way(const struct listener *l)
{
	struct stat st;

	if (lstat(l->path, &st))
		return STATUS_OK;
	if (!S_ISSOCK(st.st_mode))
		return cannot(l->path, "it exists and is not a socket; remove it, or give "
				       "another path");
	if (listens(l->path))
		return cannot(l->path, "another program listens there; stop it, or give another "
				       "path");
	if (unlink(l->path))
		return cannot(l->path, strerror(errno));
	return STATUS_OK;
}

/* Sets the group of the socket just created; through a descriptor, for the same reason. */
static int give_group(const struct listener *l, gid_t gid)
{
	int fd = open(l->path, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st))
		err = errno;
	else if (!S_ISSOCK(st.st_mode) || st.st_uid)
		err = EEXIST; /* somebody has replaced it */
	else if (fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH))
		err = errno;
	close(fd);
	return err;
}

static enum status bind_unix(struct listener *l, const struct identity *id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int err;

	strcpy(address.sun_path, l->path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return cannot(l->path, strerror(errno));
	mask = umask(0117); /* final mode; nobody can connect before listen() anyway */
	err = bind(l->fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	umask(mask);
	if (!err && !geteuid())
		err = give_group(l, id->gid);
	if (!err && listen(l->fd, BACKLOG))
		err = errno;
	return err ? cannot(l->path, strerror(err)) : STATUS_OK;
}

enum status listener_unix(struct listener *l, const char *path, const struct identity *id)
{
	enum status status;

	*l = (struct listener){ .fd = -1, .lock = -1 };
	if (strlen(path) >= sizeof(l->path))
		return cannot(path, strerror(ENAMETOOLONG));
	strcpy(l->path, path);
	make_parent(path);
	status = take_lock(l);
	if (status == STATUS_OK)
		status = clear_way(l);
	if (status == STATUS_OK)
		status = bind_unix(l, id);
	if (status != STATUS_OK) {
		l->path[0] = '\0'; /* not ours to remove */
		listener_close(l);
	}
	return status;
}

int listener_renew(struct listener *l, const struct identity *id)
{
	struct listener made = *l;
	enum status status = STATUS_OK;
	bool locked = lock_file_there(l->lock);
	struct stat st;

	if (!l->path[0] || !lstat(l->path, &st) || errno != ENOENT)
		return 0;
	make_parent(l->path);
	made.fd = -1;
	if (!locked)
		status = take_lock(&made);
	if (status == STATUS_OK)
		status = bind_unix(&made, id);
	if (status != STATUS_OK) {
		if (made.fd >= 0)
			close(made.fd);
		if (!locked && made.lock >= 0)
			close(made.lock);
		return -1;
	}
	close(l->fd);
	if (!locked)
		close(l->lock);
	*l = made;
	return 1;
}

/* [HOST:]PORT, [V6]:PORT; false: it is none. */
static bool parse_address(const char *where, struct sockaddr_storage *to, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	const char *colon = strrchr(where, ':'), *digits = colon ? colon + 1 : where;
	char host[64] = "127.0.0.1", *end;
	unsigned long port = strtoul(digits, &end, 10);

	if (*digits < '0' || *digits > '9' || *end || !port || port > 65535)
		return false;
	if (colon) {
		bool brackets = *where == '[' && colon > where && colon[-1] == ']';

		snprintf(host, sizeof(host), "%.*s", (int)(colon - where) - 2 * brackets,
			 where + brackets);
	}
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((in_port_t)port);
		*len = sizeof(*v4);
		return true;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((in_port_t)port);
	*len = sizeof(*v6);
	return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

static enum status listener_tcp(struct listener *l, const char *where)
{
	struct sockaddr_storage address;
	int one = 1;
	socklen_t len;

	if (!parse_address(where, &address, &len))
		return fail(STATUS_USAGE,
			    "cannot listen on '%s': give a PORT, a numeric HOST:PORT, or the path "
			    "of a socket",
			    where);
	l->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && !setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(l->fd, (struct sockaddr *)&address, len) && !listen(l->fd, BACKLOG))
		return STATUS_OK;
	cannot(where, strerror(errno));
	listener_close(l);
	return STATUS_FAILURE;
}

enum status listener_open(struct listener *l, const char *where, const struct identity *id)
{
	*l = (struct listener){ .fd = -1, .lock = -1 };
	return strchr(where, '/') ? listener_unix(l, where, id) : listener_tcp(l, where);
}

void listener_close(struct listener *l)
{
	if (l->path[0])
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	if (l->lock >= 0)
		close(l->lock);
	*l = (struct listener){ .fd = -1, .lock = -1 };
}
