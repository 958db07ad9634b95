// SPDX-License-Identifier: GPL-2.0-only
/* Whatever a log has in it, and a cursor, which is the first line here: every format of it. */
#include "fuzz.h"
#include "log/log_export.h"

static void put_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
}

static void fuzz_log(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "jsonl", "csv", "prometheus" };
	static char dir[64], log[80], cursor[80];
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	size_t first = line ? (size_t)(line - data) : 0;

	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "%s/optee-top-fuzz.XXXXXX",
			 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
		if (!mkdtemp(dir))
			abort();
		snprintf(log, sizeof(log), "%s/log", dir);
		snprintf(cursor, sizeof(cursor), "%s/cursor", dir);
	}
	put_file(log, line ? line + 1 : data, line ? size - first - 1 : size);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const struct opts o = { .format = formats[i],
					.output = "/dev/null",
					.match = size & 1 ? "a" : NULL,
					.cursor = first ? cursor : NULL };

		if (first)
			put_file(cursor, data, first);
		log_is(log);
		log_export(&o, log);
	}
	unlink(log);
	unlink(cursor);
	rmdir(dir);
	dir[0] = '\0';
}

FUZZ_TARGET(log);
