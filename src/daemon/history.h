/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's memory of the last minutes: blocks in a ring of fixed size, from which
 * they go to who listens. It is shared memory: made by the supervisor, it outlives
 * its workers.
 *
 * A place is counted in bytes since the ring was made. One where a reader can begin
 * has a BLOCK_HOST and, behind it, a whole snapshot.
 */
#ifndef OPTEE_TOP_HISTORY_H
#define OPTEE_TOP_HISTORY_H

#include <sys/uio.h>
#include "record/block.h"

#define HISTORY_NS (600ULL * 1000000000) /* what is older is forgotten */

struct history;

/* bytes: a power of two. NULL: out of memory. */
struct history *history_new(size_t bytes);
void history_free(struct history *h);

/*
 * Appends a block, and forgets what is in its way. begins: a reader can begin here; that
 * was at mono_ns. 0, or -EMSGSIZE: it is too large, and everything is forgotten.
 */
int history_append(struct history *h, const u8 *data, size_t n, bool begins, u64 mono_ns);

/* Is there a place where a reader can begin? */
bool history_begins(const struct history *h);

/*
 * Is it worth another such place, which takes this many bytes? Forgetting blocks forgets
 * these places one after the other, and a reader cannot use what precedes the first one left.
 */
bool history_wants_begin(const struct history *h, u64 bytes);

/* Where a reader begins who wants what came from a time on; the end: there is nothing yet. */
u64 history_begin(const struct history *h, u64 since_ns);

/* Behind the last block. */
u64 history_end(const struct history *h);

/* False: what was there is forgotten. */
bool history_has(const struct history *h, u64 at);

/* The block at a place; returns its bytes, its head included. */
size_t history_block(const struct history *h, u64 at, enum block_type *type);

/* n bytes from a place on, in one piece or two; returns the number of pieces. */
int history_bytes(const struct history *h, u64 at, size_t n, struct iovec pieces[2]);

/* How far it goes back from now, and how many bytes that is. */
u64 history_span(const struct history *h, u64 now_ns);
u64 history_size(const struct history *h);

/* Checks a history that another process wrote. All of an inconsistent one is forgotten. */
void history_check(struct history *h);

/* Forgets all, as when a worker was killed while it wrote. */
void history_clear(struct history *h);

#endif
