/* SPDX-License-Identifier: GPL-2.0-only */
/* Session leaks: sessions that are open and that nobody can close any more. */
#ifndef OPTEE_TOP_SESSION_LEAK_H
#define OPTEE_TOP_SESSION_LEAK_H

#include "abi.h"

struct watch;

void watch_session_leak_look(struct watch *w, u32 pool, u64 now);

#endif
