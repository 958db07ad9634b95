/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the driver's admission rule one that we know? */
#ifndef OPTEE_TOP_ADMISSION_RULE_H
#define OPTEE_TOP_ADMISSION_RULE_H

#include "probe/mechanism.h"

/*
 * Has its queue only members whose use we know, by the running driver's BTF or that of
 * the file btf (NULL: there is none)? False: whom the driver should have admitted cannot be
 * told. True also where its types cannot be read: then nothing is attached.
 */
bool admission_rule_known(struct mechanism_types *types, const char *btf);

#endif
