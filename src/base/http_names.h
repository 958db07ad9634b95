/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host names under which metrics are served over TCP. With DNS rebinding, a web page can
 * make its own name resolve to any address that the browser can reach, on loopback or on an
 * internal network, and then read the answer as if it came from its own site. The browser
 * still sends the page's name in the Host header, so only names that belong to this machine
 * are accepted. IP addresses are safe, and unix sockets cannot be reached by a browser.
 */
#ifndef OPTEE_TOP_HTTP_NAMES_H
#define OPTEE_TOP_HTTP_NAMES_H

#include <stdbool.h>
#include "types.h"

#define HTTP_NAME_MOST  253 /* characters of a name */
#define HTTP_NAMES_MOST 16  /* --listen-name */

struct http_names {
	const char *given[HTTP_NAMES_MOST]; /* --listen-name; not copied */
	u32 nr_given;
	char *hosts; /* names of this machine in /etc/hosts, one per line; or NULL */
};

/*
 * Reads the machine's names from a hosts file, which has its full name without a resolver.
 * Prints a message if the file exists but cannot be read. Leaves n->given alone.
 */
void http_names_read(struct http_names *n, const char *hosts_file);
void http_names_release(struct http_names *n);

/* Is it valid for --listen-name: NAME, *.DOMAIN for a whole domain, or * for any name? */
bool http_names_valid(const char *name);

/*
 * Allowed are localhost, the current host name (with or without its domain, or with .local),
 * the names from the hosts file, and n->given. Case does not matter.
 */
bool http_names_allow(const struct http_names *n, const char *name);

#endif
