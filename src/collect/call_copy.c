// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call is copied until two copies in a row agree: one copy could have its old
 * times with its new phase.
 */
#include <string.h>
#include "collect/call_copy.h"

#define CALL_TRIES 4

bool call_copy(struct call *to, const struct call *from)
{
	struct call again;

	for (int i = 0; i < CALL_TRIES; i++) {
		if (*(const volatile u32 *)&from->phase == PHASE_FREE)
			return false;
		*to = *from;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		again = *from;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!memcmp(to, &again, sizeof(again)))
			return to->phase != PHASE_FREE;
	}
	return false;
}
