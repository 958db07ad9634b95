/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top replay: shows a recording as if it happened now. */
#ifndef OPTEE_TOP_REPLAY_H
#define OPTEE_TOP_REPLAY_H

#include "options/opts.h"

enum status replay(const struct opts *o);

#endif
