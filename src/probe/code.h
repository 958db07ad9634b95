/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's machine code: does one function call another, or is that a part of it? */
#ifndef OPTEE_TOP_CODE_H
#define OPTEE_TOP_CODE_H

#include <stdbool.h>
#include "types.h"

/* At these addresses. False also where it cannot be read, and on other processors than arm64. */
bool code_calls(u64 function, u64 other);

/* Of one instruction of arm64, at this address: where it calls to; 0: it is no such call. */
u64 code_call_target(u64 address, u32 instruction);

#endif
