/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By which names the metrics may be asked for over TCP. A page in somebody's browser can have
 * a name of its own resolve to any address that the browser reaches (DNS rebinding), be that
 * loopback or one of an internal network, and then read the answer as its own. The browser
 * still says that name: so it has to be one that only this machine has. Asked by address, by
 * a program or from a unix socket there is no such name.
 */
#ifndef OPTEE_TOP_HTTP_NAMES_H
#define OPTEE_TOP_HTTP_NAMES_H

#include <stdbool.h>
#include "abi.h"

#define HTTP_NAME_MOST  253 /* characters of a name */
#define HTTP_NAMES_MOST 16  /* --listen-name */

struct http_names {
	const char *given[HTTP_NAMES_MOST]; /* --listen-name; the owner's */
	u32 nr_given;
	char *hosts; /* what /etc/hosts calls this machine, a line each; or NULL */
};

/*
 * Reads the file of hosts: a name with a domain is found without asking a resolver. One that
 * is there and cannot be read is said. The names given before stay.
 */
void http_names_read(struct http_names *n, const char *hosts_file);
void http_names_release(struct http_names *n);

/* Can it be given: NAME, *.DOMAIN for all in a domain, or * for any? */
bool http_names_valid(const char *name);

/*
 * localhost; the machine's name, as it is now, with or without its domain and with .local;
 * its names in the file of hosts; and those that were given. Case does not matter.
 */
bool http_names_allow(const struct http_names *n, const char *name);

#endif
