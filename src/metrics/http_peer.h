/* SPDX-License-Identifier: GPL-2.0-only */
/* Who a connection belongs to: peers compete for connections, not connections. */
#ifndef OPTEE_TOP_HTTP_PEER_H
#define OPTEE_TOP_HTTP_PEER_H

#include "abi.h"

/* An IPv4 address, an IPv6 /64 (a single host usually owns all of it), or a user ID. */
struct http_peer {
	u16 family;
	u8 id[8];
};

struct http_peer http_peer_of(int fd);

#endif
