// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the standard leaves a choice between lenient and strict, it is strict: who
 * scrapes sends plain requests, and what is not understood is not guessed at.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "metrics/http_request.h"

/* A part of the request; nothing ends with a NUL there. */
struct span {
	const char *at;
	size_t len;
};

int http_scan(struct http_scan *s, const char *buf, size_t len)
{
	for (; s->at < len; s->at++) {
		char c = buf[s->at];
		bool after_cr = s->at > 0 && buf[s->at - 1] == '\r';

		if (!c || (c == '\n') != after_cr)
			return -400;
		if (!s->first_passed && s->at - s->line > HTTP_LINE_MOST)
			return -414;
		if (c != '\n')
			continue;
		if (s->at - s->line == 1 && s->first_passed)
			return (int)s->at + 1;
		s->first_passed = true;
		s->line = s->at + 1;
	}
	return len < HTTP_HEAD_MOST ? 0 : -431;
}

static bool is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.at, text, s.len);
}

/* The same for what may be in capitals or not. */
static bool is_word(struct span s, const char *text)
{
	return s.len == strlen(text) && !strncasecmp(s.at, text, s.len);
}

static bool begins(struct span s, const char *text)
{
	return s.len >= strlen(text) && !memcmp(s.at, text, strlen(text));
}

static struct span skip(struct span s, size_t n)
{
	return (struct span){ s.at + n, s.len - n };
}

static struct span trim(struct span s)
{
	while (s.len && (*s.at == ' ' || *s.at == '\t'))
		s = skip(s, 1);
	while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Cuts off what comes before the first c, or all there is, and returns that. */
static struct span cut(struct span *rest, char c)
{
	const char *end = memchr(rest->at, c, rest->len);
	struct span part = { rest->at, end ? (size_t)(end - rest->at) : rest->len };

	*rest = skip(*rest, end ? part.len + 1 : part.len);
	return part;
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.at[i]) && !strchr("!#$%&'*+-.^_`|~", s.at[i]))
			return false;
	return s.len;
}

static bool is_printable(struct span s, bool tab)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < ' ' ? !tab || s.at[i] != '\t' : s.at[i] == 0x7f)
			return false;
	return true;
}

/* Is it an address, or a name that is allowed, with a port or without? */
static bool host_allowed(struct span host, const struct http_names *names)
{
	bool bracketed = host.len && *host.at == '[' && memchr(host.at, ']', host.len);
	char text[HTTP_NAME_MOST + 2];
	u8 address[16];
	struct span name;

	if (bracketed)
		host = skip(host, 1);
	name = cut(&host, bracketed ? ']' : ':');
	if (bracketed && host.len && *host.at == ':')
		host = skip(host, 1);
	for (size_t i = 0; i < host.len; i++)
		if (!isdigit((unsigned char)host.at[i]))
			return false;
	if (name.len >= sizeof(text) || !name.len)
		return false;
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	return inet_pton(bracketed ? AF_INET6 : AF_INET, text, address) == 1 ||
	       (!bracketed && http_names_allow(names, text));
}

/* The path of the target, and the host if it is there. */
static struct span path_of(struct span target, struct span *host)
{
	static const char scheme[] = "http://";
	struct span path = { target.at, 0 };
	const char *slash;

	if (begins(target, "/")) {
		path = target;
	} else if (begins(target, scheme)) {
		*host = skip(target, sizeof(scheme) - 1);
		slash = memchr(host->at, '/', host->len);
		if (slash)
			path = (struct span){ slash, (size_t)(target.at + target.len - slash) };
		host->len = slash ? (size_t)(slash - host->at) : host->len;
	}
	return cut(&path, '?');
}

/* In thousandths; what is no weight counts as none. */
static int weight(struct span s)
{
	int q = 0;

	s = trim(s);
	for (int unit = 1000; s.len && unit; s = skip(s, 1)) {
		if (*s.at == '.')
			continue;
		if (!isdigit((unsigned char)*s.at))
			return 0;
		q += (*s.at - '0') * unit;
		unit /= 10;
	}
	return q > 1000 ? 1000 : q;
}

/* How much each is wanted; -1: nothing is said of it. */
struct wanted {
	int openmetrics, text, any_text, any;
};

static void want(int *what, int q)
{
	*what = q > *what ? q : *what;
}

