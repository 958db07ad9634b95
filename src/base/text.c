// SPDX-License-Identifier: GPL-2.0-only
/* Text made safe and readable: a client chooses its name, we choose what is printed. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/printable.h"
#include "base/text.h"

const char *text_sanitise(char *dst, const char *src, size_t n)
{
	char *out = dst;

	n = strnlen(src, n);
	for (size_t i = 0, len; i < n; i += len) {
		int width;

		len = src[i] == '\\' ? 0 : printable_char(src + i, n - i, &width);
		if (!len) {
			out += sprintf(out, "\\x%02x", (unsigned char)src[i]);
			len = 1;
			continue;
		}
		memcpy(out, src + i, len);
		out += len;
	}
	*out = '\0';
	return dst;
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *text_raw(char *dst, size_t len, const char *shown)
{
	size_t n = 0;

	while (*shown && n + 1 < len) {
		int high = -1, low = -1;

		if (shown[0] == '\\' && shown[1] == 'x') {
			high = digit_of(shown[2]);
			low = high < 0 ? -1 : digit_of(shown[3]);
		}
		dst[n++] = low < 0 ? *shown : (char)(high << 4 | low);
		shown += low < 0 ? 1 : 4;
	}
	dst[n] = '\0';
	return dst;
}

bool text_has(const char *shown, const char *part)
{
	char raw[128];

	return strstr(shown, part) || strstr(text_raw(raw, sizeof(raw), shown), part);
}

const char *uuid_format(const u8 uuid[16], char buf[UUID_LEN])
{
	static const char digits[] = "0123456789abcdef";
	char *out = buf;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[uuid[i] >> 4];
		*out++ = digits[uuid[i] & 15];
	}
	*out = '\0';
	return buf;
}

const char *format_ns(u64 ns, char *buf, size_t len)
{
	static const struct {
		u64 below, unit;
		const char *name;
	} scales[] = {
		{ 1000, 1, "ns" },
		{ 1000000, 1000, "us" },
		{ 1000000000, 1000000, "ms" },
		{ ~0ULL, 1000000000, "s" },
	};
	int i = 0;

	while (ns >= scales[i].below)
		i++;
	if (i && ns < 10 * scales[i].unit)
		snprintf(buf, len, "%.1f%s", (double)(ns / (scales[i].unit / 10)) / 10,
			 scales[i].name);
	else
		snprintf(buf, len, "%llu%s", (unsigned long long)(ns / scales[i].unit),
			 scales[i].name);
	return buf;
}

/* The last digits of n, and what is to follow them. */
static char *put_digits(char *to, u32 n, int digits, char behind)
{
	for (int i = digits; i--; n /= 10)
		to[i] = (char)('0' + n % 10);
	to[digits] = behind;
	return to + digits + 1;
}

/* Every line of a log has one: no strftime(). */
const char *format_timestamp(u64 real_ns, char buf[TIMESTAMP_LEN])
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	char *at = buf;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	at = put_digits(at, (u32)tm.tm_year + 1900, 4, '-');
	at = put_digits(at, (u32)tm.tm_mon + 1, 2, '-');
	at = put_digits(at, (u32)tm.tm_mday, 2, 'T');
	at = put_digits(at, (u32)tm.tm_hour, 2, ':');
	at = put_digits(at, (u32)tm.tm_min, 2, ':');
	at = put_digits(at, (u32)tm.tm_sec, 2, '.');
	at = put_digits(at, (u32)(real_ns % 1000000000 / 1000), 6, 'Z');
	*at = '\0';
	return buf;
}

void task_comm(u32 tid, char to[COMM_LEN * 4 + 1])
{
	char path[32], comm[COMM_LEN + 1] = "";
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, COMM_LEN);
		close(fd);
	}
	if (n > 0 && comm[n - 1] == '\n')
		n--;
	text_sanitise(to, comm, n > 0 ? n : 0);
}
