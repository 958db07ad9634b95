/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The blocks that a recording is made of. Each stands for itself: who finds its
 * beginning can read it, whatever became of its neighbours. Its head, all numbers
 * with the lowest byte first:
 *
 *	 0  4  sync: 0x89 'O' 'T' 'R'
 *	 4  1  enum block_type
 *	 5  1  BLOCK_DEFLATED, or 0
 *	 6  2  schema
 *	 8  4  bytes that follow the head
 *	12  4  bytes that they become when they are inflated; else the same
 *	16  4  CRC-32 (zlib's) of bytes 4 to 15 and of what follows the head
 */
#ifndef OPTEE_TOP_BLOCK_H
#define OPTEE_TOP_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

#define BLOCK_HEAD     20
#define BLOCK_MAX      (16 << 20) /* bytes behind a head, inflated or not */
#define BLOCK_DEFLATED 1

/*
 * A content is at most this many times as long as its block, so that the output of a file is
 * in proportion to its size. Calls, of which much is printed, never deflate well.
 */
#define BLOCK_INFLATES 64
#define CALLS_INFLATE  16

extern const u8 block_sync[4];

enum block_type {
	BLOCK_HOST = 1, /* begins a recording, and again where the driver came back */
	BLOCK_EVENTS,   /* since the block before */
	BLOCK_CALLS,    /* that ended since the block before */
	BLOCK_SNAPSHOT,
	BLOCK_END,     /* the recorder ended, nothing is missing */
	BLOCK_HELLO,   /* of the daemon: the first that a client gets; struct hello */
	BLOCK_CHANGES, /* of the daemon: a snapshot, as what has changed since the one before */
	NR_BLOCK_TYPES
};

struct packer;

/* Makes blocks, deflated if it is told so. NULL: out of memory. */
struct packer *packer_new(void);
void packer_free(struct packer *p);

/*
 * The bytes of a block, valid until the next one is made; NULL: out of memory, or
 * more than BLOCK_MAX.
 */
const u8 *packer_pack(struct packer *p, u16 schema, enum block_type type, const void *data,
		      size_t n, bool deflate, size_t *bytes);

/* A block as it is found. */
struct block {
	enum block_type type;
	u16 schema;
	bool deflated;
	const u8 *data; /* behind its head */
	u32 stored, size, crc;
	size_t end; /* bytes of it, the head included */
};

/* Reads a head; false: it is none. This does not check the checksum. */
bool block_head(const u8 head[BLOCK_HEAD], struct block *b);

/* How many bytes a block with this head has, the head included. */
size_t block_bytes(const u8 head[BLOCK_HEAD]);

/*
 * The block at the beginning of what has come so far. 1: it is whole; 0: more of it has
 * to come; -1: this is no block.
 */
int block_parse(const u8 *data, size_t size, struct block *b);

/* Its content, to be freed by the caller; NULL: out of memory, or not as its head says. */
u8 *block_content(const struct block *b);

#endif
