/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the OP-TEE driver there? */
#ifndef OPTEE_TOP_DRIVER_H
#define OPTEE_TOP_DRIVER_H

#include <stdbool.h>

/* Is sysfs mounted? Else nothing can be said of the driver. */
bool driver_visible(void);

/* Says that it is not. */
#define NO_SYSFS "/sys is not mounted, so that the optee driver cannot be seen"

/* The driver has a TEE instance: some /dev/teeN whose driver is optee. */
bool driver_present(void);

/* By which ABIs it calls OP-TEE. */
struct abis {
	bool smc, ffa;
};

/* Those of the devices that it is bound to; both, where that cannot be seen. */
struct abis driver_abis(void);

/*
 * Could it ever be: is it built in, loaded, or a module that modprobe would find, in whichever
 * directory depmod has found it?
 */
bool driver_possible(void);

/* Says that it could not. */
#define NO_DRIVER "this kernel has no OP-TEE driver, neither loaded nor where modprobe finds it"

#endif
