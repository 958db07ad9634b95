/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top policy build: compiles a policy. */
#ifndef OPTEE_TOP_CMD_POLICY_BUILD_H
#define OPTEE_TOP_CMD_POLICY_BUILD_H

#include "options/opts.h"

/* words: what followed the command's own name, as many as the table of commands allows. */
enum status cmd_policy_build(const struct opts *o, char **words);

#endif
