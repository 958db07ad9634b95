/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the OP-TEE driver there? */
#ifndef OPTEE_TOP_DRIVER_H
#define OPTEE_TOP_DRIVER_H

#include <stdbool.h>

/* The driver has a TEE instance: some /dev/teeN whose driver is optee. */
bool driver_present(void);

/* Could it ever be: is it built in, loaded, or a module of this kernel on the disk? */
bool driver_possible(void);

#endif
