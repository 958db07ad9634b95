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
#define HIDDEN __attribute__((visibility("hidden")))
#define CARRIED(name, file)                                                                        \
	extern const unsigned char name[] HIDDEN;                                                  \
	extern const unsigned long name##_bytes HIDDEN;                                            \
	__asm__(".pushsection .rodata\n" #name ": .incbin \"" file "\"\n" #name                    \
		"_end: .balign 8\n" #name "_bytes: .dc.a " #name "_end - " #name "\n"              \
		".popsection\n")

CARRIED(usual_object, "probes.bpf.o.gz");
CARRIED(bare_object, "bare.bpf.o.gz"); /* for kernels without BTF */

static const unsigned char *gzipped = usual_object;
static unsigned long gzipped_bytes;

/* Not of the heap: a piece so large, freed, changes how malloc takes memory from then on. */
static void *object = MAP_FAILED;
static size_t object_bytes;

void bpf_object_choose(bool bare)
{
	gzipped = bare ? bare_object : usual_object;
	gzipped_bytes = bare ? bare_object_bytes : usual_object_bytes;
}

const void *probes_bpf__elf_bytes(size_t *size)
{
	*size = object_bytes = inflate_size(gzipped, gzipped_bytes);
	object = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (object == MAP_FAILED)
		abort(); /* out of memory, at the start */
	inflate_all(gzipped, gzipped_bytes, object);
	return object;
}

void bpf_object_drop(void)
{
	if (object != MAP_FAILED)
		munmap(object, object_bytes);
	object = MAP_FAILED;
}
