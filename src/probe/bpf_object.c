// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF programs as the program carries them: gzipped, a quarter of their size.
 * The generated skeleton asks for them by this name.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include "base/inflate.h"
#include "probe/bpf_object.h"

/* Hidden: of a local symbol ld for arm64 mixes up entries in the global offset table. */
extern const unsigned char gzipped[] __attribute__((visibility("hidden")));
extern const unsigned long gzipped_bytes __attribute__((visibility("hidden")));

__asm__(".pushsection .rodata\n"
	"gzipped: .incbin \"build/gen/probes.bpf.o.gz\"\n"
	"gzipped_end: .balign 8\n"
	"gzipped_bytes: .dc.a gzipped_end - gzipped\n"
	".popsection\n");

/* Not of the heap: a piece so large, freed, changes how malloc takes memory from then on. */
static void *object = MAP_FAILED;

const void *probes_bpf__elf_bytes(size_t *size)
{
	*size = inflate_size(gzipped, gzipped_bytes);
	object = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (object == MAP_FAILED)
		abort(); /* out of memory, at the start */
	inflate_all(gzipped, gzipped_bytes, object);
	return object;
}

void bpf_object_drop(void)
{
	if (object != MAP_FAILED)
		munmap(object, inflate_size(gzipped, gzipped_bytes));
	object = MAP_FAILED;
}
