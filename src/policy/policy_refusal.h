/* SPDX-License-Identifier: GPL-2.0-only */
/* Of all that libbpf and the verifier say of a policy that they refuse: the one reason. */
#ifndef OPTEE_TOP_POLICY_REFUSAL_H
#define OPTEE_TOP_POLICY_REFUSAL_H

#include <stddef.h>

/* said: their words, of libbpf's warnings. why, printable ASCII: "CAUSE" or "CAUSE; WHAT TO DO". */
void policy_refusal(const char *said, int err, char *why, size_t len);

#endif
