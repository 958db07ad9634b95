/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon command: looks all the time, for all who want to know. */
#ifndef OPTEE_TOP_SUPERVISOR_H
#define OPTEE_TOP_SUPERVISOR_H

#include "options/opts.h"

enum status cmd_daemon(const struct opts *o);

#endif
