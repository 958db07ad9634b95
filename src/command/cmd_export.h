/* SPDX-License-Identifier: GPL-2.0-only */
/* optee-top export: a recording for other programs. */
#ifndef OPTEE_TOP_EXPORT_FILE_H
#define OPTEE_TOP_EXPORT_FILE_H

#include "options/opts.h"

enum status export_file(const struct opts *o);

#endif
