/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program carries gzipped. */
#ifndef OPTEE_TOP_INFLATE_H
#define OPTEE_TOP_INFLATE_H

#include <stddef.h>

/* How many bytes it becomes. */
size_t inflate_size(const unsigned char *gzipped, size_t bytes);

/* to has room for those. Out of memory, which is all that can be wrong: ends the program. */
void inflate_all(const unsigned char *gzipped, size_t bytes, void *to);

#endif
