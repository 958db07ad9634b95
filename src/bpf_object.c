// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF programs as the program carries them: gzipped, a quarter of their size.
 * The generated skeleton asks for them by this name.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <zlib.h>
#include "bpf_object.h"

extern const unsigned char gzipped[];
extern const unsigned long gzipped_bytes;

__asm__(".pushsection .rodata\n"
	"gzipped: .incbin \"build/gen/probes.bpf.o.gz\"\n"
	".balign 8\n"
	"gzipped_bytes: .dc.a gzipped_bytes - gzipped\n"
	".popsection\n");

/* Not of the heap: a piece so large, freed, changes how malloc takes memory from then on. */
static void *object = MAP_FAILED;

const void *probes_bpf__elf_bytes(size_t *size)
{
	z_stream z = { .next_in = (unsigned char *)gzipped, .avail_in = (uInt)gzipped_bytes };

	*size = BPF_OBJECT_BYTES;
	object = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	z.next_out = object;
	z.avail_out = (uInt)*size;
	if (object == MAP_FAILED || inflateInit2(&z, MAX_WBITS + 16) != Z_OK ||
	    inflate(&z, Z_FINISH) != Z_STREAM_END)
		abort(); /* out of memory, at the start */
	inflateEnd(&z);
	return object;
}

void bpf_object_drop(void)
{
	if (object != MAP_FAILED)
		munmap(object, BPF_OBJECT_BYTES);
	object = MAP_FAILED;
}
