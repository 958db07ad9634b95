/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's socket: each client is a place in the history, from which it is sent on
 * as fast as it reads. It costs no memory how slow it is; who falls behind what the
 * history still has is cut off.
 *
 * The number of clients is limited, per user and in all. One too many gets a BLOCK_HELLO with
 * the reason, and is disconnected.
 *
 * A client sends one line, "follow SINCE CALLS\n": the time of CLOCK_MONOTONIC (ns) from
 * which on it wants the history, ~0 for none, and 1 if it wants calls one by one, else 0. It
 * gets a BLOCK_HELLO, and then the blocks of src/daemon/history.h.
 */
#ifndef OPTEE_TOP_SERVE_H
#define OPTEE_TOP_SERVE_H

#include "base/loop.h"
#include "daemon/history.h"
#include "record/schema.h"

#define MAX_CLIENTS 1024
#define MAX_OF_USER 128 /* per user, except root */
#define FOR_ROOT    16  /* reserved for root */

struct serve;

/* clients is at most MAX_CLIENTS. */
struct serve_limits {
	u32 clients, of_user, kept_for_root;
};

extern const struct serve_limits serve_limits;

struct serve_stats {
	u64 accepted, refused; /* refused: too many, or no descriptor was left */
	u64 cut;               /* too slow */
	u64 rejected;          /* sent something unexpected */
	u32 clients;           /* now */
};

/* listener: a listening socket, made elsewhere. hello: told to each client. NULL: out of memory. */
struct serve *serve_new(struct loop *loop, int listener, const struct history *history,
			const struct hello *hello, const struct serve_limits *limits);
void serve_free(struct serve *s);

/* The history has grown: sends it on. Clients that say nothing for too long go. */
void serve_turn(struct serve *s, u64 now);

/* Does any client want calls one by one? */
bool serve_wants_calls(const struct serve *s);

void serve_stats(const struct serve *s, struct serve_stats *to);

#endif
