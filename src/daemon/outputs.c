// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each is there if an option names it. Options may change while we run: what the file
 * of options says is asked for anew at each SIGHUP.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "daemon/outputs.h"
#include "log/logger.h"
#include "metrics/http.h"
#include "metrics/metrics.h"
#include "metrics/textfile.h"
#include "options/config_file.h"

#define TEXTFILE_NS 15000000000

struct outputs {
	const struct daemon_parts *parts;
	const struct daemon_server *server;
	struct opts options; /* as they are now, and the text that they point into */
	char *config;
	struct logger *logger; /* NULL: none is wanted, as of the next two */
	struct textfile *textfile;
	struct http *http;
	struct http_names names;
	u64 textfile_due;
	struct daemon_stats self;
	struct host host;
	const struct snapshot *snapshot; /* NULL: the driver is not there */
};

/* Metrics. */

static void count_clients(struct outputs *out)
{
	struct daemon_server_stats stats;

	daemon_server_stats(out->server, &stats);
	out->self.at[STAT_CLIENTS] = stats.clients;
	out->self.at[STAT_CLIENTS_SERVED] = stats.accepted;
	out->self.at[STAT_CLIENTS_CUT] = stats.cut + stats.rejected;
	out->self.at[STAT_CLIENTS_REFUSED] = stats.refused;
}

static void count_log(struct outputs *out)
{
	struct log_stats stats;

	if (!out->logger)
		return;
	stats = logger_stats(out->logger);
	/* The log takes back what a broken disk may not have kept; a counter takes nothing back. */
	if (stats.lines > out->self.at[STAT_LOG_LINES])
		out->self.at[STAT_LOG_LINES] = stats.lines;
	out->self.at[STAT_LOG_LOST] = stats.lost;
	out->self.at[STAT_LOG_ERRORS] = stats.errors;
}

static void render(void *arg, FILE *to, enum metrics_dialect dialect)
{
	struct outputs *out = arg;

	count_clients(out);
	count_log(out);
	out->self.at[STAT_HISTORY_TIME] = history_span(out->parts->history, clock_now());
	out->self.at[STAT_HISTORY_BYTES] = history_size(out->parts->history);
	daemon_stats_measure(&out->self);
	metrics_print(to, dialect, &out->host, out->snapshot, &out->self);
}

static void render_file(void *arg, FILE *to)
{
	render(arg, to, METRICS_CLASSIC);
}

/* What there is. */

static int open_log(struct outputs *out)
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
		return 0;
	daemon_stats_use(&out->self, STAT_LOG_LINES, STAT_LOG_ERRORS);
	return logger_new(&out->logger, &log);
}

static int open_textfile(struct outputs *out)
{
	const char *name = out->options.daemon.textfile;

	out->textfile_due = 0;
	if (!name)
		return 0;
	daemon_stats_use(&out->self, STAT_TEXTFILE_WRITES, STAT_TEXTFILE_ERRORS);
	out->textfile = calloc(1, sizeof(*out->textfile));
	return out->textfile ? textfile_init(out->textfile, name, &out->self) : -ENOMEM;
}

static void write_textfile(struct outputs *out)
{
	if (out->textfile)
		textfile_write(out->textfile, render_file, out);
}

/* By which names the metrics may be asked for. */
static void read_names(struct outputs *out)
{
	const struct daemon_opts *d = &out->options.daemon;

	memcpy(out->names.given, d->listen_names, sizeof(out->names.given));
	out->names.nr_given = d->nr_listen_names;
	http_names_read(&out->names, "/etc/hosts");
}

static int open_http(struct outputs *out, struct loop *loop)
{
	if (out->parts->metrics.listener.fd < 0)
		return 0;
	read_names(out);
	return http_new(&out->http, loop, out->parts->metrics.listener.fd, &out->names, render, out,
			&out->self);
}

