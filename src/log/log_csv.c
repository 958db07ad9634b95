// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log as CSV: a file a table, each with a head line. The columns before those of
 * the field table say of which attach and when the row is. What is no single figure,
 * histograms and RPCs by kind, only JSON has.
 */
#include <string.h>
#include "log/log_format.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "render/csv.h"
#include "render/json.h"

static const char *const before[] = { "ts", "boot_id", "epoch", "seq" };
static const char *const gap_columns[] = { "lines", "since_ns", "error" };

/* Figures of the interval are not logged. */
static struct figures logged(struct figures f)
{
	f.logged = true;
	return f;
}

static void head_pools(struct line_buffer *l)
{
	csv_figures_head(l, logged(pool_figures(NULL, NULL)));
	for (int cond = 0; cond < NR_CONDS; cond++) {
		struct figures f = condition_figures(NULL);
		char key[64], column[128];

		while (figures_next(&f)) {
			field_json_key(f.name, f.unit, key, sizeof(key));
			snprintf(column, sizeof(column), "%s_%s", condition_table[cond].key, key);
			csv_name(l, column);
		}
	}
}

static void head(struct line_buffer *l, enum log_type type)
{
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		csv_name(l, before[i]);
	if (type == LOG_EVENT)
		csv_event_head(l);
	else
		csv_name(l, "mono_ns");
	if (type == LOG_POOL)
		head_pools(l);
	if (type == LOG_TA)
		csv_figures_head(l, ta_figures(NULL, NULL));
	if (type == LOG_SESSION)
		csv_figures_head(l, logged(session_figures(NULL, NULL)));
	if (type == LOG_LOSSES)
		csv_figures_head(l, loss_figures(NULL));
	for (size_t i = 0; type == LOG_GAP && i < sizeof(gap_columns) / sizeof(gap_columns[0]); i++)
		csv_name(l, gap_columns[i]);
	csv_end(l);
}

static void put_pool(struct line_buffer *l, const struct log_item *item)
{
	csv_figures(l, logged(pool_figures(item->s, item->pool)));
	for (int cond = 0; cond < NR_CONDS; cond++)
		csv_figures(l, condition_figures(&item->pool->conds[cond]));
}

static void put_event(struct line_buffer *l, const struct log_item *item, u64 seq)
{
	json_t *event = event_line_json(item->host, item->event, seq);
	char who[MAX_PARTIES * EVENT_LINE];

	l->full |= !event;
	csv_event(l, event, event_who(item->event, who, sizeof(who)));
	json_decref(event);
}

static void put_gap(struct line_buffer *l, const struct log_gap *gap)
{
	csv_number(l, gap->lines);
	csv_number(l, gap->since_ns);
	csv_text(l, strerror(gap->error));
}

static void put(struct line_buffer *l, const struct log_item *item, u64 seq)
{
	csv_time(l, item->real_ns);
	if (item->host->boot_id[0])
		csv_text(l, item->host->boot_id);
	else
		csv_unknown(l);
	csv_number(l, item->host->mono_ns);
	csv_number(l, seq);
	if (item->type != LOG_EVENT)
		csv_number(l, item->mono_ns);
	switch (item->type) {
	case LOG_POOL:
		put_pool(l, item);
		break;
	case LOG_TA:
		csv_figures(l, ta_figures(item->s, item->ta));
		break;
	case LOG_SESSION:
		csv_figures(l, logged(session_figures(item->s, item->session)));
		break;
	case LOG_LOSSES:
		csv_figures(l, loss_figures(&item->s->losses));
		break;
	case LOG_EVENT:
		put_event(l, item, seq);
		break;
	case LOG_GAP:
		put_gap(l, item->gap);
		break;
	case LOG_HOST:
	case LOG_OMITTED:
	case NR_LOG_TYPES:
		break;
	}
	csv_end(l);
}

const struct log_format log_csv = {
	.name = "csv",
	.files = { [LOG_HOST] = NR_LOG_NAMES,
		   [LOG_POOL] = LOG_NAME_POOLS,
		   [LOG_TA] = LOG_NAME_TAS,
		   [LOG_SESSION] = LOG_NAME_SESSIONS,
		   [LOG_LOSSES] = LOG_NAME_LOSSES,
		   [LOG_EVENT] = LOG_NAME_EVENTS,
		   [LOG_GAP] = LOG_NAME_GAPS,
		   [LOG_OMITTED] = NR_LOG_NAMES },
	.head = head,
	.put = put,
};
