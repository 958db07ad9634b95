/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs that the program carries. */
#ifndef OPTEE_TOP_BPF_OBJECT_H
#define OPTEE_TOP_BPF_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

/* Which one: the bare one needs no BTF of the kernel. Before it is asked for. */
void bpf_object_choose(bool bare);

/* As an ELF object, in memory until bpf_object_drop(). */
const void *probes_bpf__elf_bytes(size_t *size);
void bpf_object_drop(void);

#endif
