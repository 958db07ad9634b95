/* SPDX-License-Identifier: GPL-2.0-only */
/* What is printed on a file descriptor meanwhile; and files with a given text. */
#ifndef OPTEE_TOP_CAPTURE_H
#define OPTEE_TOP_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct capture {
	int fd, saved;
	FILE *file;
};

static inline void capture_begin(struct capture *c, int fd)
{
	fflush(NULL);
	c->fd = fd;
	c->saved = dup(fd);
	c->file = tmpfile();
	assert_non_null(c->file);
	dup2(fileno(c->file), fd);
}

/* What was printed, in buf. */
static inline const char *capture_end(struct capture *c, char *buf, size_t len)
{
	size_t n;

	fflush(NULL);
	dup2(c->saved, c->fd);
	close(c->saved);
	rewind(c->file);
	n = fread(buf, 1, len - 1, c->file);
	buf[n] = '\0';
	fclose(c->file);
	return buf;
}

/* A new file with this text; path becomes its name, to be unlinked. */
static inline void file_of(char path[32], const char *text, size_t len)
{
	int fd;

	strcpy(path, "/tmp/optee-top-unit.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

#endif
