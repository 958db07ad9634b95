// SPDX-License-Identifier: GPL-2.0-only
#include "model/policy_reason.h"
#include "optee_admission.h"

const char *policy_reason(u32 reason)
{
	static const char *const words[OPTEE_ADM_REASONS] = OPTEE_ADM_REASON_TEXTS;

	return reason < OPTEE_ADM_REASONS ? words[reason] : "unknown";
}
