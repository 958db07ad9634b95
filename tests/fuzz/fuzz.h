/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share. FUZZ_TARGET() makes a function what libFuzzer calls, or adds it
 * to those of tests/unit/test_fuzz_corpus.c.
 */
#ifndef OPTEE_TOP_FUZZ_H
#define OPTEE_TOP_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>
#include "record/block.h"

#ifdef FUZZ_ALL
void fuzz_add(const char *name, void (*fuzz)(const uint8_t *data, size_t size));

#define FUZZ_TARGET(name)                                                                          \
	__attribute__((constructor)) static void add_##name(void)                                  \
	{                                                                                          \
		fuzz_add(#name, fuzz_##name);                                                      \
	}                                                                                          \
	struct fuzz_##name
#else
#define FUZZ_TARGET(name)                                                                          \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);                              \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                               \
	{                                                                                          \
		fuzz_##name(data, size);                                                           \
		return 0;                                                                          \
	}                                                                                          \
	struct fuzz_##name
#endif

/* A file with these bytes, for as long as the descriptor is open; path becomes its name. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* A copy of these bytes, to be freed. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = calloc(1, size + 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* The CRC of each thing that looks like a block, and its schema, if one is given. */
static inline void fuzz_repair(uint8_t *data, size_t size, uint16_t schema)
{
	for (size_t at = 0; at + BLOCK_HEAD <= size; at++) {
		uint32_t stored, crc;

		if (memcmp(data + at, block_sync, sizeof(block_sync)) != 0)
			continue;
		if (schema)
			memcpy(data + at + 6, &schema, 2);
		memcpy(&stored, data + at + 8, 4);
		if (stored > size - at - BLOCK_HEAD)
			continue;
		crc = (uint32_t)crc32(crc32(0, data + at + 4, 12), data + at + BLOCK_HEAD, stored);
		memcpy(data + at + 16, &crc, 4);
	}
}

/* A listening socket that is no file, and the address of it. */
static inline int fuzz_listen(const char *name, struct sockaddr_un *address, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
					    "optee-top-fuzz-%s-%d", name, getpid()));
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *len) || listen(fd, 16))
		abort();
	return fd;
}

static inline int fuzz_connect(const struct sockaddr_un *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, len))
		abort();
	return fd;
}

#endif
