// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "logger.h"
#include "metrics.h"
#include "outlets.h"
#include "source.h"

struct outlets {
	const struct daemon_parts *parts;
	const struct serve *serve;
	struct opts options; /* as they are now, and the text that they point into */
	char *config;
	struct logger *logger; /* NULL: none is wanted */
	struct self_stats self;
	const struct host *host;
	const struct snapshot *snapshot; /* NULL: the driver is not there */
};

/* Metrics. */

static void count_clients(struct outlets *out)
{
	struct serve_stats stats;

	serve_stats(out->serve, &stats);
	out->self.at[SELF_CLIENTS] = stats.clients;
	out->self.at[SELF_CLIENTS_SERVED] = stats.accepted;
	out->self.at[SELF_CLIENTS_CUT] = stats.cut + stats.refused + stats.rejected;
}

static void count_log(struct outlets *out)
{
	struct log_stats stats;

	if (!out->logger)
		return;
	stats = logger_stats(out->logger);
	out->self.at[SELF_LOG_LINES] = stats.lines;
	out->self.at[SELF_LOG_LOST] = stats.lost;
	out->self.at[SELF_LOG_ERRORS] = stats.errors;
}

static void render(void *arg, FILE *to, enum metrics_dialect dialect)
{
	struct outlets *out = arg;

	count_clients(out);
	count_log(out);
	out->self.at[SELF_HISTORY_TIME] = history_span(out->parts->history, source_now());
	out->self.at[SELF_HISTORY_BYTES] = history_size(out->parts->history);
	self_measure(&out->self);
	metrics_print(to, dialect, out->host, out->snapshot, &out->self);
}

/* Log files. */

static bool open_log(struct outlets *out)
{
	const struct daemon_opts *d = &out->options.daemon;
	const struct log_opts log = {
		.dir = d->log,
		.interval = d->log_interval,
		.size = (u64)(d->log_mb * (1 << 20)),
		.jsonl = true,
		.csv = d->log_csv,
	};

	if (!d->log)
		return true;
	self_use(&out->self, SELF_LOG_LINES, SELF_LOG_ERRORS);
	return !logger_new(&out->logger, &log);
}

/* All of it. */

struct outlets *outlets_new(struct loop *loop, const struct daemon_parts *parts,
			    const struct serve *serve)
{
	struct outlets *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	(void)loop;
	(void)render;
	out->parts = parts;
	out->serve = serve;
	out->options = *parts->options;
	self_init(&out->self);
	self_use(&out->self, SELF_CLIENTS, SELF_CLIENTS_CUT);
	self_use(&out->self, SELF_SNAPSHOTS, SELF_CPU_TIME);
	if (open_log(out))
		return out;
	outlets_free(out);
	return NULL;
}

void outlets_take(struct outlets *out, const struct host *host, const struct snapshot *s)
{
	out->host = host;
	out->snapshot = s;
	self_count(&out->self, SELF_SNAPSHOTS);
	if (out->logger)
		logger_take(out->logger, host, s);
}

void outlets_turn(struct outlets *out, u64 now)
{
	(void)out;
	(void)now;
}

void outlets_reopen(struct outlets *out)
{
	struct opts options = *out->parts->o;
	const char *file = options.daemon.config ?: CONFIG_PATH;
	char *config = NULL;

	(void)file;
	(void)config;
	if (out->logger)
		logger_reopen(out->logger);
}

void outlets_free(struct outlets *out)
{
	if (!out)
		return;
	logger_free(out->logger);
	free(out->config);
	free(out);
}
