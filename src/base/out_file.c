// SPDX-License-Identifier: GPL-2.0-only
/* A stream of our own over the descriptor remembers why a write failed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/out_file.h"
#include "base/printable.h"

#define BUFFER 65536

static ssize_t write_all(struct out_file *f, const char *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(f->fd, buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			f->error = f->error ?: errno;
			return 0;
		}
		done += (size_t)n;
	}
	return (ssize_t)len;
}

static ssize_t write_stream(void *cookie, const char *buf, size_t len)
{
	struct out_file *f = cookie;

	if (!f->ascii)
		return write_all(f, buf, len);
	for (size_t at = 0, taken; at < len; at += taken) {
		char out[512];

		taken = len - at;
		if (!write_all(f, out, printable_ascii(out, sizeof(out), buf + at, &taken)))
			return 0;
	}
	return (ssize_t)len;
}

/* As a new file would have it; there is no other way to ask. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

void out_file_like(int fd, const struct stat *old)
{
	mode_t mode = old->st_mode & 0777;
	struct stat st;

	if (fstat(fd, &st))
		return;
	/* If the group cannot be kept, the new one gets no rights. */
	if (st.st_gid != old->st_gid && fchown(fd, (uid_t)-1, old->st_gid))
		mode &= ~(mode_t)070;
	fchmod(fd, mode);
	if (st.st_uid != old->st_uid && fchown(fd, old->st_uid, (gid_t)-1))
		return; /* only root can change the owner; the file stays as private as it was */
}

/*
 * Opens a temporary file beside the final one, which may be reached through a link. old: the
 * file that it is going to replace, or NULL.
 */
static int open_partial(struct out_file *f, const struct stat *old)
{
	char *real = realpath(f->name, NULL);
	int fd, n;

	if (real)
		snprintf(f->name, sizeof(f->name), "%s", real);
	free(real);
	n = snprintf(f->partial, sizeof(f->partial), "%s.XXXXXX", f->name);
	if (n < 0 || (size_t)n >= sizeof(f->partial)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(f->partial, O_CLOEXEC);
	if (fd >= 0 && old)
		out_file_like(fd, old);
	else if (fd >= 0)
		fchmod(fd, new_mode());
	return fd;
}

static int open_named(struct out_file *f)
{
	struct stat old;

	/* EACCES may mean another user's link in /tmp, which realpath() would follow. */
	if (stat(f->name, &old))
		return errno == ENOENT ? open_partial(f, NULL) : -1;
	return S_ISREG(old.st_mode) ? open_partial(f, &old) : open(f->name, O_WRONLY | O_CLOEXEC);
}

static bool is_stdout(const char *name)
{
	return !name || !strcmp(name, "-");
}

bool out_file_is(const char *name, const char *path)
{
	struct stat out, other;

	if (is_stdout(name) ? fstat(STDOUT_FILENO, &out) : stat(name, &out))
		return false;
	return S_ISREG(out.st_mode) && !stat(path, &other) && out.st_dev == other.st_dev &&
	       out.st_ino == other.st_ino;
}

enum status out_file_open(struct out_file *f, const char *name)
{
	const cookie_io_functions_t io = { .write = write_stream };

	memset(f, 0, sizeof(*f));
	f->fd = STDOUT_FILENO;
	if (!is_stdout(name)) {
		if (strlen(name) >= sizeof(f->name))
			return fail(STATUS_FAILURE, "cannot write '%s': %s", name,
				    strerror(ENAMETOOLONG));
		strcpy(f->name, name);
		f->fd = *name ? open_named(f) : (errno = ENOENT, -1);
	}
	if (f->fd < 0)
		return fail(STATUS_FAILURE, "cannot write '%s': %s", name, strerror(errno));
	f->ascii = printable_wants_ascii(f->fd);
	f->stream = fopencookie(f, "w", io);
	if (!f->stream) {
		out_file_close(f, false);
		return fail(STATUS_FAILURE, "cannot write '%s': out of memory", name ?: "-");
	}
	setvbuf(f->stream, NULL, _IOFBF, BUFFER);
	return STATUS_OK;
}

static void note(struct out_file *f, bool failed)
{
	if (failed && !f->error)
		f->error = errno;
}

/* A rename is on the disk once the directory is. */
static int sync_name(const struct out_file *f)
{
	const char *slash = strrchr(f->name, '/');
	char dir[PATH_MAX] = ".";
	int fd, err;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - f->name) + 1, f->name);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return syncfs(f->fd); /* a directory that we may write but not read */
	err = fsync(fd) && errno != EINVAL ? errno : 0;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

/* Standard output may be a file, too. */
static int sync_output(const struct out_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) || !S_ISREG(st.st_mode) ? 0 : fsync(f->fd);
}

static void give_name(struct out_file *f)
{
	note(f, fsync(f->fd) != 0);
	if (!f->error)
		note(f, rename(f->partial, f->name) != 0);
	if (f->error)
		return;
	f->partial[0] = '\0';
	note(f, sync_name(f) != 0);
}

enum status out_file_close(struct out_file *f, bool complete)
{
	if (f->stream)
		note(f, fclose(f->stream) != 0);
	if (complete && !f->error) {
		if (f->partial[0])
			give_name(f);
		else
			note(f, sync_output(f) != 0);
	}
	if (f->partial[0])
		unlink(f->partial);
	if (f->name[0] && f->fd >= 0)
		note(f, close(f->fd) != 0);
	if (!f->error || f->error == EPIPE)
		return STATUS_OK;
	if (!f->name[0])
		return fail(STATUS_FAILURE, "cannot write to standard output: %s",
			    strerror(f->error));
	return fail(STATUS_FAILURE, "cannot write '%s': %s", f->name, strerror(f->error));
}
