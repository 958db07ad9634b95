// SPDX-License-Identifier: GPL-2.0-only
/* Text made safe and readable: a client chooses its name, we choose what is printed. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "text.h"

const char *text_sanitise(char *dst, const char *src, size_t n)
{
	char *out = dst;

	for (size_t i = 0; i < n && src[i]; i++) {
		unsigned char c = src[i];

		if (c >= ' ' && c < 0x7f && c != '\\')
			*out++ = c;
		else
			out += sprintf(out, "\\x%02x", c);
	}
	*out = '\0';
	return dst;
}

const char *uuid_format(const u8 uuid[16], char buf[UUID_LEN])
{
	char *out = buf;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		out += sprintf(out, "%02x", uuid[i]);
	}
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

const char *format_timestamp(u64 real_ns, char buf[TIMESTAMP_LEN])
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	char date[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, TIMESTAMP_LEN, "%s.%06uZ", date, (unsigned int)(real_ns % 1000000000 / 1000));
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
