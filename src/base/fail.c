// SPDX-License-Identifier: GPL-2.0-only
/* Errors: one line, once, where the user's own object is known. */
#include <stdarg.h>
#include <stdio.h>
#include "base/fail.h"

static void print(const char *fmt, va_list args)
{
	char line[1024];

	fflush(stdout);
	vsnprintf(line, sizeof(line), fmt, args);
	fprintf(stderr, "optee-top: %s\n", line);
}

enum status fail(enum status status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(fmt, args);
	va_end(args);
	return status;
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(fmt, args);
	va_end(args);
}
