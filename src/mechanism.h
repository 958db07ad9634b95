/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel lets a BPF program hook, found out by trying. */
#ifndef OPTEE_TOP_MECHANISM_H
#define OPTEE_TOP_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>

enum mechanism { MECH_FENTRY, MECH_FEXIT, MECH_TP_BTF, MECH_RAW_TP, MECH_KPROBE, NR_MECHS };

const char *mechanism_name(enum mechanism m);

/*
 * Loads and attaches an empty program to the target (a function of the driver,
 * or a tracepoint) and takes it away again. False: it cannot be done, and why
 * says so in a few words.
 */
bool mechanism_try(enum mechanism m, const char *target, char *why, size_t len);

#endif