struct outputs *outputs_new(struct loop *loop, const struct daemon_parts *parts,
			    const struct daemon_server *server)
{
	struct outputs *out = calloc(1, sizeof(*out));
	int err;

	if (!out)
		return NULL;
	out->parts = parts;
	out->server = server;
	out->options = *parts->options;
	snprintf(out->host.version, sizeof(out->host.version), "%s", VERSION);
	daemon_stats_init(&out->self);
	daemon_stats_use(&out->self, STAT_CLIENTS, STAT_CLIENTS_REFUSED);
	daemon_stats_use(&out->self, STAT_SNAPSHOTS, STAT_CPU_TIME);
	err = open_log(out);
	err = err ?: open_textfile(out);
	err = err ?: open_http(out, loop);
	if (!err)
		return out;
	errno = -err;
	outputs_free(out);
	return NULL;
}

int outputs_listen(struct outputs *out, int fd)
{
	return out->http ? http_listen(out->http, fd) : 0;
}

void outputs_take(struct outputs *out, const struct host *host, const struct snapshot *s)
{
	out->host = *host;
	out->snapshot = s;
	daemon_stats_count(&out->self, STAT_SNAPSHOTS);
	if (out->logger)
		logger_take(out->logger, host, s);
	if (out->http)
		http_changed(out->http);
}

void outputs_turn(struct outputs *out, u64 now)
{
	if (out->http)
		http_tick(out->http, now);
	if (now < out->textfile_due)
		return;
	write_textfile(out);
	out->textfile_due = now + TEXTFILE_NS;
}

/* Options anew. */

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* What was made before we gave up our privileges stays as it was made. */
static void say_fixed(const struct opts *now, const struct opts *made)
{
	if (differ(now->socket, made->socket) || differ(now->daemon.listen, made->daemon.listen) ||
	    differ(now->daemon.user, made->daemon.user) ||
	    differ(now->daemon.group, made->daemon.group) ||
	    now->attach.starved_ns != made->attach.starved_ns ||
	    now->attach.reserved != made->attach.reserved ||
	    now->attach.kprobes != made->attach.kprobes ||
	    differ(now->attach.btf, made->attach.btf))
		say("sockets, user, group and the options of the probes change only when the "
		    "daemon is restarted");
}

static void change_log(struct outputs *out, const struct daemon_opts *before)
{
	const struct daemon_opts *now = &out->options.daemon;

	if (!differ(now->log, before->log) && now->log_interval == before->log_interval &&
	    now->log_mb == before->log_mb && now->log_csv == before->log_csv) {
		if (out->logger)
			logger_reopen(out->logger);
		return;
	}
	logger_free(out->logger);
	out->logger = NULL;
	if (open_log(out))
		say("there is no log: out of memory");
}

static void change_textfile(struct outputs *out, const struct daemon_opts *before)
{
	if (!differ(out->options.daemon.textfile, before->textfile))
		return;
	free(out->textfile);
	out->textfile = NULL;
	if (!open_textfile(out))
		return;
	free(out->textfile);
	out->textfile = NULL;
	say("there is no textfile: its name is too long");
}

void outputs_reopen(struct outputs *out)
{
	struct opts before = out->options, now = *out->parts->o;
	const char *file = now.daemon.config ?: CONFIG_PATH;
	char *config = NULL, *old = out->config;

	if (now.daemon.config || !access(file, F_OK)) {
		if (config_file_read(&now, file, &config) != STATUS_OK) {
			free(config); /* it has been said; what was there stays */
			now = before;
			config = old;
		}
	}
	out->options = now;
	out->config = config;
	say_fixed(&now, out->parts->options);
	change_log(out, &before.daemon);
	change_textfile(out, &before.daemon);
	if (out->http)
		read_names(out);
	if (old != config)
		free(old);
}

void outputs_free(struct outputs *out)
{
	if (!out)
		return;
	write_textfile(out);
	logger_free(out->logger);
	http_free(out->http);
	http_names_release(&out->names);
	free(out->textfile);
	free(out->config);
	free(out);
}
