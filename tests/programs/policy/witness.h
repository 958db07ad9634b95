/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the witness writes, a record a callback: what the policy was shown, what it
 * answered, and what stood in its own part of the call then. Native and shadow builds are
 * asked the same, and have to do the same (replay.h).
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "optee_admission.h"

enum callback {
	CALLBACK_RESERVE,
	CALLBACK_ADMIT,
	CALLBACK_RANK,
	CALLBACK_ENTER,
	CALLBACK_LEAVE,
	CALLBACKS,
};

/* What a policy may write to: retry_ns and what follows. */
#define WRITABLE_FROM __builtin_offsetof(struct optee_adm_call, retry_ns)
#define WRITABLE      (sizeof(struct optee_adm_call) - WRITABLE_FROM)

struct witnessed {
	char policy[OPTEE_ADM_NAME];
	u32 callback;
	u32 reserved_zero;
	u64 answer; /* of those that have one, else 0; of an s32, its 64 bits with the sign */
	struct optee_adm_call before;
	u64 after[WRITABLE / sizeof(u64)];
};

#endif
