// SPDX-License-Identifier: GPL-2.0-only
/* A table of the statuses, and what every answer says. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "metrics/http_answer.h"
#include "metrics/metrics.h"

static const struct status {
	int status;
	enum daemon_stat stat;
	const char *reason;
	const char *line; /* the body */
} statuses[] = {
	{ 200, STAT_HTTP_200, "OK", "optee-top: the metrics are at /metrics\n" },
	{ 400, STAT_HTTP_400, "Bad Request", "cannot parse this request\n" },
	{ 404, STAT_HTTP_404, "Not Found", "not found: the metrics are at /metrics\n" },
	{ 405, STAT_HTTP_405, "Method Not Allowed", "only GET and HEAD\n" },
	{ 408, STAT_HTTP_408, "Request Timeout", "the request took too long\n" },
	{ 414, STAT_HTTP_414, "URI Too Long", "the first line is too long\n" },
	{ 421, STAT_HTTP_421, "Misdirected Request",
	  "ask by an IP address or a name of this machine; the daemon's option listen-name "
	  "allows other names\n" },
	{ 431, STAT_HTTP_431, "Request Header Fields Too Large", "the headers are too long\n" },
	{ 500, STAT_HTTP_500, "Internal Server Error", "out of memory\n" },
	{ 505, STAT_HTTP_505, "HTTP Version Not Supported", "HTTP/1.1 or HTTP/1.0\n" },
};

static const struct status *find(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return &statuses[i];
	return find(500);
}

enum daemon_stat http_answer_stat(int status)
{
	return find(status)->stat;
}

void http_answer_make(struct http_answer *a, const struct http_request *r, bool keep,
		      bool with_body, size_t len)
{
	const struct status *s = find(r->status);
	time_t now = time(NULL);
	char date[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	a->len = (size_t)
		snprintf(a->text, sizeof(a->text),
			 "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			 "Connection: %s\r\nCache-Control: no-store\r\nVary: Accept\r\n"
			 "X-Content-Type-Options: nosniff\r\n%s\r\n%s",
			 s->status, s->reason, date,
			 with_body ? metrics_type(r->dialect) : "text/plain; charset=utf-8",
			 with_body ? len : strlen(s->line), keep ? "keep-alive" : "close",
			 s->status == 405 ? "Allow: GET, HEAD\r\n" : "",
			 with_body || r->head ? "" : s->line);
}
