// SPDX-License-Identifier: GPL-2.0-only
/* Errors: one line, once, where the user's own object is known. */
#include <stdarg.h>
#include <stdio.h>
#include "fail.h"

enum status fail(enum status status, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("optee-top: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}
