/* SPDX-License-Identifier: GPL-2.0-only */
/* The manual page. */
#ifndef OPTEE_TOP_MAN_H
#define OPTEE_TOP_MAN_H

#include "base/fail.h"

/* Prints optee-top(8) as troff. */
enum status man_print(void);

#endif
