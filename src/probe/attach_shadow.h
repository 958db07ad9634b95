/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies in shadow: they take the places of the probes' stubs (bpf/shadow_stubs.bpf.h). */
#ifndef OPTEE_TOP_ATTACH_SHADOW_H
#define OPTEE_TOP_ATTACH_SHADOW_H

#include "abi.h"
#include "base/fail.h"
#include "policy/policy_object.h"

struct bpf_object;
struct bpf_link;

/* Which of the probes ask policies. */
enum shadow_asker { ASKER_WAIT, ASKER_ENTER, ASKER_FFA_ENTER, ASKER_END, ASKER_RESERVE, NR_ASKERS };

#define MAX_SHADOW_LINKS 8 /* of a policy: askers, times what they ask */

struct shadows {
	u32 n;
	struct policy_object objects[MAX_SHADOWS];
	u32 callbacks[MAX_SHADOWS]; /* a bit for each that it has */
	struct bpf_link *links[MAX_SHADOWS][MAX_SHADOW_LINKS];
};

/* Looks at the policies, each a name or a file. On failure it has said why. */
enum status shadows_open(struct shadows *s, const char *const *given, u32 n);

/*
 * Once the probes are loaded, and before they are attached. probes: their object; fds: of the
 * programs that ask; -1: it is not there. On failure it has said why.
 */
enum status shadows_attach(struct shadows *s, const struct bpf_object *probes,
			   const int fds[NR_ASKERS]);

void shadows_detach(struct shadows *s);

#endif
