/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top policy attach, swap and detach. */
#ifndef OPTEE_TOP_CMD_POLICY_ATTACH_H
#define OPTEE_TOP_CMD_POLICY_ATTACH_H

#include "options/opts.h"

/* words: what followed the command's own name, as many as the table of commands allows. */
enum status cmd_policy_attach(const struct opts *o, char **words);
enum status cmd_policy_swap(const struct opts *o, char **words);
enum status cmd_policy_detach(const struct opts *o, char **words);

#endif
