// SPDX-License-Identifier: GPL-2.0-only
/* Nothing is shown of what is recorded, but that it goes on. */
#include <stdio.h>
#include <unistd.h>
#include "base/stop.h"
#include "view/view_record.h"

static void put_progress(const struct snapshot *s, u64 since)
{
	u64 calls = 0, lost = 0;

	for (u32 i = 0; i < s->nr_cpus; i++) {
		calls += s->records[i].emitted;
		lost += s->records[i].lost;
	}
	fprintf(stderr, "\rrecording: %llu s, %llu calls, %llu lost ",
		(unsigned long long)((s->mono_ns - since) / 1000000000), (unsigned long long)calls,
		(unsigned long long)lost);
}

enum status view_record(const struct opts *o, const struct source *source)
{
	u64 delay = (u64)(o->delay * 1e9), due = clock_now(), since = 0;
	bool shows = isatty(STDERR_FILENO), goes_on = true;
	int frames = 0, last = opts_frames(o);
	const struct snapshot *s;

	stop_catch();
	while ((!last || frames < last) && goes_on) {
		if (since)
			goes_on = source_wait(source, due);
		s = source->next(source->ctx);
		if (!s)
			break;
		if (since)
			frames += source_counts(source, s, delay);
		else
			since = s->mono_ns;
		if (shows)
			put_progress(s, since);
		due = source_next_deadline(source, due, delay);
	}
	if (shows)
		fputc('\n', stderr);
	return STATUS_OK;
}
