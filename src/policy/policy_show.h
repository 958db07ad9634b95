/* SPDX-License-Identifier: GPL-2.0-only */
/* Shows which policy is attached and what it did, as text and as JSON. */
#ifndef OPTEE_TOP_POLICY_SHOW_H
#define OPTEE_TOP_POLICY_SHOW_H

#include <jansson.h>
#include "policy/policy_state.h"

void policy_show_text(const struct policy_state *s, u64 now_ns);
json_t *policy_show_json(const struct host *host, const struct policy_state *s, u64 now_ns,
			 u64 real_ns); /* a new object */

#endif
