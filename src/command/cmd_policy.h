/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top policy: a table of its commands. */
#ifndef OPTEE_TOP_CMD_POLICY_H
#define OPTEE_TOP_CMD_POLICY_H

#include "options/opts.h"

enum status cmd_policy(const struct opts *o);

/* Its commands. words: what followed the command's own name, as many as the table allows. */
enum status cmd_policy_list(const struct opts *o, char **words);
enum status cmd_policy_show(const struct opts *o, char **words);
enum status cmd_policy_shadow(const struct opts *o, char **words);

#endif
