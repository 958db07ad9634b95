// SPDX-License-Identifier: GPL-2.0-only
/* The file is never removed: otherwise two processes could hold locks on two different files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/lock_file.h"

/* In a directory such as /tmp another user may have created the file, and hold it locked. */
static int check(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_mode & 077 || (st.st_uid && st.st_uid != geteuid()))
		return -ENOLCK;
	return flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

int lock_file_take(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = check(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

bool lock_file_there(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && st.st_nlink;
}
