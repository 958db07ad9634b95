// SPDX-License-Identifier: GPL-2.0-only
/* A stream of our own over the descriptor remembers why a write failed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "out_file.h"

#define BUFFER 65536

static ssize_t write_all(void *cookie, const char *buf, size_t len)
{
	struct out_file *f = cookie;
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

/* As a new file would have it; there is no other way to ask. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* A temporary name beside the file, which may be reached by a link or replace an older one. */
static int open_partial(struct out_file *f)
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
	if (fd >= 0)
		fchmod(fd, new_mode());
	return fd;
}

static int open_named(struct out_file *f)
{
	struct stat st;

	if (!stat(f->name, &st) && !S_ISREG(st.st_mode))
		return open(f->name, O_WRONLY | O_CLOEXEC);
	return open_partial(f);
}

enum status out_file_open(struct out_file *f, const char *name)
{
	const cookie_io_functions_t io = { .write = write_all };

	memset(f, 0, sizeof(*f));
	f->fd = STDOUT_FILENO;
	if (name && strcmp(name, "-")) {
		if (strlen(name) >= sizeof(f->name))
			return fail(STATUS_FAILURE, "cannot write '%s': %s", name,
				    strerror(ENAMETOOLONG));
		strcpy(f->name, name);
		f->fd = *name ? open_named(f) : (errno = ENOENT, -1);
	}
	if (f->fd < 0)
		return fail(STATUS_FAILURE, "cannot write '%s': %s", name, strerror(errno));
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

enum status out_file_close(struct out_file *f, bool complete)
{
	if (f->stream)
		note(f, fclose(f->stream) != 0);
	if (f->partial[0]) {
		if (complete && !f->error)
			note(f, fsync(f->fd) != 0);
		note(f, close(f->fd) != 0);
		if (complete && !f->error)
			note(f, rename(f->partial, f->name) != 0);
		if (!complete || f->error)
			unlink(f->partial);
	} else if (f->name[0] && f->fd >= 0) {
		note(f, close(f->fd) != 0);
	}
	if (!f->error || f->error == EPIPE)
		return STATUS_OK;
	if (!f->name[0])
		return fail(STATUS_FAILURE, "cannot write to standard output: %s",
			    strerror(f->error));
	return fail(STATUS_FAILURE, "cannot write '%s': %s", f->name, strerror(f->error));
}
