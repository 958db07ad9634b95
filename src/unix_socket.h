/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OPTEE_TOP_UNIX_SOCKET_H
#define OPTEE_TOP_UNIX_SOCKET_H

/* A stream socket, connected to who listens at path; flags: of socket(). Or -errno. */
int unix_connect(const char *path, int flags);

#endif
