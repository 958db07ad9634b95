// SPDX-License-Identifier: GPL-2.0-only
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include "base/unix_socket.h"
#include "metrics/http_peer.h"

struct http_peer http_peer_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} address = {};
	socklen_t len = sizeof(address);
	struct http_peer p = {};
	uid_t user;

	if (getpeername(fd, &address.any, &len))
		return p;
	p.family = address.any.sa_family;
	if (p.family == AF_INET) {
		memcpy(p.id, &address.v4.sin_addr, sizeof(address.v4.sin_addr));
	} else if (p.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) {
		p.family = AF_INET;
		memcpy(p.id, &address.v6.sin6_addr.s6_addr[12], 4);
	} else if (p.family == AF_INET6) {
		memcpy(p.id, &address.v6.sin6_addr, sizeof(p.id));
	} else {
		user = unix_peer(fd);
		memcpy(p.id, &user, sizeof(user));
	}
	return p;
}
