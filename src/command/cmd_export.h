/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top export: a recording for other programs. */
#ifndef OPTEE_TOP_CMD_EXPORT_H
#define OPTEE_TOP_CMD_EXPORT_H

#include "options/opts.h"

enum status cmd_export(const struct opts *o);

#endif
