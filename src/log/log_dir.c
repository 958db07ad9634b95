// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in the directory is read once, when it is opened; from then on it is known,
 * for nobody else writes there: a lock says so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/lock_file.h"
#include "log/log_dir.h"

#define LOCK ".lock"

void log_dir_init(struct log_dir *d, const char *path, u64 cap, u32 used)
{
	memset(d, 0, sizeof(*d));
	d->path = path;
	d->cap = cap;
	d->used = used;
	d->fd = d->lock = -1;
}

void log_dir_close(struct log_dir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	if (d->lock >= 0)
		close(d->lock);
	d->fd = d->lock = -1;
}

bool log_dir_there(const struct log_dir *d)
{
	struct stat st;

	return d->fd >= 0 && !stat(d->path, &st) && st.st_dev == d->dev && st.st_ino == d->ino &&
	       lock_file_there(d->lock);
}

void log_dir_count(struct log_dir *d, enum log_names name, s64 bytes)
{
	d->size += (u64)bytes;
	d->sizes[name] += (u64)bytes;
}

static int unlink_part(struct log_dir *d, const struct log_part *part)
{
	char file[LOG_NAME_LEN];

	if (!unlinkat(d->fd, log_name_make(part, file), 0) || errno == ENOENT)
		return 0;
	return -errno;
}

static struct log_part part_of(const struct log_old *old)
{
	return (struct log_part){ .name = old->name,
				  .number = old->number,
				  .deflated = old->deflated };
}

static int delete_old(struct log_dir *d, struct log_old *old)
{
	const struct log_part part = part_of(old);
	int err = unlink_part(d, &part);

	if (err)
		return err;
	log_dir_count(d, old->name, -(s64)old->size);
	*old = d->old[--d->nr_old];
	d->deleted++;
	return 0;
}

/* The oldest of the name; of any name where plain is asked for. */
static struct log_old *oldest(struct log_dir *d, int name, bool plain)
{
	struct log_old *found = NULL;

	for (u32 i = 0; i < d->nr_old; i++) {
		struct log_old *o = &d->old[i];

		if ((name >= 0 && o->name != name) || (plain && o->deflated))
			continue;
		if (!found || o->number < found->number)
			found = o;
	}
	return found;
}

struct log_old *log_dir_plain(struct log_dir *d)
{
	return oldest(d, -1, true);
}

struct log_old *log_dir_find(struct log_dir *d, enum log_names name, u32 number)
{
	for (u32 i = 0; i < d->nr_old; i++)
		if (d->old[i].name == name && d->old[i].number == number)
			return &d->old[i];
	return NULL;
}

/* Whose turn it is: of the names that have a rotated file the one with the most bytes. */
static struct log_old *victim(struct log_dir *d)
{
	struct log_old *found = NULL;

	for (int name = 0; name < NR_LOG_NAMES; name++) {
		struct log_old *o = oldest(d, name, false);

		if (o && (!found || d->sizes[name] > d->sizes[found->name]))
			found = o;
	}
	return found;
}

int log_dir_room(struct log_dir *d, u64 bytes)
{
	while (d->size + bytes > d->cap) {
		struct log_old *old = victim(d);
		int err = old ? delete_old(d, old) : -EFBIG;

		if (err)
			return err;
	}
	return 0;
}

static int room_old(struct log_dir *d)
{
	return d->nr_old == LOG_OLD_MAX ? delete_old(d, victim(d)) : 0;
}

static void add_old(struct log_dir *d, const struct log_part *part, u64 size)
{
	d->old[d->nr_old++] = (struct log_old){ .size = size,
						.number = part->number,
						.name = (u8)part->name,
						.deflated = part->deflated };
}

int log_dir_retire(struct log_dir *d, enum log_names name, u64 size)
{
	struct log_part part = { .name = name, .number = d->last_number[name] + 1 };
	char file[LOG_NAME_LEN];
	int err = room_old(d);

	if (err)
		return err;
	if (renameat(d->fd, log_names[name], d->fd, log_name_make(&part, file)))
		return -errno;
	d->last_number[name] = part.number;
	add_old(d, &part, size);
	d->retired++;
	return 0;
}

/* A file that was deflated is there twice when we ended just then: one of them goes. */
static int scan_old(struct log_dir *d, const struct log_part *part, u64 size)
{
	struct log_old *twin = log_dir_find(d, part->name, part->number);
	struct log_part plain = *part;
	int err;

	if (part->number > d->last_number[part->name])
		d->last_number[part->name] = part->number;
	if (!twin) {
		err = room_old(d);
		if (err)
			return err;
		log_dir_count(d, part->name, (s64)size);
		add_old(d, part, size);
		return 0;
	}
	plain.deflated = false;
	if (part->deflated) {
		log_dir_count(d, part->name, (s64)size - (s64)twin->size);
		twin->size = size;
		twin->deflated = true;
	}
	return unlink_part(d, &plain);
}

static int scan_file(struct log_dir *d, const char *file)
{
	struct log_part part;
	struct stat st;

	if (!log_name_parse(file, &part))
		return 0;
	if (part.partial)
		return unlink_part(d, &part);
	if (fstatat(d->fd, file, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(st.st_mode))
		return 0; /* who opens it will say so */
	if (part.number)
		return scan_old(d, &part, (u64)st.st_size);
	log_dir_count(d, part.name, st.st_size);
	return 0;
}

static int scan(struct log_dir *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	d->size = d->nr_old = 0;
	memset(d->sizes, 0, sizeof(d->sizes));
	while (!err && (errno = 0, entry = readdir(dir)))
		err = scan_file(d, entry->d_name);
	if (!err)
		err = -errno;
	closedir(dir);
	return err;
}

/* Of a name that is not written now the file has its share of the cap, too. */
static int retire_unused(struct log_dir *d)
{
	struct stat st;

	for (int name = 0; name < NR_LOG_NAMES; name++) {
		int err = 0;

		if (!(d->used >> name & 1) &&
		    !fstatat(d->fd, log_names[name], &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode))
			err = log_dir_retire(d, name, (u64)st.st_size);
		if (err)
			return err;
	}
	return 0;
}

static int open_path(struct log_dir *d)
{
	struct stat st;

	if (mkdir(d->path, LOG_DIR_MODE) && errno != EEXIST)
		return -errno;
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0 || fstat(d->fd, &st))
		return -errno;
	d->lock = lock_file_take(d->fd, LOCK);
	if (d->lock < 0)
		return d->lock;
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return scan(d) ?: retire_unused(d);
}

int log_dir_open(struct log_dir *d)
{
	int err;

	if (log_dir_there(d))
		return 0;
	log_dir_close(d);
	err = open_path(d);
	if (err)
		log_dir_close(d);
	return err;
}
