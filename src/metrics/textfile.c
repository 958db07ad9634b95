// SPDX-License-Identifier: GPL-2.0-only
/* A temporary name in the same directory, on the disk before it gets its own. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fail.h"
#include "metrics/textfile.h"

int textfile_init(struct textfile *t, const char *name, struct daemon_stats *self)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	int n;

	memset(t, 0, sizeof(*t));
	t->self = self;
	/* Without the ending: the collector is not to read a part. */
	n = snprintf(t->partial, sizeof(t->partial), "%.*s.%s.tmp", (int)(base - name), name, base);
	if (n >= (int)sizeof(t->partial) || strlen(name) >= sizeof(t->name))
		return -ENAMETOOLONG;
	strcpy(t->name, name);
	daemon_stats_use(self, STAT_TEXTFILE_WRITES, STAT_TEXTFILE_ERRORS);
	return 0;
}

/* One that an earlier life of ours left behind is removed, whatever it is. */
static int open_partial(const struct textfile *t)
{
	int fd;

	unlink(t->partial);
	fd = open(t->partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0644)) { /* whatever the umask is: others are to read it */
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int write_out(FILE *out, void (*print)(void *arg, FILE *out), void *arg)
{
	int err = 0;

	errno = 0;
	print(arg, out);
	if (ferror(out) || fflush(out) || fsync(fileno(out)))
		err = errno ? -errno : -EIO;
	if (fclose(out) && !err)
		err = -errno;
	return err;
}

static int write_whole(struct textfile *t, void (*print)(void *arg, FILE *out), void *arg)
{
	int fd = open_partial(t), err;
	FILE *out;

	if (fd < 0)
		return fd;
	out = fdopen(fd, "w");
	if (out) {
		err = write_out(out, print, arg);
	} else {
		err = -errno;
		close(fd);
	}
	if (!err && rename(t->partial, t->name))
		err = -errno;
	if (err)
		unlink(t->partial);
	return err;
}

/* A cause is said when it comes, and when it has gone. */
static void tell(struct textfile *t, int err)
{
	if (err && -err != t->error)
		say("cannot write '%s': %s; will try again", t->name, strerror(-err));
	else if (!err && t->error)
		say("writing '%s' again", t->name);
	t->error = -err;
}

int textfile_write(struct textfile *t, void (*print)(void *arg, FILE *out), void *arg)
{
	int err = write_whole(t, print, arg);

	daemon_stats_count(t->self, err ? STAT_TEXTFILE_ERRORS : STAT_TEXTFILE_WRITES);
	tell(t, err);
	return err;
}
