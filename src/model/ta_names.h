/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of well-known TAs. */
#ifndef OPTEE_TOP_TA_NAMES_H
#define OPTEE_TOP_TA_NAMES_H

#include "abi.h"

/* The name of a well-known TA or pseudo TA; NULL for any other. */
const char *ta_name(const u8 uuid[16]);

#endif
