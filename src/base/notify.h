/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells the service manager how it stands: systemd's protocol, sd_notify(3). */
#ifndef OPTEE_TOP_NOTIFY_H
#define OPTEE_TOP_NOTIFY_H

/* Like "READY=1\nSTATUS=..."; to $NOTIFY_SOCKET, or to nobody. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
