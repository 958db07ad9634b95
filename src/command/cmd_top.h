/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top without a command: the live view, or frames. */
#ifndef OPTEE_TOP_CMD_TOP_H
#define OPTEE_TOP_CMD_TOP_H

#include "options/opts.h"

enum status cmd_top(const struct opts *o);

#endif
