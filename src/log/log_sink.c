// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was not brought to the disk when that failed is counted as lost, too: it may be.
 */
#include <errno.h>
#include <string.h>
#include "base/fail.h"
#include "log/log_sink.h"

void log_sink_init(struct log_sink *k, const struct log_format *format, struct log_dir *d,
		   struct line_buffer *line, u64 share)
{
	*k = (struct log_sink){ .format = format, .dir = d, .line = line };
	for (int name = 0; name < NR_LOG_NAMES; name++)
		log_file_init(&k->files[name], d, name, share);
}

static const char *cause(int err)
{
	if (err == -EWOULDBLOCK)
		return "another optee-top logs there";
	if (err == -ENOLCK)
		return "its lock file '.lock' belongs to another user; remove that file";
	if (err == -EOPNOTSUPP)
		return "it is not a regular file";
	return strerror(-err);
}

void log_sink_fails(struct log_sink *k, int err, enum log_names name, u64 mono_ns)
{
	bool dir = name == NR_LOG_NAMES;

	k->errors++;
	if (k->failing)
		return;
	k->failing = true;
	k->gap = (struct log_gap){ .since_ns = mono_ns, .error = -err };
	if (k->told)
		return;
	k->told = true;
	k->told_lost = k->lost;
	say("cannot write '%s%s%s': %s; log lines are counted as lost until it works", k->dir->path,
	    dir ? "" : "/", dir ? "" : log_names[name], cause(err));
}

/* The line alone, as it has been put together. */
static int append(struct log_sink *k, struct log_file *f)
{
	if (k->line->full)
		return -EMSGSIZE;
	return log_file_append(f, k->line->text, k->line->len);
}

static int put_head(struct log_sink *k, struct log_file *f, const struct log_item *item)
{
	const struct log_item host = { .type = LOG_HOST,
				       .host = item->host,
				       .mono_ns = item->mono_ns,
				       .real_ns = item->real_ns };
	int err;

	line_clear(k->line);
	if (k->format->head)
		k->format->head(k->line, item->type);
	else
		k->format->put(k->line, &host, k->seq + 1);
	err = append(k, f);
	if (!err && !k->format->head) {
		k->seq++;
		k->lines++;
	}
	return err;
}

static int put_line(struct log_sink *k, struct log_file *f, const struct log_item *item)
{
	int err = log_file_ready(f);

	if (!err && !f->size && (k->format->head || item->type != LOG_HOST))
		err = put_head(k, f, item);
	if (err)
		return err;
	line_clear(k->line);
	k->format->put(k->line, item, k->seq + 1);
	err = append(k, f);
	if (err)
		return err;
	k->seq++;
	k->lines++;
	k->bytes += k->line->len;
	if (item->type == LOG_EVENT)
		k->event_bytes += k->line->len;
	/*
	 * What was written long ago has been deleted, and must not entitle events to as much
	 * again. There may be two formats: half of the cap is the share of each.
	 */
	if (k->bytes > k->dir->cap / 2) {
		k->bytes /= 2;
		k->event_bytes /= 2;
	}
	if (!k->unsafe++)
		k->unsafe_ns = item->mono_ns;
	return 0;
}

/* A disk that fails may not have kept what it took. */
static void distrust(struct log_sink *k)
{
	k->unkept = true;
	k->lines -= k->unsafe;
	k->lost += k->unsafe;
	k->gap.lines += k->unsafe;
	k->unsafe = 0;
}

static void lose(struct log_sink *k)
{
	k->seq++;
	k->lost++;
	k->gap.lines++;
}

void log_sink_put(struct log_sink *k, const struct log_item *item)
{
	enum log_names name = k->format->files[item->type];
	int err;

	if (name == NR_LOG_NAMES)
		return;
	if (!k->failing) {
		err = put_line(k, &k->files[name], item);
		if (!err)
			return;
		log_sink_fails(k, err, name,
			       k->unsafe && err == -EIO ? k->unsafe_ns : item->mono_ns);
		if (err == -EIO)
			distrust(k);
	}
	lose(k);
}

bool log_sink_fits_event(const struct log_sink *k, u64 least)
{
	return k->event_bytes < least + (k->bytes - k->event_bytes);
}

/* 0 or -errno, and which file it was. */
static int sync_files(struct log_sink *k, enum log_names *name)
{
	int err = 0;

	for (int i = 0; i < NR_LOG_NAMES; i++) {
		int e = log_file_sync(&k->files[i]);

		if (e && !err) {
			err = e;
			*name = i;
		}
	}
	if (!err)
		k->unsafe = 0;
	return err;
}

void log_sink_sync(struct log_sink *k, u64 mono_ns)
{
	enum log_names name = NR_LOG_NAMES;
	int err = sync_files(k, &name);

	if (!err && k->told && !k->failing) {
		k->told = false;
		say("logging to '%s' again; %llu lines were lost", k->dir->path,
		    (unsigned long long)(k->lost - k->told_lost));
	}
	if (!err)
		return;
	log_sink_fails(k, err, name, k->unsafe ? k->unsafe_ns : mono_ns);
	distrust(k);
}

bool log_sink_recover(struct log_sink *k, struct log_item *item)
{
	enum log_names name = k->format->files[LOG_GAP];
	int err;

	item->type = LOG_GAP;
	item->gap = &k->gap;
	err = put_line(k, &k->files[name], item);
	/* A disk that takes lines and does not keep them does not work. */
	if (!err && k->unkept) {
		err = sync_files(k, &name);
		if (err)
			distrust(k);
	}
	if (err) {
		k->errors++;
		return false;
	}
	k->failing = k->unkept = false;
	k->gap = (struct log_gap){};
	return true;
}

void log_sink_check(struct log_sink *k)
{
	for (int name = 0; name < NR_LOG_NAMES; name++)
		log_file_check(&k->files[name]);
}

void log_sink_close(struct log_sink *k)
{
	for (int name = 0; name < NR_LOG_NAMES; name++)
		log_file_close(&k->files[name]);
}
