/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top record: writes down what the running kernel shows. */
#ifndef OPTEE_TOP_RECORD_H
#define OPTEE_TOP_RECORD_H

#include "options/opts.h"

enum status record(const struct opts *o);

#endif
