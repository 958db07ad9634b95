// SPDX-License-Identifier: GPL-2.0-only
/* Whatever the daemon's file of options has in it. */
#include "options/config_file.h"
#include "fuzz.h"
#include "options/opts.h"

static void fuzz_options(const uint8_t *data, size_t size)
{
	char *argv[] = { (char *)"optee-top", NULL }, *text = NULL;
	struct opts o;
	char path[32];
	int fd = fuzz_file(data, size, path);

	if (opts_parse(&o, 1, argv) != STATUS_OK)
		abort();
	config_file_read(&o, path, &text);
	free(text);
	close(fd);
}

FUZZ_TARGET(options);
