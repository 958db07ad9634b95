// SPDX-License-Identifier: GPL-2.0-only
/* The words are those of the driver's own line in the kernel's log (kernel/adm_policy.c). */
#include "optee_admission.h"
#include "policy_reason.h"

const char *policy_reason(u32 reason)
{
	static const char *const words[OPTEE_ADM_REASONS] = {
		[OPTEE_ADM_ATTACHED] = "attached",
		[OPTEE_ADM_DETACHED] = "detached",
		[OPTEE_ADM_SWAPPED] = "another one took its place",
		[OPTEE_ADM_GAVE_UP] = "it gave up",
		[OPTEE_ADM_GARBAGE] = "an answer out of range",
		[OPTEE_ADM_STALLED] = "a call waited too long",
		[OPTEE_ADM_OFF] = "admission_off was written to",
		[OPTEE_ADM_GONE] = "the device has left",
	};

	return reason < OPTEE_ADM_REASONS ? words[reason] : "unknown";
}
