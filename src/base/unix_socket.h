/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OPTEE_TOP_UNIX_SOCKET_H
#define OPTEE_TOP_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A stream socket, connected to who listens at path; flags: of socket(). Or -errno; -EAGAIN:
 * too many wait there to be accepted, and have done so for a minute.
 */
int unix_connect(const char *path, int flags);

/* Hands a descriptor over, and takes the next one that has come; false, or -1: it cannot be. */
bool unix_send_fd(int via, int fd);
int unix_receive_fd(int via);

/* The user at the other end; -1 if unknown. */
uid_t unix_peer(int fd);

#endif
