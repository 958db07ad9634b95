/* SPDX-License-Identifier: GPL-2.0-only */
/* Listening sockets: what is in the way of one is found out before it is there. */
#ifndef OPTEE_TOP_LISTENER_H
#define OPTEE_TOP_LISTENER_H

#include "base/privilege.h"

struct listener {
	int fd;         /* -1: none */
	int lock;       /* of a unix socket: held as long as it is ours; else -1 */
	char path[108]; /* of a unix socket, or "" */
};

/*
 * A unix socket for the owner, root or the one of id, and the group of id. What is there
 * already is taken away if it is a socket of which nobody listens. Else it has said in
 * one line what is in the way.
 */
enum status listener_unix(struct listener *l, const char *path, const struct identity *id);

/*
 * From [HOST:]PORT, with a numeric HOST, 127.0.0.1 if there is none, or from the path of
 * a unix socket.
 */
enum status listener_open(struct listener *l, const char *where, const struct identity *id);

/*
 * Makes a unix socket again whose path has been removed: whoever waited at the old one has to
 * come again. 0: it is there still, or is no unix socket; 1: l->fd is a new one; -1: after
 * saying why there is none, l is as it was.
 */
int listener_renew(struct listener *l, const struct identity *id);

/* Removes the socket's path, too. */
void listener_close(struct listener *l);

#endif
