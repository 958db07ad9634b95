/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of SCMI's protocols and messages, as the specification (DEN0056) has them. */
#ifndef OPTEE_TOP_SCMI_NAMES_H
#define OPTEE_TOP_SCMI_NAMES_H

#include <stddef.h>
#include "abi.h"

/* NULL: one that we do not know, of a vendor perhaps. */
const char *scmi_protocol_name(u8 protocol);
const char *scmi_message_name(u8 protocol, u8 message);

/* The names of a set of SCMI_PROTOCOL_BIT(), with commas between; returns buf. */
const char *scmi_protocols_text(u32 protocols, char *buf, size_t len);

#endif
