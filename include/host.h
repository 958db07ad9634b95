/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where snapshots come from: what a reader elsewhere, or later, needs to know of
 * the machine to understand them. A source has one for as long as it lasts.
 */
#ifndef OPTEE_TOP_HOST_H
#define OPTEE_TOP_HOST_H

#include <stdbool.h>
#include "abi.h"

struct host {
	char version[40];  /* of the optee-top that looked */
	char machine[16];  /* as uname -m says */
	char release[65];  /* of the kernel */
	char name[65];     /* of the host, printable UTF-8 */
	char boot_id[37];  /* "" not known */
	char hooks[400];   /* "fentry optee_smc_do_call_with_arg, …": how each is attached */
	u32 cpus;          /* configured */
	u64 mono_ns;       /* CLOCK_MONOTONIC and */
	u64 real_ns;       /* CLOCK_REALTIME at the same moment, as it attached */
	u64 resolution_ns; /* of CLOCK_MONOTONIC */
	u64 starved_ns;    /* a wait longer than this starves */
	s32 reserved;      /* --reserved, or -1: by the driver's own figure */
	bool calls;        /* call by call, too */
};

#endif
