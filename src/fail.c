// SPDX-License-Identifier: GPL-2.0-only
/* Errors: one line, once, where the user's own object is known. */
#include <stdarg.h>
#include <stdio.h>
#include "fail.h"

enum status fail(enum status status, const char *fmt, ...)
{
	char line[1024];
	va_list args;

	fflush(stdout);
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, "optee-top: %s\n", line);
	return status;
}
