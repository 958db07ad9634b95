// SPDX-License-Identifier: GPL-2.0-only
/* The owner is changed through a descriptor: a name could mean something else by then. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/given_dir.h"

#define MOST_LINKS 40 /* as many as the kernel follows */

/* A path is walked step by step: where the kernel follows a link, nobody sees which way it goes. */
struct walk {
	int at;              /* the directory reached; -1: none yet */
	int links;           /* followed so far */
	char rest[PATH_MAX]; /* from there on */
};

/* Others may be able to write here, as in /tmp, if the sticky bit protects root's entries. */
static bool only_roots(const struct stat *st)
{
	return !st->st_uid && (!(st->st_mode & 022) || st->st_mode & S_ISVTX);
}

/* The steps. False: somebody else can change where it leads, or it leads nowhere. */

static bool arrive(struct walk *w, int fd)
{
	struct stat st;

	if (w->at >= 0)
		close(w->at);
	w->at = fd;
	return !fstat(fd, &st) && only_roots(&st);
}

static bool begin(struct walk *w)
{
	int fd = open(*w->rest == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && arrive(w, fd);
}

static bool follow(struct walk *w, int link, const char *rest)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(link, "", path, sizeof(path));
	size_t left = strlen(rest) + 1;

	if (n < 0 || (size_t)n + 1 + left > sizeof(path) || ++w->links > MOST_LINKS)
		return false;
	path[n] = '/';
	memcpy(path + n + 1, rest, left);
	memcpy(w->rest, path, (size_t)n + 1 + left);
	return *w->rest != '/' || begin(w); /* else it goes on from the link's directory */
}

/* Goes to the next name of the path, or where it leads if it is a link. */
static bool step(struct walk *w)
{
	char *name = w->rest + strspn(w->rest, "/"), *rest = name + strcspn(name, "/");
	struct stat st;
	bool good;
	int fd;

	if (*rest)
		*rest++ = '\0';
	fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = !fstat(fd, &st);
	if (good && !S_ISLNK(st.st_mode)) {
		memmove(w->rest, rest, strlen(rest) + 1);
		return arrive(w, fd);
	}
	good = good && !st.st_uid && follow(w, fd, rest);
	close(fd);
	return good;
}

/* Opens a directory, provided that all directories and links on the way to it are root's; or -1. */
static int open_roots(const char *path)
{
	struct walk w = { .at = -1 };
	bool good;

	snprintf(w.rest, sizeof(w.rest), "%s", path);
	good = begin(&w);
	while (good && w.rest[strspn(w.rest, "/")])
		good = step(&w);
	if (good)
		return w.at;
	if (w.at >= 0)
		close(w.at);
	return -1;
}

static int give(int parent, const char *name, const struct identity *id)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fchown(fd, id->uid, id->gid) ? -errno : 0;
	close(fd);
	return err;
}

int given_dir_make(const char *path, const struct identity *id)
{
	char way[PATH_MAX];
	char *name;
	size_t len = (size_t)snprintf(way, sizeof(way), "%s", path);
	int parent, err;

	if (!len || len >= sizeof(way))
		return -ENAMETOOLONG;
	while (len > 1 && way[len - 1] == '/')
		way[--len] = '\0';
	if (!access(way, F_OK))
		return 0;
	name = strrchr(way, '/');
	if (name)
		*name++ = '\0';
	parent = open_roots(!name ? "." : *way ? way : "/");
	if (parent < 0)
		return -EPERM;
	err = mkdirat(parent, name ?: way, 0750) ? -errno : give(parent, name ?: way, id);
	close(parent);
	return err;
}
