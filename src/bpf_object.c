// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF programs as the program carries them: gzipped, a quarter of their size.
 * The generated skeleton asks for them by this name.
 */
#include <stdlib.h>
#include <zlib.h>
#include "bpf_object.h"

extern const unsigned char gzipped[];
extern const unsigned long gzipped_bytes;

__asm__(".pushsection .rodata\n"
	"gzipped: .incbin \"build/gen/probes.bpf.o.gz\"\n"
	".balign 8\n"
	"gzipped_bytes: .dc.a gzipped_bytes - gzipped\n"
	".popsection\n");

static void *object;

const void *probes_bpf__elf_bytes(size_t *size)
{
	z_stream z = { .next_in = (unsigned char *)gzipped, .avail_in = (uInt)gzipped_bytes };

	*size = BPF_OBJECT_BYTES;
	object = malloc(*size);
	z.next_out = object;
	z.avail_out = (uInt)*size;
	if (!object || inflateInit2(&z, MAX_WBITS + 16) != Z_OK ||
	    inflate(&z, Z_FINISH) != Z_STREAM_END)
		abort(); /* out of memory, at the start */
	inflateEnd(&z);
	return object;
}

void bpf_object_drop(void)
{
	free(object);
	object = NULL;
}
