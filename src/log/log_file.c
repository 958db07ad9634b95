// SPDX-License-Identifier: GPL-2.0-only
/*
 * Appending: a short or failed write() is cut off again, so that no torn line stays
 * amid the file. Where not even that can be done nothing is appended until it can.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "log/log_file.h"

void log_file_init(struct log_file *f, struct log_dir *d, enum log_names name, u64 share)
{
	*f = (struct log_file){ .dir = d, .name = name, .fd = -1, .share = share };
}

void log_file_close(struct log_file *f)
{
	if (f->fd >= 0) {
		log_file_sync(f);
		close(f->fd);
	}
	f->fd = -1;
	f->torn = false;
}

/* Where the last whole line ends; -errno. */
static s64 whole_end(int fd, off_t size)
{
	char block[4096];

	while (size > 0) {
		size_t len = size % sizeof(block) ?: sizeof(block);
		const char *found;
		ssize_t n = pread(fd, block, len, size - (off_t)len);

		if (n < 0)
			return -errno;
		found = memrchr(block, '\n', (size_t)n);
		size -= (off_t)len;
		if (found)
			return size + (found - block) + 1;
	}
	return 0;
}

/* What is behind the last whole line is not a line. */
static int cut_torn(struct log_file *f, off_t size)
{
	s64 end = whole_end(f->fd, size);

	if (end < 0)
		return (int)end;
	if (end < size && ftruncate(f->fd, end))
		return -errno;
	log_dir_count(f->dir, f->name, end - size);
	f->size = (u64)end;
	return 0;
}

static int open_file(struct log_file *f)
{
	struct stat st;

	/* Neither a link nor a pipe that somebody put there may send us astray, or hold us up. */
	f->fd = openat(f->dir->fd, log_names[f->name],
		       O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, LOG_MODE);
	if (f->fd < 0 || fstat(f->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EOPNOTSUPP;
	if ((st.st_mode & 07777) != LOG_MODE)
		fchmod(f->fd, LOG_MODE); /* not ours to change where another made it */
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->torn = f->unsafe = f->named = false;
	return cut_torn(f, st.st_size);
}

static bool is_there(const struct log_file *f)
{
	struct stat st;

	return !fstatat(f->dir->fd, log_names[f->name], &st, AT_SYMLINK_NOFOLLOW) &&
	       st.st_dev == f->dev && st.st_ino == f->ino;
}

void log_file_check(struct log_file *f)
{
	if (f->fd < 0 || is_there(f))
		return;
	log_dir_count(f->dir, f->name, -(s64)f->size); /* no longer under the cap */
	log_file_close(f);
}

static int rotate(struct log_file *f)
{
	int err = f->worn ? 0 : log_file_sync(f);

	if (!err)
		err = log_dir_retire(f->dir, f->name, f->size);
	if (err)
		return err;
	close(f->fd);
	f->fd = -1;
	f->worn = false;
	return open_file(f);
}

int log_file_ready(struct log_file *f)
{
	int err = 0;

	if (f->fd < 0)
		err = open_file(f);
	if (!err && (f->size >= f->share || (f->worn && f->size)))
		err = rotate(f);
	if (err && f->fd >= 0) {
		close(f->fd);
		f->fd = -1;
	}
	return err;
}

static int cut_back(struct log_file *f)
{
	if (!f->torn)
		return 0;
	if (ftruncate(f->fd, (off_t)f->size))
		return -errno;
	f->torn = false;
	return 0;
}

/* All of it, or -errno: after a short write() the next one tells why it was. */
static int write_line(int fd, const char *line, size_t len)
{
	while (len) {
		ssize_t n = write(fd, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

int log_file_append(struct log_file *f, const char *line, size_t len)
{
	int err = cut_back(f) ?: log_dir_room(f->dir, len) ?: write_line(f->fd, line, len);

	if (err) {
		f->torn = true;
		cut_back(f);
		f->worn = err == -EIO;
		return err;
	}
	f->size += len;
	log_dir_count(f->dir, f->name, (s64)len);
	f->unsafe = true;
	return 0;
}

int log_file_sync(struct log_file *f)
{
	if (f->fd < 0 || !f->unsafe)
		return 0;
	/* fdatasync() of a new file does not promise that its name is on the disk. */
	if (fdatasync(f->fd) || (!f->named && fsync(f->dir->fd) && errno != EINVAL)) {
		f->worn = true;
		return -errno;
	}
	f->named = true;
	f->unsafe = false;
	return 0;
}
