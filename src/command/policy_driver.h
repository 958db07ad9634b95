/* SPDX-License-Identifier: GPL-2.0-only */
/* Does this kernel, with this driver, take admission policies; does it take this one? */
#ifndef OPTEE_TOP_POLICY_DRIVER_H
#define OPTEE_TOP_POLICY_DRIVER_H

#include "policy/policy_object.h"

/*
 * Each returns STATUS_OK, or another one after saying "cannot DOING: ...".
 *
 * policy_driver_shows: there is a driver for it, and its debugfs can be read.
 * policy_driver_takes: there is one whose types fit the object, and we may load it.
 */
enum status policy_driver_shows(const char *doing);
enum status policy_driver_takes(const struct policy_object *o);

#endif
