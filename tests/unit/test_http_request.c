// SPDX-License-Identifier: GPL-2.0-only
/* Heads of requests: what is refused with which status, what is wanted in which dialect. */
#include <string.h>
#include <unistd.h>
#include "unit.h"
#include "fixtures/capture.h"
#include "metrics/http_request.h"

#define OPEN    METRICS_OPENMETRICS
#define CLASSIC METRICS_CLASSIC
#define HOST    "Host: localhost\r\n"
#define GET     "GET /metrics HTTP/1.1\r\n" HOST

static struct http_names names;

/* As the scan leaves it to be parsed; a scan that refuses gives the status. */
static struct http_request read_all(const char *text, size_t len, const struct http_names *names)
{
	struct http_scan scan = {};
	struct http_request r = {};
	int head = http_scan(&scan, text, len);

	if (head > 0)
		return http_parse(text, (size_t)head, names);
	r.status = -head;
	return r;
}

static struct http_request parse(const char *text)
{
	return read_all(text, strlen(text), &names);
}

UNIT_TEST(statuses)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		{ 200, GET "\r\n" },
		{ 200, "GET / HTTP/1.1\r\n" HOST "\r\n" },
		{ 200, "GET /metrics?name=x HTTP/1.1\r\n" HOST "\r\n" },
		{ 200, "HEAD /metrics HTTP/1.0\r\n\r\n" },
		{ 200, "GET http://127.0.0.1:80/metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 200, "GET http://127.0.0.1 HTTP/1.1\r\n" HOST "\r\n" },
		{ 200, GET "Content-Length: 0\r\n\r\n" },
		{ 200, GET "X-Odd: \x80\xff\t.\r\n\r\n" },
		{ 0, "GET /metrics HTTP/1.1\r\n" HOST },
		{ 0, "GET /metrics HTTP/1.1\r" },
		{ 0, "" },
		{ 400, "\r\n\r\n" },
		{ 400, "GET /metrics HTTP/1.1\n" },
		{ 400, "GET /metrics HTTP/1.1\r\r\n" },
		{ 400, "GET /metrics HTTP/1.1\r\n\r\n" }, /* no Host */
		{ 400, GET HOST "\r\n" },                 /* two */
		{ 400, "GET /metrics\r\n\r\n" },
		{ 400, "GET  /metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /metrics HTTP/1.1 \r\n" HOST "\r\n" },
		{ 400, "GET /met rics HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /met\x01rics HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, "GET /metrics HTTP/x.1\r\n" HOST "\r\n" },
		{ 400, "GET /metrics http/1.1\r\n" HOST "\r\n" },
		{ 400, "G(T /metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 400, GET " folded\r\n\r\n" },
		{ 400, GET "No colon\r\n\r\n" },
		{ 400, GET ": no name\r\n\r\n" },
		{ 400, GET "Space : before\r\n\r\n" },
		{ 400, GET "Bad: \x01\r\n\r\n" },
		{ 400, GET "Content-Length: 5\r\n\r\n" },
		{ 400, GET "Content-Length: 0, 0\r\n\r\n" },
		{ 400, GET "Transfer-Encoding: chunked\r\n\r\n" },
		{ 404, "GET /metric HTTP/1.1\r\n" HOST "\r\n" },
		{ 404, "GET /metrics/ HTTP/1.1\r\n" HOST "\r\n" },
		{ 404, "GET /../metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 405, "POST /metrics HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n" },
		{ 405, "get /metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 405, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" },
		{ 421, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n" },
		{ 421, "GET http://evil.example/metrics HTTP/1.1\r\n" HOST "\r\n" },
		{ 505, "GET /metrics HTTP/2.0\r\n" HOST "\r\n" },
		{ 505, "PRI * HTTP/2.0\r\n\r\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request r = parse(cases[i].text);

		if (r.status != cases[i].status)
			print_error("%d, not %d: %s\n", r.status, cases[i].status, cases[i].text);
		assert_int_equal(r.status, cases[i].status);
	}
	assert_int_equal(read_all("GET /\0 HTTP/1.1\r\n\r\n", 21, &names).status, 400);
	assert_true(parse("HEAD / HTTP/1.0\r\n\r\n").head);
	assert_int_equal(parse("HEAD / HTTP/1.0\r\n\r\n").target, HTTP_ROOT);
	assert_int_equal(parse(GET "\r\n").target, HTTP_METRICS);
}

UNIT_TEST(hosts)
{
	static const struct {
		const char *host;
		bool allowed;
	} cases[] = {
		{ "localhost", true },
		{ "LocalHost:9469", true },
		{ "127.0.0.1", true },
		{ "10.0.2.15:9469", true },
		{ "[::1]", true },
		{ "[fe80::1]:80", true },
		{ "evil.example", false },
		{ "127.0.0.1.evil", false },
		{ "localhost.evil", false },
		{ "::1", false },
		{ "[::1", false },
		{ "[localhost]", false },
		{ "localhost:80a", false },
		{ "", false },
		{ ":80", false },
		{ "[::1]evil", false },
		{ "127.0.0.1@evil", false },
		{ "0x7f.1", false },
	};
	char text[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
		if ((parse(text).status == 200) != cases[i].allowed)
			print_error("host '%s': %d\n", cases[i].host, parse(text).status);
		assert_int_equal(parse(text).status, cases[i].allowed ? 200 : 421);
		/* On a unix socket nobody is led here by a name. */
		assert_int_equal(read_all(text, strlen(text), NULL).status, 200);
	}
}

static int status_for(const char *host, const char *domain)
{
	char text[600];

	snprintf(text, sizeof(text), "GET /metrics HTTP/1.1\r\nHost: %s%s:9469\r\n\r\n", host,
		 domain);
	return parse(text).status;
}

/* What this machine is called, in all ways; and nothing that begins or ends like it. */
UNIT_TEST(own_names)
{
	char own[HTTP_NAME_MOST + 1], hosts[600], path[32];
	int n;

	assert_int_equal(gethostname(own, sizeof(own)), 0);
	assert_int_equal(status_for(own, ""), 200);
	assert_int_equal(status_for(own, "."), 200);
	own[strcspn(own, ".")] = '\0';
	assert_int_equal(status_for(own, ""), 200);
	assert_int_equal(status_for(own, ".local"), 200);
	assert_int_equal(status_for(own, ".evil.example"), 421);
	assert_int_equal(status_for(own, "x"), 421);
	assert_int_equal(status_for("x", own), 421);
	assert_int_equal(status_for(own, ".plant.example"), 421);
	gethostname(own, sizeof(own));
	n = snprintf(hosts, sizeof(hosts),
		     "127.0.0.1 localhost\n0.0.0.0 evil.example # not %s\n"
		     "::2\t%s.plant.example %s alias\r\n10.0.0.1 other",
		     own, own, own);
	file_of(path, hosts, (size_t)n);
	http_names_read(&names, path);
	assert_int_equal(status_for(own, ".plant.example"), 200);
	assert_int_equal(status_for("Alias", ""), 200);
	assert_int_equal(status_for("ali", ""), 421);
	assert_int_equal(status_for("other", ""), 421);
	assert_int_equal(status_for("evil", ".example"), 421);
	unlink(path);
	http_names_read(&names, path); /* it has gone: so have its names */
	assert_int_equal(status_for("alias", ""), 421);
}

UNIT_TEST(given_names)
{
	static const char *const good[] = { "a", "gateway-17.plant_2.example", "*.a.b", "*" };
	static const char *const bad[] = { "", ".", "*.", "*a", "a:9469", "a b", "http://a", "a*" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http_names_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_names_valid(bad[i]));
	names.given[0] = "metrics.example";
	names.given[1] = "*.fleet.example";
	names.nr_given = 2;
	assert_int_equal(status_for("Metrics", ".Example"), 200);
	assert_int_equal(status_for("device-1", ".fleet.example"), 200);
	assert_int_equal(status_for("fleet", ".example"), 421);
	assert_int_equal(status_for("xfleet", ".example"), 421);
	assert_int_equal(status_for("evil", ".example"), 421);
	names.given[1] = "*";
	assert_int_equal(status_for("evil", ".example"), 200);
	names = (struct http_names){};
}

UNIT_TEST(dialects)
{
	static const struct {
		const char *accept;
		enum metrics_dialect dialect;
	} cases[] = {
		/* As Prometheus 2.42 and 3 ask. */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  OPEN },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		  OPEN },
		{ "application/openmetrics-text; version=1.0.0; charset=utf-8", OPEN },
		{ "Application/OpenMetrics-Text ; Version=\"1.0.0\"", OPEN },
		{ "application/openmetrics-text", OPEN },
		{ "text/plain;version=0.0.4;q=0.2, application/openmetrics-text;version=1.0.0;q=0.3",
		  OPEN },
		{ "text/plain;version=0.0.4;q=0.4, application/openmetrics-text;version=1.0.0;q=0.3",
		  CLASSIC },
		{ "application/openmetrics-text;version=0.0.1", CLASSIC },
		{ "application/openmetrics-text;version=2.0.0", CLASSIC },
		{ "application/openmetrics-text;version=1.0.0;q=0", CLASSIC },
		{ "application/openmetrics-text;version=1.0.0;q=0.001", OPEN },
		{ "application/openmetrics-text;q=0.1, */*", CLASSIC },
		{ "application/openmetrics-text;q=0.5, */*, text/plain;q=0.1", OPEN },
		{ "*/*", CLASSIC },
		{ "text/html", CLASSIC },
		{ "", CLASSIC },
		{ ",,;;=,;q=;,", CLASSIC },
	};
	char text[600];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), GET "Accept: %s\r\n\r\n", cases[i].accept);
		if (parse(text).dialect != cases[i].dialect)
			print_error("accept '%s'\n", cases[i].accept);
		assert_int_equal(parse(text).dialect, cases[i].dialect);
		assert_int_equal(parse(text).status, 200);
	}
	assert_int_equal(parse(GET "\r\n").dialect, CLASSIC);
}

