/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel of 32 bits, all that it takes. In BPF programs an address has 64 bits; in that kernel's
 * memory it has 32, and so have its long integers, on which no type of vmlinux.h agrees. Nor has
 * it a compiler for such programs: it interprets them, and an interpreter knows no callbacks
 * and no functions of the kernel's. On a kernel of 64 bits nothing is changed here.
 */
#ifndef OPTEE_TOP_MACHINE_BPF_H
#define OPTEE_TOP_MACHINE_BPF_H

#ifdef __TARGET_ARCH_arm

#define WORD_BYTES 4 /* of an address, in the kernel's memory */
#define WORD_MAX   0xffffffffULL
#define STACK_BITS 13 /* of the kernel's stacks, the least size */
#define TASK_BITS  11 /* of a task_struct, about */

/* What a kprobe gets, for <bpf/bpf_tracing.h>. */
struct arm_registers {
	u32 uregs[18];
};
#pragma clang diagnostic ignored "-Wint-to-void-pointer-cast"
#define __PT_REGS_CAST(x) ((const struct arm_registers *)(x))

/* For BPF_CORE_READ(): as much as the kernel's field has. */
#undef ___read
#define ___read(read_fn, dst, src_type, src, accessor)                                             \
	({                                                                                         \
		__builtin_memset((void *)(dst), 0, sizeof(*(dst)));                                \
		bpf_probe_read_kernel((void *)(dst),                                               \
				      bpf_core_field_size(((src_type)(src))->accessor),            \
				      __builtin_preserve_access_index(                             \
					      &((src_type)(src))->accessor));                      \
	})

/* It is sign-extended, and addresses that are read are not. */
#define bpf_get_current_task() ((u64)(u32)bpf_get_current_task())

/* The verifier goes through each step, so there are fewer: whoever counts on more looks at the end. */
#define LOOP_STEPS             64
#define bpf_loop(n, step, data, flags)                                                             \
	do {                                                                                       \
		_Pragma("nounroll") for (u32 i__ = 0; i__ < ((n) < LOOP_STEPS ? (n) : LOOP_STEPS); \
					 i__++) if (step(i__, data)) break;                        \
	} while (0)

/* With a step that is LOOKED_AT_ONCE, or short: of all calls none is left out. */
#define each_call(rounds, step, data)                                                              \
	do {                                                                                       \
		_Pragma("nounroll") for (u32 i__ = 0; i__ < (rounds)*MAX_CALLS;                    \
					 i__++) if (step(i__, data)) break;                        \
	} while (0)

/* Looked at once by the verifier, where it would look at it in each step of a loop. */
#define LOOKED_AT_ONCE __noinline

#else

#define WORD_BYTES                    8
#define WORD_MAX                      (~0ULL)
#define STACK_BITS                    14
#define TASK_BITS                     12
#define LOOP_STEPS                    (1 << 23) /* of the kernel's bpf_loop() */
#define LOOKED_AT_ONCE                static __always_inline
#define each_call(rounds, step, data) bpf_loop((rounds)*MAX_CALLS, step, data, 0)

#endif

#endif
