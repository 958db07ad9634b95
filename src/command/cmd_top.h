/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top without a command: the live view, or frames. */
#ifndef OPTEE_TOP_TOP_H
#define OPTEE_TOP_TOP_H

#include "options/opts.h"

enum status top_run(const struct opts *o);

#endif