UNIT_TEST(connections)
{
	assert_true(parse(GET "\r\n").keep);
	assert_false(parse(GET "Connection: close\r\n\r\n").keep);
	assert_false(parse(GET "Connection: Upgrade, Close\r\n\r\n").keep);
	assert_false(parse("GET / HTTP/1.0\r\n\r\n").keep);
	assert_true(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep);
}

/* However it is cut up, and however long: the same, and no byte is looked at twice. */
UNIT_TEST(scans)
{
	static const char text[] = GET "A: b\r\n\r\n", more[] = GET "\r\nGET";
	static char line[HTTP_HEAD_MOST];
	struct http_scan s = {};

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(http_scan(&s, text, n), 0);
	assert_int_equal(http_scan(&s, text, sizeof(text) - 1), sizeof(text) - 1);
	s = (struct http_scan){};
	assert_int_equal(http_scan(&s, more, sizeof(more) - 1), sizeof(more) - 1 - 3);
	memset(line, 'a', sizeof(line));
	s = (struct http_scan){};
	assert_int_equal(http_scan(&s, line, HTTP_LINE_MOST), 0);
	assert_int_equal(http_scan(&s, line, sizeof(line)), -414);
	memcpy(line, GET, sizeof(GET) - 1);
	s = (struct http_scan){};
	assert_int_equal(http_scan(&s, line, sizeof(line) - 1), 0);
	assert_int_equal(http_scan(&s, line, sizeof(line)), -431);
}
