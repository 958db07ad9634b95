// SPDX-License-Identifier: GPL-2.0-only
/* The running kernel as a source: the driver's coming and going is handled here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "collect/host_read.h"
#include "probe/driver.h"
#include "source/live.h"

#define LOOKS_A_DRIVER 20 /* so many before it is asked whether the driver is still there */

static enum status wait_for_driver(void)
{
	const struct timespec pause = { .tv_nsec = 200000000 };

	if (!driver_visible())
		return fail(STATUS_FAILURE, "%s; mount -t sysfs sysfs /sys", NO_SYSFS);
	if (!driver_possible())
		return fail(STATUS_KERNEL,
			    "%s (CONFIG_OPTEE); load optee.ko first if it is kept elsewhere",
			    NO_DRIVER);
	if (driver_present())
		return STATUS_OK;
	say("the optee driver is not loaded: waiting for it");
	while (!driver_present())
		nanosleep(&pause, NULL);
	return STATUS_OK;
}

enum status live_start(struct live *l, const struct opts *o)
{
	enum status status = wait_for_driver();

	return status == STATUS_OK ? live_attach(l, o) : status;
}

enum status live_attach(struct live *l, const struct opts *o)
{
	enum status status;

	memset(l, 0, sizeof(*l));
	status = probes_attach(&l->probes, &o->attach);
	if (status != STATUS_OK)
		return status;
	l->collect = collect_new(&l->probes);
	if (o->attach.calls && !o->attach.on_demand)
		l->calls = call_records_new(l->probes.records_fd);
	if (l->collect && (l->calls || !o->attach.calls || o->attach.on_demand)) {
		host_read(&l->host, &l->probes, &o->attach);
		return STATUS_OK;
	}
	status = fail(STATUS_FAILURE, "cannot map the counters: %s", strerror(errno));
	live_stop(l);
	return status;
}

const struct snapshot *live_last(struct live *l)
{
	return collect_snapshot(l->collect);
}

void live_stop(struct live *l)
{
	call_records_free(l->calls);
	collect_free(l->collect);
	probes_detach(&l->probes);
}

static const struct snapshot *live_next(void *ctx)
{
	struct live *l = ctx;
	const struct snapshot *s;

	l->driver_left = !driver_present();
	if (l->driver_left) {
		errno = ENODEV;
		return NULL;
	}
	s = collect_snapshot(l->collect);
	if (!s) {
		errno = ENOMEM;
		return NULL;
	}
	l->lost |= !snapshot_complete(s);
	return s;
}

static u32 live_look(void *ctx, const struct event **events)
{
	struct live *l = ctx;

	if (!l->looks--) {
		l->looks = LOOKS_A_DRIVER;
		l->driver_left = !driver_present();
	}
	return l->driver_left ? LOOK_ENDED : collect_look(l->collect, events);
}

static void live_forget(void *ctx)
{
	struct live *l = ctx;

	collect_forget(l->collect);
}

bool live_want_calls(struct live *l, bool wanted)
{
	probes_want_calls(&l->probes, wanted);
	if (wanted && !l->calls) {
		l->calls = call_records_new(l->probes.records_fd);
		return l->calls;
	}
	if (!wanted && l->calls) {
		call_records_free(l->calls);
		l->calls = NULL;
	}
	return true;
}

static u32 live_calls(void *ctx, const struct call_record **calls)
{
	struct live *l = ctx;

	return l->calls ? call_records_next(l->calls, calls) : 0;
}

struct source live_source(struct live *l)
{
	return (struct source){
		.ctx = l,
		.host = &l->host,
		.next = live_next,
		.look = live_look,
		.forget = live_forget,
		.calls = l->probes.records_fd >= 0 ? live_calls : NULL,
	};
}
