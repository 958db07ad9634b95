// SPDX-License-Identifier: GPL-2.0-only
/* A bounded buffer: what does not fit spoils the line, and never the memory behind it. */
#include <stdarg.h>
#include <string.h>
#include "base/printable.h"
#include "render/line_buffer.h"

void line_clear(struct line_buffer *l)
{
	l->len = 0;
	l->full = l->begun = false;
}

void line_bytes(struct line_buffer *l, const char *bytes, size_t len)
{
	if (len > sizeof(l->text) - l->len) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
}

void line_char(struct line_buffer *l, char c)
{
	if (l->len == sizeof(l->text))
		l->full = true;
	else
		l->text[l->len++] = c;
}

void line_put(struct line_buffer *l, const char *text)
{
	line_bytes(l, text, strlen(text));
}

void line_unsigned(struct line_buffer *l, u64 n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	line_bytes(l, digits + at, sizeof(digits) - at);
}

void line_number(struct line_buffer *l, s64 n)
{
	if (n < 0)
		line_char(l, '-');
	line_unsigned(l, n < 0 ? 0 - (u64)n : (u64)n);
}

void line_format(struct line_buffer *l, const char *fmt, ...)
{
	char text[128];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		l->full = true;
	else
		line_bytes(l, text, (size_t)n);
}

void line_send(struct line_buffer *l, FILE *out)
{
	if (!l->full)
		fwrite(l->text, 1, l->len, out);
	line_clear(l);
}

void line_open(struct line_buffer *l)
{
	line_char(l, '{');
	l->begun = false;
}

void line_close(struct line_buffer *l)
{
	line_char(l, '}');
	l->begun = true;
}

/* Keys are our own words: nothing in them needs a backslash. */
void line_key(struct line_buffer *l, const char *key)
{
	if (l->begun)
		line_char(l, ',');
	l->begun = true;
	line_char(l, '"');
	line_put(l, key);
	line_bytes(l, "\":", 2);
}

void line_field(struct line_buffer *l, const char *name, enum field_unit unit)
{
	char key[64];

	line_key(l, field_json_key(name, unit, key, sizeof(key)));
}

/* Texts are printable: the escape only keeps a forged one from breaking the line. */
void line_quote(struct line_buffer *l, const char *text)
{
	size_t n = strlen(text), len;
	int width;

	line_char(l, '"');
	for (; n; text += len, n -= len) {
		len = printable_char(text, n, &width);
		if (!len) {
			line_format(l, "\\u%04x", (unsigned char)*text);
			len = 1;
			continue;
		}
		if (*text == '"' || *text == '\\')
			line_char(l, '\\');
		line_bytes(l, text, len);
	}
	line_char(l, '"');
}

void line_quote_or_null(struct line_buffer *l, const char *text)
{
	if (*text)
		line_quote(l, text);
	else
		line_put(l, "null");
}

static void line_value(struct line_buffer *l, const struct value *v, enum field_unit unit)
{
	if (!v->known)
		line_put(l, "null");
	else if (unit == UNIT_TEXT)
		line_quote(l, v->text);
	else if (unit == UNIT_PER_SECOND || unit == UNIT_PERCENT)
		line_format(l, "%.17g", v->number);
	else
		line_number(l, (s64)v->number);
}

void line_count(struct line_buffer *l, const char *key, u64 n)
{
	line_key(l, key);
	line_unsigned(l, n);
}

void line_figures(struct line_buffer *l, struct figures f)
{
	while (figures_next(&f)) {
		line_field(l, f.name, f.unit);
		line_value(l, &f.value, f.unit);
	}
}
