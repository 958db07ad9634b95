// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's own figures: the table, and what the kernel says of the process. */
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "metrics/daemon_stats.h"

#define RESPONSES(status)                                                                          \
	{                                                                                          \
		UNIT_COUNT, KIND_TOTAL, "optee_top_http_responses_total", "code", #status,         \
			"HTTP requests, by the status of the answer"                               \
	}

const struct daemon_stat_field daemon_stat_fields[NR_DAEMON_STATS] = {
	[STAT_CLIENTS] = { UNIT_COUNT, KIND_NOW, "optee_top_clients", .help = "clients connected" },
	[STAT_CLIENTS_SERVED] = { UNIT_COUNT, KIND_TOTAL, "optee_top_clients_served_total",
				  .help = "clients that have connected" },
	[STAT_CLIENTS_CUT] = { UNIT_COUNT, KIND_TOTAL, "optee_top_clients_cut_total",
			       .help = "clients cut off because they did not keep up or "
				       "sent something unexpected" },
	[STAT_CLIENTS_REFUSED] = { UNIT_COUNT, KIND_TOTAL, "optee_top_clients_refused_total",
				   .help = "clients turned away because there were too many, or no file descriptor "
					   "was left" },
	[STAT_HTTP_CONNECTIONS] = { UNIT_COUNT, KIND_NOW, "optee_top_http_connections",
				    .help = "HTTP connections that are open" },
	[STAT_HTTP_200] = RESPONSES(200),
	[STAT_HTTP_400] = RESPONSES(400),
	[STAT_HTTP_404] = RESPONSES(404),
	[STAT_HTTP_405] = RESPONSES(405),
	[STAT_HTTP_408] = RESPONSES(408),
	[STAT_HTTP_414] = RESPONSES(414),
	[STAT_HTTP_421] = RESPONSES(421),
	[STAT_HTTP_431] = RESPONSES(431),
	[STAT_HTTP_500] = RESPONSES(500),
	[STAT_HTTP_505] = RESPONSES(505),
	[STAT_HTTP_CUT] = { UNIT_COUNT, KIND_TOTAL, "optee_top_http_cut_total",
			    .help = "HTTP connections cut off before their answer was complete" },
	[STAT_HTTP_FULL] = { UNIT_COUNT, KIND_TOTAL, "optee_top_http_full_total",
			     .help = "times that no file descriptor was left for an HTTP connection" },
	[STAT_LOG_LINES] = { UNIT_COUNT, KIND_TOTAL, "optee_top_log_lines_total",
			     .help = "lines written to the log files" },
	[STAT_LOG_LOST] = { UNIT_COUNT, KIND_TOTAL, "optee_top_log_lines_lost_total",
			    .help = "lines that could not be written" },
	[STAT_LOG_ERRORS] = { UNIT_COUNT, KIND_TOTAL, "optee_top_log_errors_total",
			      .help = "failed writes to the log files" },
	[STAT_TEXTFILE_WRITES] = { UNIT_COUNT, KIND_TOTAL, "optee_top_textfile_writes_total",
				   .help = "times the textfile was written" },
	[STAT_TEXTFILE_ERRORS] = { UNIT_COUNT, KIND_TOTAL, "optee_top_textfile_errors_total",
				   .help = "times the textfile could not be written" },
	[STAT_SNAPSHOTS] = { UNIT_COUNT, KIND_TOTAL, "optee_top_snapshots_total",
			     .help = "snapshots taken" },
	[STAT_HISTORY_TIME] = { UNIT_NS, KIND_NOW, "optee_top_history_seconds",
				.help = "how far back the history in memory goes" },
	[STAT_HISTORY_BYTES] = { UNIT_BYTES, KIND_NOW, "optee_top_history_bytes",
				 .help = "size of the history in memory" },
	[STAT_RESIDENT] = { UNIT_BYTES, KIND_NOW, "optee_top_resident_bytes",
			    .help = "resident memory of the process" },
	[STAT_CPU_TIME] = { UNIT_NS, KIND_TOTAL, "optee_top_cpu_seconds_total",
			    .help = "CPU time of the process" },
};

void daemon_stats_init(struct daemon_stats *self)
{
	self->since_ns = clock_ns(CLOCK_REALTIME);
	for (int i = 0; i < NR_DAEMON_STATS; i++)
		self->at[i] = STAT_UNUSED;
}

void daemon_stats_use(struct daemon_stats *self, enum daemon_stat first, enum daemon_stat last)
{
	for (int i = first; i <= (int)last; i++)
		self->at[i] = 0;
}

/* The second figure of statm: resident pages. */
static u64 resident(void)
{
	char line[128], *pages;
	u64 bytes = STAT_UNUSED;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return bytes;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	pages = strchr(line, ' ');
	if (pages)
		bytes = strtoull(pages, NULL, 10) * (u64)sysconf(_SC_PAGESIZE);
	return bytes;
}

void daemon_stats_measure(struct daemon_stats *self)
{
	self->at[STAT_RESIDENT] = resident();
	self->at[STAT_CPU_TIME] = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}
