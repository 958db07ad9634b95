/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs that the program carries. */
#ifndef OPTEE_TOP_BPF_OBJECT_H
#define OPTEE_TOP_BPF_OBJECT_H

#include <stddef.h>

/* As an ELF object, in memory until bpf_object_drop(). */
const void *probes_bpf__elf_bytes(size_t *size);
void bpf_object_drop(void);

#endif
