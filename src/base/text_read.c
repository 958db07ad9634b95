// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text_read.h"

#define BOM "\xef\xbb\xbf"

static int open_kind(const char *path, enum text_kind kind)
{
	/* Without O_NONBLOCK, opening a FIFO would block before we could see that it is one. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (kind == TEXT_FILE ? O_NONBLOCK : 0));
	struct stat st;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = -EISDIR;
	else if (kind == TEXT_FILE && !S_ISREG(st.st_mode))
		err = -EOPNOTSUPP;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Reads to the end, but not much past the limit. st_size is of no use: it is 0 in /proc. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 0;

	*len = 0;
	for (;;) {
		ssize_t n;

		if (room - *len < 2) {
			char *more;

			room = 2 * room + 4096;
			more = realloc(*text, room);
			if (!more)
				return -ENOMEM;
			*text = more;
		}
		n = read(fd, *text + *len, room - *len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		*len += (size_t)n;
		if (*len > TEXT_READ_MOST)
			return -EFBIG;
	}
}

static int check(char *text, size_t len, size_t *line)
{
	const char *nul;

	text[len] = '\0';
	nul = memchr(text, '\0', len);
	if (nul) {
		*line = 1;
		for (const char *c = text; c < nul; c++)
			*line += *c == '\n';
		return -EILSEQ;
	}
	if (!strncmp(text, BOM, strlen(BOM)))
		memmove(text, text + strlen(BOM), len - strlen(BOM) + 1);
	return 0;
}

int text_read(const char *path, enum text_kind kind, char **text, size_t *line)
{
	int fd = open_kind(path, kind), err;
	size_t len;

	*text = NULL;
	*line = 0;
	if (fd < 0)
		return fd;
	err = read_all(fd, text, &len);
	close(fd);
	err = err ?: check(*text, len, line);
	if (err) {
		free(*text);
		*text = NULL;
	}
	return err;
}

const char *text_read_why(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "it is not a regular file";
	case -EFBIG:
		return "it has more than 1 MiB";
	case -EILSEQ:
		return "it has a NUL byte, so it is not text";
	default:
		return strerror(-err);
	}
}

char *text_line(char **rest)
{
	char *line = *rest, *end;

	if (!line || !*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*rest = *end ? end + 1 : end;
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	*end = '\0';
	return line;
}
