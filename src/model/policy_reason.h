/* SPDX-License-Identifier: GPL-2.0-only */
/* Why the driver has left an admission policy, in words. */
#ifndef OPTEE_TOP_POLICY_REASON_H
#define OPTEE_TOP_POLICY_REASON_H

#include "abi.h"

/* reason: enum optee_adm_reason; one that is newer is "unknown". */
const char *policy_reason(u32 reason);

#endif
