// SPDX-License-Identifier: GPL-2.0-only
/*
 * A head with a wrong checksum can claim 16 MiB, and a file can consist of such heads alone:
 * to run the CRC over all that each of them claims would take hours. But the CRC of a range
 * follows from the CRCs of everything before its two ends. Those are kept for every piece of
 * the file, so that a head costs at most two pieces.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "record/block_file.h"

#define PIECE  512
#define WINDOW (64 << 10)

/* Reading. */

/* A pipe may never end. It is read no further when the longest block could have begun and ended. */
static int slurp(struct block_file *f, int fd)
{
	size_t room = 0;
	bool begun = false;

	for (;;) {
		ssize_t n;

		if (f->size >= BLOCK_HEAD + BLOCK_MAX && !begun) {
			begun = memmem(f->data, f->size, block_sync, sizeof(block_sync));
			if (!begun)
				return 0;
		}
		if (f->size == room) {
			u8 *data = realloc(f->data, room = room ? 2 * room : WINDOW);

			if (!data)
				return -ENOMEM;
			f->data = data;
		}
		n = read(fd, f->data + f->size, room - f->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		f->size += (u64)n;
	}
}

int block_file_open(struct block_file *f, const char *path)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO, err;
	struct stat st;

	*f = (struct block_file){ .fd = -1 };
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (!err && S_ISREG(st.st_mode) && st.st_size && fd != STDIN_FILENO) {
		f->size = (u64)st.st_size;
		f->fd = fd;
		f->window = malloc(WINDOW);
		return f->window ? 0 : -ENOMEM;
	}
	if (!err)
		err = slurp(f, fd);
	if (fd != STDIN_FILENO)
		close(fd);
	return err;
}

static void forget_crcs(struct block_file *f)
{
	free(f->crcs);
	f->crcs = NULL;
	f->nr_crcs = f->crcs_room = 0;
}

void block_file_close(struct block_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	forget_crcs(f);
	free(f->data);
	free(f->window);
	free(f->block);
	*f = (struct block_file){ .fd = -1 };
}

/* Returns how many of n bytes of the file are there. */
static size_t get_some(struct block_file *f, u64 at, u8 *to, size_t n)
{
	size_t got = 0;

	if (f->fd < 0) {
		memcpy(to, f->data + at, n);
		return n;
	}
	while (got < n) {
		ssize_t done = pread(f->fd, to + got, n - got, (off_t)(at + got));

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		got += (size_t)done;
	}
	f->changed |= got < n;
	return got;
}

/* All of them; false: they are not there. */
static bool get(struct block_file *f, u64 at, u8 *to, size_t n)
{
	return at <= f->size && n <= f->size - at && get_some(f, at, to, n) == n;
}

/* The bytes from a place on, *n of them and at least as many as asked for; NULL: the file ends before. */
static const u8 *look(struct block_file *f, u64 at, size_t *n)
{
	size_t least = *n;

	if (at > f->size || least > f->size - at)
		return NULL;
	if (f->fd < 0) {
		*n = (size_t)(f->size - at);
		return f->data + at;
	}
	if (at < f->window_at || at + least > f->window_at + f->window_len) {
		size_t most = f->size - at < WINDOW ? (size_t)(f->size - at) : WINDOW;

		f->window_at = at;
		f->window_len = get_some(f, at, f->window, most);
		if (f->window_len < most)
			f->size = at + f->window_len; /* somebody has cut it off there */
		if (f->window_len < least)
			return NULL;
	}
	*n = (size_t)(f->window_at + f->window_len - at);
	return f->window + (at - f->window_at);
}

/* The CRC of all up to a place. */

static bool more_crcs(struct block_file *f)
{
	size_t room = f->crcs_room ? 2 * f->crcs_room : 1024;
	u32 *crcs;

	if (f->nr_crcs < f->crcs_room)
		return true;
	crcs = realloc(f->crcs, room * sizeof(*crcs));
	if (!crcs)
		return false;
	f->crcs = crcs;
	f->crcs_room = room;
	return true;
}

static bool crc_pieces(struct block_file *f, u64 n)
{
	u8 bytes[PIECE];

	while (f->nr_crcs <= n) {
		if (!more_crcs(f))
			return false;
		if (!f->nr_crcs) {
			f->crcs[f->nr_crcs++] = 0;
			continue;
		}
		if (!get(f, (f->nr_crcs - 1) * PIECE, bytes, PIECE))
			return false;
		f->crcs[f->nr_crcs] = (u32)crc32(f->crcs[f->nr_crcs - 1], bytes, PIECE);
		f->nr_crcs++;
	}
	return true;
}

static bool crc_upto(struct block_file *f, u64 at, u32 *crc)
{
	size_t rest = at % PIECE;
	u8 bytes[PIECE];

	if (!crc_pieces(f, at / PIECE) || !get(f, at - rest, bytes, rest))
		return false;
	*crc = (u32)crc32(f->crcs[at / PIECE], bytes, (uInt)rest);
	return true;
}

/* Searching. */

static bool block_at(struct block_file *f, u64 at, struct block_place *place)
{
	size_t n = BLOCK_HEAD;
	const u8 *head = look(f, at, &n);
	u32 before, all, crc;
	struct block b;

	if (!head || !block_head(head, &b) || b.stored > f->size - at - BLOCK_HEAD)
		return false;
	crc = (u32)crc32(0, head + 4, 12);
	if (!crc_upto(f, at + BLOCK_HEAD, &before) ||
	    !crc_upto(f, at + BLOCK_HEAD + b.stored, &all) ||
	    b.crc != (all ^ (u32)crc32_combine(crc ^ before, 0, (z_off_t)b.stored)))
		return false;
	*place = (struct block_place){ .at = at,
				       .stored = b.stored,
				       .size = b.size,
				       .schema = b.schema,
				       .type = (u8)b.type,
				       .deflated = b.deflated };
	return true;
}

/* The next place from there on where a block may begin; the end: there is none. */
static u64 next_sync(struct block_file *f, u64 at)
{
	size_t n = sizeof(block_sync);
	const u8 *bytes;

	while ((bytes = look(f, at, &n))) {
		const u8 *sync = memmem(bytes, n, block_sync, sizeof(block_sync));

		if (sync)
			return at + (u64)(sync - bytes);
		at += n - (sizeof(block_sync) - 1);
		n = sizeof(block_sync);
	}
	return f->size;
}

bool block_file_next(struct block_file *f, struct block_place *place)
{
	u64 at = f->at, before = f->at;
	bool found;

	while (!(found = block_at(f, at, place)) && at < f->size)
		at = next_sync(f, at + 1);
	if (at > before) {
		f->damaged++;
		f->skipped += at - before;
		f->tail = found ? 0 : at - before;
	}
	f->at = found ? at + BLOCK_HEAD + place->stored : at;
	if (!found)
		forget_crcs(f);
	return found;
}

bool block_file_read(struct block_file *f, const struct block_place *place, struct block *b)
{
	size_t n = BLOCK_HEAD + (size_t)place->stored;

	if (f->block_room < n) {
		u8 *more = realloc(f->block, n);

		if (!more)
			return false;
		f->block = more;
		f->block_room = n;
	}
	if (get(f, place->at, f->block, n) && block_parse(f->block, n, b) > 0 &&
	    b->stored == place->stored && b->type == place->type && b->schema == place->schema)
		return true;
	f->changed = true;
	return false;
}
