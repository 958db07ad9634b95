// SPDX-License-Identifier: GPL-2.0-only
/*
 * none: nothing is reserved; first come, first served.
 *
 * Why: it is what the driver did before Linux 6.8, and the baseline for all others.
 * Objection: when every thread is held by a call whose RPC needs a clock or a regulator
 *   that Linux gets from OP-TEE (SCMI), the call for it waits for those threads: deadlock.
 * Use it: where no call's RPC can lead back into OP-TEE, or to find out whether an
 *   application suffers from a reservation.
 */
#include "policy.h"

RESERVE
{
	return -EOPNOTSUPP;
}

ADMIT
{
	return ENTER;
}

POLICY(CALLBACK(reserve), CALLBACK(admit), .flags = OPTEE_ADM_BY_CLASS | OPTEE_ADM_STATELESS,
       .name = "none");
