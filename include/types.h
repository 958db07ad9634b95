/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names of integers, which BPF programs have from vmlinux.h, and of a task a size. */
#ifndef OPTEE_TOP_TYPES_H
#define OPTEE_TOP_TYPES_H

#ifndef __VMLINUX_H__
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#endif

#define COMM_LEN 16 /* of a task's name, the NUL included */

#endif
