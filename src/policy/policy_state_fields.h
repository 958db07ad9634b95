/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of what the driver says of a queue with a policy: a row's name is the driver's in
 * debugfs, the key in JSON, and stands in the manual. What it counts of the policy: fields.h.
 */
#ifndef OPTEE_TOP_POLICY_STATE_FIELDS_H
#define OPTEE_TOP_POLICY_STATE_FIELDS_H

#include <stddef.h>
#include "policy/policy_state.h"
#include "render/json_keys.h"

struct policy_state_field {
	const char *name;
	size_t at; /* a u64 in struct policy_queue */
	const char *help;
};

extern const struct policy_state_field queue_figures[];
extern const size_t nr_queue_figures;

/* The other keys of 'policy show --json', and those of its last. */
extern const struct key_help policy_keys[], policy_last_keys[];

#endif
