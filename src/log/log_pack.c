// SPDX-License-Identifier: GPL-2.0-only
/*
 * From NAME.NUMBER.EXT to NAME.NUMBER.EXT.gz.part, which becomes .gz, and then the
 * first goes. Until then both are under the cap. A crash leaves a .part, or both
 * whole: src/log/log_dir.c tidies up, src/log/log_read.c reads one of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "log/log_pack.h"

/* With a window of 8 KB deflating needs 32 KB and 32 KB more; gzip's head and end around it. */
#define WINDOW_BITS (13 + 16)
#define MEMORY      6
#define LEVEL       4

struct packing {
	struct log_part from, to;
	int in, out;
	u64 size; /* written so far */
	z_stream z;
	unsigned char bytes[LOG_PACK_PIECE], packed[4096];
};

void log_pack_init(struct log_pack *p, struct log_dir *d)
{
	*p = (struct log_pack){ .dir = d };
}

static void unlink_part(struct log_dir *d, const struct log_part *part)
{
	char file[LOG_NAME_LEN];

	unlinkat(d->fd, log_name_make(part, file), 0);
}

/* whole: the deflated file has its name now. */
static void end(struct log_pack *p, bool whole)
{
	struct packing *k = p->now;

	if (!k)
		return;
	deflateEnd(&k->z);
	if (k->in >= 0)
		close(k->in);
	if (k->out >= 0)
		close(k->out);
	if (!whole) {
		unlink_part(p->dir, &k->to);
		log_dir_count(p->dir, k->to.name, -(s64)k->size);
	}
	free(k);
	p->now = NULL;
}

void log_pack_stop(struct log_pack *p)
{
	end(p, false);
	p->pause = 0;
}

static bool begin(struct log_pack *p, const struct log_old *old)
{
	char file[LOG_NAME_LEN];
	struct packing *k = malloc(sizeof(*k));

	if (!k)
		return false;
	k->from = (struct log_part){ .name = old->name, .number = old->number };
	k->to = k->from;
	k->to.deflated = k->to.partial = true;
	k->size = 0;
	k->z = (z_stream){};
	p->now = k;
	k->in = openat(p->dir->fd, log_name_make(&k->from, file),
		       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	k->out = openat(p->dir->fd, log_name_make(&k->to, file),
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			LOG_MODE);
	if (k->in < 0 || k->out < 0)
		return false;
	fchmod(k->out, LOG_MODE);
	return deflateInit2(&k->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY, Z_DEFAULT_STRATEGY) ==
	       Z_OK;
}

static bool put(struct log_pack *p, const unsigned char *bytes, size_t len)
{
	struct packing *k = p->now;

	if (log_dir_room(p->dir, len) || write(k->out, bytes, len) != (ssize_t)len)
		return false;
	k->size += len;
	log_dir_count(p->dir, k->to.name, (s64)len);
	return true;
}

static bool deflate_piece(struct log_pack *p, size_t len, int flush)
{
	struct packing *k = p->now;

	k->z.next_in = k->bytes;
	k->z.avail_in = (unsigned int)len;
	do {
		k->z.next_out = k->packed;
		k->z.avail_out = sizeof(k->packed);
		if (deflate(&k->z, flush) == Z_STREAM_ERROR ||
		    !put(p, k->packed, sizeof(k->packed) - k->z.avail_out))
			return false;
	} while (!k->z.avail_out);
	return true;
}

/* Both files are whole for a moment; the first then goes. */
static bool take_place(struct log_pack *p, struct log_old *old)
{
	char from[LOG_NAME_LEN], part[LOG_NAME_LEN], whole[LOG_NAME_LEN];
	struct packing *k = p->now;
	struct log_part to = k->to;

	to.partial = false;
	if (fdatasync(k->out) || renameat(p->dir->fd, log_name_make(&k->to, part), p->dir->fd,
					  log_name_make(&to, whole)))
		return false;
	k->to = to;
	/* Sync the name before the original is removed: a crash must not take both. */
	if (fsync(p->dir->fd) && errno != EINVAL)
		return false;
	unlinkat(p->dir->fd, log_name_make(&k->from, from), 0);
	log_dir_count(p->dir, to.name, -(s64)old->size);
	old->size = k->size;
	old->deflated = true;
	p->packed++;
	end(p, true);
	return true;
}

static bool step(struct log_pack *p)
{
	struct log_old *old = p->now ?
				      log_dir_find(p->dir, p->now->from.name, p->now->from.number) :
				      log_dir_plain(p->dir);
	ssize_t n;

	if (!old) {
		end(p, false); /* the cap took it meanwhile */
		return true;
	}
	if (!p->now && !begin(p, old))
		return false;
	n = read(p->now->in, p->now->bytes, sizeof(p->now->bytes));
	if (n < 0 || !deflate_piece(p, (size_t)n, n ? Z_NO_FLUSH : Z_FINISH))
		return false;
	if (n)
		return true;
	/* Making room for its last bytes may have been its end. */
	old = log_dir_find(p->dir, p->now->from.name, p->now->from.number);
	return old && take_place(p, old);
}

void log_pack_step(struct log_pack *p)
{
	if (p->dir->fd < 0 || (p->pause && p->pause--))
		return;
	if (step(p))
		return;
	end(p, false);
	p->pause = LOG_PACK_PAUSE;
}
