/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top record: writes down what the running kernel shows. */
#ifndef OPTEE_TOP_CMD_RECORD_H
#define OPTEE_TOP_CMD_RECORD_H

#include "options/opts.h"

enum status cmd_record(const struct opts *o);

#endif
