// SPDX-License-Identifier: GPL-2.0-only
/* Findings are made of names that clients chose: they become harmless here, once. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/printable.h"
#include "check/finding.h"

#define LINE 1024

/* As text_sanitise(), but what that has made of a name stays as it is. */
static void make_printable(char *to, size_t len, const char *from)
{
	size_t at = 0, n = strlen(from), chars;
	int width;

	for (; n && at + 5 <= len; from += chars, n -= chars) {
		chars = printable_char(from, n, &width);
		if (chars) {
			memcpy(to + at, from, chars);
			at += chars;
		} else {
			at += (size_t)sprintf(to + at, "\\x%02x", (unsigned char)*from);
			chars = 1;
		}
	}
	to[at] = '\0';
}

void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...)
{
	char line[sizeof(f->found)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	f->verdict = verdict;
	make_printable(f->found, sizeof(f->found), line);
}

void finding_add(struct finding *f, const char *fmt, ...)
{
	char line[LINE], printable[LINE];
	va_list args;

	if (f->nr_lines == FINDING_LINES)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	make_printable(printable, sizeof(printable), line);
	f->lines[f->nr_lines] = strdup(printable);
	if (f->lines[f->nr_lines])
		f->nr_lines++;
}

void finding_release(struct finding *f)
{
	for (int i = 0; i < f->nr_lines; i++)
		free(f->lines[i]);
	f->nr_lines = 0;
}
