/* SPDX-License-Identifier: GPL-2.0-only */
/* Between shadow.c and its BPF programs. */
#ifndef SHADOW_H
#define SHADOW_H

#include "optee_admission.h"

#define BATCH 64 /* calls that a policy is asked about at once */

#endif
