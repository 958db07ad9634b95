// SPDX-License-Identifier: GPL-2.0-only
/* The program trusts what it carries. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/inflate.h"

size_t inflate_size(const unsigned char *gzipped, size_t bytes)
{
	const unsigned char *end = gzipped + bytes;

	return (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 |
	       (size_t)end[-1] << 24;
}

void inflate_all(const unsigned char *gzipped, size_t bytes, void *to)
{
	z_stream z = { .next_in = (unsigned char *)gzipped,
		       .avail_in = (uInt)bytes,
		       .next_out = to,
		       .avail_out = (uInt)inflate_size(gzipped, bytes) };

	if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK || inflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	inflateEnd(&z);
}
