/* SPDX-License-Identifier: GPL-2.0-only */
/* Between shadow.c and its BPF programs. */
#ifndef SHADOW_H
#define SHADOW_H

#include "optee_admission.h"

#define BATCH    64         /* calls that a policy is asked about at once */
#define NOBODY_S 0x5ca1ab1e /* answer: were a function not replaced, all of it would differ */

#endif
