// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/fail.h"
#include "base/http_names.h"
#include "base/text_read.h"

#define BLANKS " \t\r"

static bool own_name(char name[HTTP_NAME_MOST + 1])
{
	name[HTTP_NAME_MOST] = '\0';
	return !gethostname(name, HTTP_NAME_MOST) && *name;
}

/* "ADDRESS NAME ALIAS...": if one of the names is ours, all of them are. Cuts the line up. */
static void take_line(FILE *out, char *line, const char *own)
{
	char *words[64], *save = NULL;
	bool ours = false;
	int n = 0;

	line[strcspn(line, "#")] = '\0';
	strtok_r(line, BLANKS, &save); /* the address */
	while (n < 64 && (words[n] = strtok_r(NULL, BLANKS, &save)))
		ours |= !strcasecmp(words[n++], own);
	for (int i = 0; ours && i < n; i++)
		fprintf(out, "%s\n", words[i]);
}

void http_names_read(struct http_names *n, const char *hosts_file)
{
	char own[HTTP_NAME_MOST + 1];
	char *text, *rest, *line;
	size_t nul_line, len;
	int err = text_read(hosts_file, TEXT_FILE, &text, &nul_line);
	FILE *out;

	free(n->hosts);
	n->hosts = NULL;
	if (err && err != -ENOENT)
		say("cannot read '%s': %s; metrics are served under the host name and those of "
		    "--listen-name only",
		    hosts_file, text_read_why(err));
	if (err)
		return;
	out = own_name(own) ? open_memstream(&n->hosts, &len) : NULL;
	rest = text;
	while (out && (line = text_line(&rest)))
		take_line(out, line, own);
	if (out && fclose(out)) {
		free(n->hosts);
		n->hosts = NULL;
	}
	free(text);
}

void http_names_release(struct http_names *n)
{
	free(n->hosts);
	n->hosts = NULL;
}

bool http_names_valid(const char *name)
{
	size_t len = strlen(name);

	if (!strcmp(name, "*"))
		return true;
	if (!strncmp(name, "*.", 2))
		name += 2;
	if (!*name || *name == '.' || len > HTTP_NAME_MOST)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-._", *name))
			return false;
	return true;
}

static bool matches(const char *given, const char *name)
{
	size_t domain = strlen(given) - 1, len = strlen(name);

	if (!strcmp(given, "*"))
		return true;
	if (*given != '*')
		return !strcasecmp(given, name);
	return len > domain && !strcasecmp(given + 1, name + len - domain);
}

static bool is_own(const char *name)
{
	char own[HTTP_NAME_MOST + 1];
	size_t first;

	if (!own_name(own))
		return false;
	if (!strcasecmp(name, own))
		return true;
	first = strcspn(own, ".");
	return !strncasecmp(name, own, first) &&
	       (!name[first] || !strcasecmp(name + first, ".local"));
}

static bool in_lines(const char *lines, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = lines; at && *at; at = strchr(at, '\n') + 1)
		if (strcspn(at, "\n") == len && !strncasecmp(at, name, len))
			return true;
	return false;
}

bool http_names_allow(const struct http_names *n, const char *name)
{
	char plain[HTTP_NAME_MOST + 1];
	size_t len = strlen(name);

	if (len > 1 && name[len - 1] == '.') /* an absolute name */
		len--;
	if (!len || len > HTTP_NAME_MOST)
		return false;
	snprintf(plain, sizeof(plain), "%.*s", (int)len, name);
	for (u32 i = 0; i < n->nr_given; i++)
		if (matches(n->given[i], plain))
			return true;
	return !strcasecmp(plain, "localhost") || is_own(plain) || in_lines(n->hosts, plain);
}
