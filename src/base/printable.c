// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static program on a device has no locale, and so no wcwidth(). The table has what names
 * are made of: letters, ideographs, common signs. What is not in it counts as not printable:
 * controls and private characters, what has no width or changes the direction of its
 * neighbours (so no letters that are written from right to left), combining marks, and what
 * terminals do not agree on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/printable.h"

static const struct {
	unsigned int first, last;
	int width;
} ranges[] = {
	{ 0x20, 0x7e, 1 },       { 0xa1, 0xac, 1 },       { 0xae, 0x2ff, 1 },
	{ 0x370, 0x373, 1 },     { 0x376, 0x377, 1 },     { 0x37b, 0x37f, 1 },
	{ 0x384, 0x38a, 1 },     { 0x38c, 0x38c, 1 },     { 0x38e, 0x3a1, 1 },
	{ 0x3a3, 0x482, 1 },     { 0x48a, 0x52f, 1 },     { 0x531, 0x556, 1 },
	{ 0x561, 0x587, 1 },     { 0x904, 0x939, 1 },     { 0xe01, 0xe30, 1 },
	{ 0xe3f, 0xe46, 1 },     { 0x10d0, 0x10fa, 1 },   { 0x1e00, 0x1eff, 1 },
	{ 0x2010, 0x2027, 1 },   { 0x2030, 0x205e, 1 },   { 0x20a0, 0x20bf, 1 },
	{ 0x2100, 0x218b, 1 },   { 0x2190, 0x2311, 1 },   { 0x2500, 0x25fc, 1 },
	{ 0x3001, 0x3029, 2 },   { 0x3041, 0x3096, 2 },   { 0x309b, 0x30ff, 2 },
	{ 0x3105, 0x312f, 2 },   { 0x3131, 0x3163, 2 },   { 0x3400, 0x4dbf, 2 },
	{ 0x4e00, 0x9ffc, 2 },   { 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfa6d, 2 },
	{ 0xff01, 0xff60, 2 },   { 0xff61, 0xff9f, 1 },   { 0xffe0, 0xffe6, 2 },
	{ 0x1f600, 0x1f64f, 2 }, { 0x1f680, 0x1f6c5, 2 }, { 0x20000, 0x2a6dd, 2 },
};

static int width_of(unsigned int c)
{
	size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

	while (low < high) {
		size_t at = (low + high) / 2;

		if (c > ranges[at].last)
			low = at + 1;
		else if (c < ranges[at].first)
			high = at;
		else
			return ranges[at].width;
	}
	return 0;
}

size_t printable_char(const char *s, size_t n, int *width)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *b = (const unsigned char *)s;
	unsigned int c;
	size_t len;

	if (!n)
		return 0;
	len = b[0] < 0x80 ? 1 : b[0] < 0xc0 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
	if (!len || len > n || b[0] > 0xf4)
		return 0;
	c = len == 1 ? b[0] : b[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3f);
	}
	*width = c < least[len] ? 0 : width_of(c); /* longer than it need be: a disguise */
	return *width ? len : 0;
}

bool printable(const char *s, size_t n)
{
	size_t len;
	int width;

	for (; n; s += len, n -= len) {
		len = printable_char(s, n, &width);
		if (!len)
			return false;
	}
	return true;
}

int printable_width(const char *text)
{
	int all = 0, width;

	for (size_t n = strlen(text), len; n; text += len, n -= len) {
		len = printable_char(text, n, &width);
		all += len ? width : 1;
		len = len ?: 1;
	}
	return all;
}

size_t printable_cut(const char *text, int width)
{
	size_t n = strlen(text), at = 0;

	while (at < n) {
		int columns = 1;
		size_t len = printable_char(text + at, n - at, &columns);

		if (!strncmp(text + at, "\\x", 2) && n - at >= 4)
			len = (size_t)(columns = 4);
		if (columns > width)
			break;
		width -= columns;
		at += len ?: 1;
	}
	return at;
}

const char *printable_fit(char *buf, size_t len, const char *text, int width)
{
	size_t n = printable_cut(text, width);
	int used;

	snprintf(buf, len, "%.*s", (int)n, text);
	used = printable_width(buf);
	n = strlen(buf);
	snprintf(buf + n, len - n, "%*s", width > used ? width - used : 0, "");
	return buf;
}

void printable_end(char *text)
{
	size_t n = strlen(text), at = n;
	int width;

	while (at && n - at < 3 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at && (unsigned char)text[at - 1] >= 0xc0 &&
	    !printable_char(text + at - 1, n - at + 1, &width))
		text[at - 1] = '\0';
}

bool printable_locale(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

bool printable_wants_ascii(int fd)
{
	return isatty(fd) && !printable_locale();
}

size_t printable_ascii(char *dst, size_t len, const char *bytes, size_t *n)
{
	static const char digits[] = "0123456789abcdef";
	size_t put = 0, at;

	for (at = 0; at < *n && put + 4 <= len; at++) {
		unsigned char c = (unsigned char)bytes[at];

		if (c < 0x80) {
			dst[put++] = bytes[at];
			continue;
		}
		dst[put++] = '\\';
		dst[put++] = 'x';
		dst[put++] = digits[c >> 4];
		dst[put++] = digits[c & 15];
	}
	*n = at;
	return put;
}

static ssize_t put_ascii(void *cookie, const char *bytes, size_t n)
{
	(void)cookie;
	for (size_t at = 0, taken; at < n; at += taken) {
		char out[512];
		size_t len;

		taken = n - at;
		len = printable_ascii(out, sizeof(out), bytes + at, &taken);
		for (size_t done = 0; done < len;) {
			ssize_t written = write(STDOUT_FILENO, out + done, len - done);

			if (written < 0)
				return 0; /* errno says why */
			done += (size_t)written;
		}
	}
	return (ssize_t)n;
}

void printable_guard_stdout(void)
{
	const cookie_io_functions_t functions = { .write = put_ascii };
	FILE *guard;

	/* A stream of that kind has no descriptor. */
	if (fileno(stdout) < 0 || !printable_wants_ascii(STDOUT_FILENO))
		return;
	guard = fopencookie(NULL, "w", functions);
	if (!guard)
		return;
	setvbuf(guard, NULL, _IOLBF, BUFSIZ);
	stdout = guard;
}
