/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top replay: shows a recording as if it happened now. */
#ifndef OPTEE_TOP_CMD_REPLAY_H
#define OPTEE_TOP_CMD_REPLAY_H

#include "options/opts.h"

enum status cmd_replay(const struct opts *o);

#endif
