// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report of a check. All text of findings is printable UTF-8 already; what is
 * left to escape is what has a meaning in the format. The host's name may be anything
 * in a recording.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/printable.h"
#include "check/check_report.h"
#include "render/json.h"

static size_t count(const struct report *r, enum verdict verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < r->rules->nr; i++)
		n += r->findings[i].verdict == verdict;
	return n;
}

bool report_passes(const struct report *r)
{
	return count(r, VERDICT_PASS) == r->rules->nr;
}

static double seconds(const struct report *r)
{
	return (double)(r->seen->last_ns - r->seen->first_ns) / 1e9;
}

struct title {
	char text[2 * RULE_TEXT];
};

static struct title title(const struct rule *rule)
{
	struct title t;

	snprintf(t.text, sizeof(t.text), "%s%s%s", rule->kind->name, *rule->text ? " " : "",
		 rule->text);
	return t;
}

static enum status print_table(const struct report *r)
{
	static const char *const words[] = { "PASS", "FAIL", "UNKNOWN" };

	for (size_t i = 0; i < r->rules->nr; i++) {
		const struct finding *f = &r->findings[i];

		printf("%-7s  %-26s  %s\n", words[f->verdict], title(&r->rules->rules[i]).text,
		       f->found);
		for (int n = 0; n < f->nr_lines; n++)
			printf("             %s\n", f->lines[n]);
	}
	printf("%s: %zu of %zu rules pass, %zu fail, %zu unknown; %llu calls in %.1fs",
	       report_passes(r) ? "pass" : "fail", count(r, VERDICT_PASS), r->rules->nr,
	       count(r, VERDICT_FAIL), count(r, VERDICT_UNKNOWN),
	       (unsigned long long)summary_calls(r->seen), seconds(r));
	if (r->seen->has_command)
		printf("; the command ended with status %d", r->seen->command_status);
	putchar('\n');
	return STATUS_OK;
}

/* In double quotes, for YAML. */
static void print_quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static enum status print_tap(const struct report *r)
{
	printf("TAP version 13\n1..%zu\n", r->rules->nr);
	for (size_t i = 0; i < r->rules->nr; i++) {
		const struct finding *f = &r->findings[i];

		printf("%sok %zu - %s\n  ---\n  verdict: %s\n  found: ",
		       f->verdict == VERDICT_PASS ? "" : "not ", i + 1,
		       title(&r->rules->rules[i]).text, verdict_name(f->verdict));
		print_quoted(f->found);
		printf("\n  evidence:%s\n", f->nr_lines ? "" : " []");
		for (int n = 0; n < f->nr_lines; n++) {
			printf("    - ");
			print_quoted(f->lines[n]);
			putchar('\n');
		}
		printf("  ...\n");
	}
	return STATUS_OK;
}

static void print_xml(const char *text)
{
	static const struct {
		char of;
		const char *entity;
	} entities[] = {
		{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" },
	};

	for (size_t n = strlen(text), len; n; text += len, n -= len) {
		const char *entity = NULL;
		int width;

		len = printable_char(text, n, &width);
		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (entities[i].of == *text)
				entity = entities[i].entity;
		if (entity)
			fputs(entity, stdout);
		else if (len)
			fwrite(text, 1, len, stdout);
		else
			putchar('?');
		len = len ?: 1;
	}
}

static void print_attribute(const char *name, const char *text)
{
	printf(" %s=\"", name);
	print_xml(text);
	putchar('"');
}

static void print_case(const struct rule *rule, const struct finding *f)
{
	const char *element = f->verdict == VERDICT_PASS ? "system-out" :
			      f->verdict == VERDICT_FAIL ? "failure" :
							   "error";

	printf("    <testcase classname=\"optee-top\"");
	print_attribute("name", title(rule).text);
	printf(" time=\"0\">\n      <%s", element);
	if (f->verdict != VERDICT_PASS) {
		print_attribute("message", f->found);
		print_attribute("type", verdict_name(f->verdict));
	}
	putchar('>');
	print_xml(f->found);
	putchar('\n');
	for (int n = 0; n < f->nr_lines; n++) {
		print_xml(f->lines[n]);
		putchar('\n');
	}
	printf("</%s>\n    </testcase>\n", element);
}

static enum status print_junit(const struct report *r)
{
	time_t start = (time_t)(r->host->real_ns / 1000000000);
	char stamp[32], figures[160];
	struct tm tm;

	gmtime_r(&start, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(figures, sizeof(figures),
		 "tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"", r->rules->nr,
		 count(r, VERDICT_FAIL), count(r, VERDICT_UNKNOWN), seconds(r));
	printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites %s>\n"
	       "  <testsuite name=\"optee-top check\" %s skipped=\"0\" timestamp=\"%s\"",
	       figures, figures, stamp);
	print_attribute("hostname", r->host->name);
	printf(">\n");
	for (size_t i = 0; i < r->rules->nr; i++)
		print_case(&r->rules->rules[i], &r->findings[i]);
	printf("  </testsuite>\n</testsuites>\n");
	return STATUS_OK;
}

static json_t *rule_json(const struct rule *rule, const struct finding *f)
{
	json_t *lines = json_array();

	for (int n = 0; n < f->nr_lines; n++)
		json_array_append_new(lines, json_string(f->lines[n]));
	return json_pack("{s:s,s:s?,s:s,s:s,s:o}", "rule", rule->kind->name, "argument",
			 *rule->text ? rule->text : NULL, "verdict", verdict_name(f->verdict),
			 "found", f->found, "evidence", lines);
}

static json_t *report_json(const struct report *r)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < r->rules->nr; i++)
		json_array_append_new(rules, rule_json(&r->rules->rules[i], &r->findings[i]));
	return json_pack("{s:s,s:o,s:f,s:I,s:o,s:s,s:o}", "schema", JSON_SCHEMA, "source",
			 host_json(r->host), "seconds", seconds(r), "calls",
			 (json_int_t)summary_calls(r->seen), "command_status",
			 r->seen->has_command ? json_integer(r->seen->command_status) : json_null(),
			 "verdict", report_passes(r) ? "pass" : "fail", "rules", rules);
}

static enum status print_json(const struct report *r)
{
	if (!json_print(report_json(r), JSON_COMPACT | JSON_REAL_PRECISION(9)))
		return fail(STATUS_FAILURE, "cannot print the report: out of memory");
	return STATUS_OK;
}

static const struct report_format formats[] = {
	{ "table", print_table },
	{ "tap", print_tap },
	{ "junit", print_junit },
	{ "json", print_json },
};

const struct report_format *report_format(const struct opts *o)
{
	const char *name = o->format ?: o->json ? "json" : "table";

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(name, formats[i].name) != 0)
			continue;
		if (!o->json || !strcmp(name, "json"))
			return &formats[i];
		fail(STATUS_USAGE, "cannot print both JSON and '--format %s'", name);
		return NULL;
	}
	fail(STATUS_USAGE, "cannot check with '--format %s': it is table, tap, junit or json",
	     name);
	return NULL;
}
