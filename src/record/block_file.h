/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file of blocks, read piece by piece. It is not mapped, because others may change it
 * meanwhile: if they truncate or overwrite it, that is ordinary damage and no SIGBUS.
 */
#ifndef OPTEE_TOP_BLOCK_FILE_H
#define OPTEE_TOP_BLOCK_FILE_H

#include "record/block.h"

struct block_file {
	int fd; /* -1: all of it is in data */
	u8 *data;
	u64 size;     /* as it was opened, or as long as it turned out to be */
	bool changed; /* something that was there is gone */

	/* Where the search stands, and what it has passed. */
	u64 at;
	u64 damaged, skipped; /* places where something else than a block is, and their bytes */
	u64 tail;             /* bytes of these behind the last block */
	u32 *crcs;            /* [n]: of the first n pieces of the file */
	size_t nr_crcs, crcs_room;
	u8 *window; /* bytes from window_at on */
	u64 window_at;
	size_t window_len;

	u8 *block; /* the one that was read last */
	size_t block_room;
};

/* Where a block is, and what its head says. */
struct block_place {
	u64 at;
	u32 stored, size;
	u16 schema;
	u8 type;
	bool deflated;
};

/* "-": standard input, of which all is kept. 0 or -errno; after a failure, too, it has to be closed. */
int block_file_open(struct block_file *f, const char *path);
void block_file_close(struct block_file *f);

/*
 * Searches for the next whole block; false: there is none any more. The time that this
 * takes for a whole file is in proportion to its size, whatever is in it.
 */
bool block_file_next(struct block_file *f, struct block_place *place);

/* Reads the block there, valid until the next read; false: it is not there any more. */
bool block_file_read(struct block_file *f, const struct block_place *place, struct block *b);

#endif
