/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top check: judges by rules what a source shows. */
#ifndef OPTEE_TOP_CMD_CHECK_H
#define OPTEE_TOP_CMD_CHECK_H

#include "options/opts.h"

/* STATUS_OK: every rule passes; STATUS_FAILURE: one does not, or something failed. */
enum status cmd_check(const struct opts *o);

#endif
