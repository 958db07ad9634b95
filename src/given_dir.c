// SPDX-License-Identifier: GPL-2.0-only
/* The owner is changed through a descriptor: a name could mean something else by then. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "given_dir.h"

/* Others may be able to write here, as in /tmp, if the sticky bit protects root's entries. */
static bool only_roots(const char *dir)
{
	struct stat st, link;

	return !lstat(dir, &link) && !link.st_uid && !stat(dir, &st) && !st.st_uid &&
	       (!(st.st_mode & 022) || st.st_mode & S_ISVTX);
}

/* Checks each directory on the path, which is cut at every slash and restored. */
static bool only_roots_all(char *path)
{
	bool good = only_roots(*path == '/' ? "/" : ".");

	for (char *slash = strchr(path + 1, '/'); good && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		good = only_roots(path);
		*slash = '/';
	}
	return good;
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
	if (!only_roots_all(way))
		return -EPERM;
	name = strrchr(way, '/');
	if (name)
		*name++ = '\0';
	parent = open(!name ? "." : *way ? way : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -errno;
	err = mkdirat(parent, name ?: way, 0750) ? -errno : give(parent, name ?: way, id);
	close(parent);
	return err;
}
