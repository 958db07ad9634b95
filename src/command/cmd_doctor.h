/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef OPTEE_TOP_CMD_DOCTOR_H
#define OPTEE_TOP_CMD_DOCTOR_H

#include "options/opts.h"

/*
 * Prints what this kernel offers, which mechanism each hook would use and what
 * is missing. Status: that of an attempt to attach.
 */
enum status cmd_doctor(const struct opts *o);

#endif
