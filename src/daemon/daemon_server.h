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
#ifndef OPTEE_TOP_DAEMON_SERVER_H
#define OPTEE_TOP_DAEMON_SERVER_H

#include "base/loop.h"
#include "daemon/history.h"
#include "record/schema.h"

#define MAX_CLIENTS 1024
#define MAX_OF_USER 128 /* per user, except root */
#define FOR_ROOT    16  /* reserved for root */

struct daemon_server;

/* clients is at most MAX_CLIENTS. */
struct daemon_server_limits {
	u32 clients, of_user, kept_for_root;
};

extern const struct daemon_server_limits daemon_server_limits;

struct daemon_server_stats {
	u64 accepted, refused; /* refused: too many, or no descriptor was left */
	u64 cut;               /* too slow */
	u64 rejected;          /* sent something unexpected */
	u32 clients;           /* now */
};

/* listener: a listening socket, made elsewhere. hello: told to each client. NULL: out of memory. */
struct daemon_server *daemon_server_new(struct loop *loop, int listener,
					const struct history *history, const struct hello *hello,
					const struct daemon_server_limits *limits);
void daemon_server_free(struct daemon_server *s);

/* Another socket to listen on instead of that one, which may be closed then. 0 or -errno. */
int daemon_server_listen(struct daemon_server *s, int listener);

/* The history has grown: sends it on. Clients that say nothing for too long go. */
void daemon_server_turn(struct daemon_server *s, u64 now);

/* Does any client want calls one by one? */
bool daemon_server_wants_calls(const struct daemon_server *s);

void daemon_server_stats(const struct daemon_server *s, struct daemon_server_stats *to);

#endif
