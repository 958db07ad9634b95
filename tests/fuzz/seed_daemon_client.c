// SPDX-License-Identifier: GPL-2.0-only
/* What a daemon sends, short, to standard output: a seed for fuzz_daemon_client. */
#include <stdio.h>
#include <stdlib.h>
#include "record/encoder.h"
#include "../unit/fixtures/recording_made.h"

static int write_block(void *arg, enum block_type type, const u8 *data, size_t n)
{
	(void)arg;
	(void)type;
	return fwrite(data, 1, n, stdout) == n ? 0 : -1;
}

/* It ends at once: nothing has to be freed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int main(void)
{
	struct hello hello = { .version = "v1", .present = true, .mono_ns = 25 };
	struct codec c = schema_writer();
	struct packer *p = packer_new();
	static struct encoder e;
	size_t n;
	const u8 *data;

	make_all();
	code_hello(&c, &hello);
	data = packer_pack(p, SCHEMA, BLOCK_HELLO, c.buf, c.at, false, &n);
	fwrite(data, 1, n, stdout);
	encoder_init(&e, &(struct block_sink){ .put = write_block });
	e.changes = true;
	encoder_begin(&e, &host);
	for (u64 i = 0; i < 3; i++) {
		struct snapshot *s = &given[i].snap;

		s->seq = i + 1;
		s->mono_ns = 10 * (i + 1);
		s->nr_sessions = 2;
		s->nr_tas = 2;
		s->nr_events = 1;
		s->nr_pools = 1;
		s->nr_cpus = 1;
		for (u32 n_row = 0; n_row < 2; n_row++) {
			struct snap_session *row = &given[i].sessions[n_row];

			row->pool = given[i].tas[n_row].pool = 0;
			row->slot = 7 * n_row + 1;
			row->open = row->changed = true;
			if (i)
				row->wait = row->hold = row->secure = NULL;
		}
		for (u32 call = 0; call < s->nr_calls; call++) {
			given[i].calls[call].pool = 0;
			given[i].calls[call].session = -1;
		}
		encoder_calls(&e, given[i].records, 2);
		encoder_snapshot(&e, s, !i);
	}
	return e.error ? 1 : 0;
}