/* One media range of Accept. */
static void accept_range(struct wanted *w, struct span range)
{
	struct span type = trim(cut(&range, ';')), version = {};
	int q = 1000;

	while (range.len) {
		struct span value = trim(cut(&range, ';')), name = trim(cut(&value, '='));

		if (is_word(name, "q"))
			q = weight(value);
		else if (is_word(name, "version"))
			version = trim(value);
	}
	if (is_word(type, "application/openmetrics-text") &&
	    (!version.len || is(version, "1.0.0") || is(version, "\"1.0.0\"")))
		want(&w->openmetrics, q);
	else if (is_word(type, "text/plain"))
		want(&w->text, q);
	else if (is_word(type, "text/*"))
		want(&w->any_text, q);
	else if (is_word(type, "*/*"))
		want(&w->any, q);
}

static enum metrics_dialect dialect_of(const struct wanted *w)
{
	int text = w->text >= 0 ? w->text : w->any_text >= 0 ? w->any_text : w->any;

	return w->openmetrics > 0 && w->openmetrics >= text ? METRICS_OPENMETRICS : METRICS_CLASSIC;
}

struct head {
	struct http_request *r;
	struct wanted wanted;
	struct span host;
	int hosts;
	const struct http_names *names;
};

/* Each of these is a status: 0 goes on. */
static int read_host(struct head *h, struct span value)
{
	if (!h->host.at) /* an absolute target goes before it */
		h->host = value;
	return h->hosts++ ? 400 : 0;
}

static int read_accept(struct head *h, struct span value)
{
	while (value.len)
		accept_range(&h->wanted, cut(&value, ','));
	return 0;
}

static int read_connection(struct head *h, struct span value)
{
	while (value.len) {
		struct span word = trim(cut(&value, ','));

		if (is_word(word, "close"))
			h->r->keep = false;
		else if (is_word(word, "keep-alive"))
			h->r->keep = true;
	}
	return 0;
}

/* Nobody has to send us anything. */
static int read_length(struct head *h, struct span value)
{
	(void)h;
	return is(value, "0") ? 0 : 400;
}

static int read_encoding(struct head *h, struct span value)
{
	(void)h;
	(void)value;
	return 400;
}

static const struct {
	const char *name;
	int (*read)(struct head *h, struct span value);
} headers[] = {
	{ "host", read_host },
	{ "accept", read_accept },
	{ "connection", read_connection },
	{ "content-length", read_length },
	{ "transfer-encoding", read_encoding },
};

static int read_header(struct head *h, struct span line)
{
	struct span name = cut(&line, ':');

	if (name.at + name.len == line.at || !is_token(name) || !is_printable(line, true))
		return 400;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (is_word(name, headers[i].name))
			return headers[i].read(h, trim(line));
	return 0;
}

static int read_version(struct http_request *r, struct span version)
{
	if (version.len != 8 || !begins(version, "HTTP/") || version.at[6] != '.' ||
	    !isdigit((unsigned char)version.at[5]) || !isdigit((unsigned char)version.at[7]))
		return 400;
	r->keep = version.at[7] != '0';
	return version.at[5] == '1' ? 0 : 505;
}

/* The method last: of a request that is malformed nothing is to be believed. */
static int read_first(struct head *h, struct span line, struct span *path)
{
	struct span method = cut(&line, ' '), target = cut(&line, ' ');
	int status = read_version(h->r, line);

	if (status)
		return status;
	if (!is_token(method) || !target.len || !is_printable(target, false))
		return 400;
	h->r->head = is(method, "HEAD");
	if (!h->r->head && !is(method, "GET"))
		return 405;
	*path = path_of(target, &h->host);
	return path->len || h->host.at ? 0 : 400;
}

static int find(struct http_request *r, struct span path)
{
	if (is(path, "/metrics"))
		r->target = HTTP_METRICS;
	else if (is(path, "/") || !path.len)
		r->target = HTTP_ROOT;
	else
		return 404;
	return 200;
}

static struct span next_line(struct span *rest)
{
	struct span line = cut(rest, '\n');

	line.len -= line.len && line.at[line.len - 1] == '\r';
	return line;
}

static int read_head(struct head *h, struct span rest)
{
	struct span path = {}, line;
	int status = read_first(h, next_line(&rest), &path);
	bool old;

	old = !h->r->keep;
	for (line = next_line(&rest); line.len && !status; line = next_line(&rest))
		status = read_header(h, line);
	if (status)
		return status;
	if (!h->hosts && !old)
		return 400;
	if (h->names && h->host.at && !host_allowed(h->host, h->names))
		return 421;
	return find(h->r, path);
}

struct http_request http_parse(const char *buf, size_t len, const struct http_names *names)
{
	struct http_request r = {};
	struct head h = { .r = &r, .wanted = { -1, -1, -1, -1 }, .names = names };

	r.status = read_head(&h, (struct span){ buf, len });
	r.dialect = dialect_of(&h.wanted);
	return r;
}
