// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever a daemon sends, its client ends, and what it was given can be shown. The blocks'
 * checksums and schema are put right.
 */
#include "fuzz.h"
#include "render/json.h"
#include "record/schema.h"
#include "source/daemon_client.h"

static void show_client(struct daemon_client *st)
{
	static const struct opts o;
	struct source source = daemon_client_source(st);
	const struct call_record *calls;
	const struct event *events;
	const struct snapshot *s;

	if (!daemon_client_wait_host(st))
		return;
	do {
		u32 n = source.look(source.ctx, &events);

		for (u32 i = 0; n != LOOK_ENDED && i < n; i++)
			json_decref(event_line_json(source.host, &events[i], i));
		s = source.next(source.ctx);
		if (s)
			json_decref(snapshot_json(&o, source.host, s));
		source.calls(source.ctx, &calls);
	} while (s);
}

static void fuzz_daemon_client(const uint8_t *data, size_t size)
{
	/* What is past comes snapshot by snapshot, or as one. */
	const struct daemon_client_opts each = { .calls = true, .each = size & 1 };
	const int buffer = 1 << 20;
	uint8_t *copy = fuzz_copy(data, size);
	struct daemon_client *st;
	int pair[2];

	fuzz_repair(copy, size, SCHEMA);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (send(pair[1], copy, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && size)
		abort();
	shutdown(pair[1], SHUT_WR);
	if (!daemon_client_open_fd(&st, pair[0], &each)) {
		show_client(st);
		daemon_client_close(st);
	}
	close(pair[1]);
	free(copy);
}

FUZZ_TARGET(daemon_client);
