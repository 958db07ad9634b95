// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rule for each condition, and some for what else should be known. What a condition
 * means and what to do is said in the words of its table; the metrics are those of the
 * field tables.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "metrics/alerts.h"
#include "model/condition_table.h"
#include "model/fields.h"

static const char *metric_of(const char *field)
{
	for (size_t i = 0; i < nr_condition_fields; i++)
		if (!strcmp(condition_fields[i].name, field))
			return condition_fields[i].metric;
	return "";
}

static void put_figure(const char *key, const struct condition_alert *alert)
{
	const char *count = metric_of("count"), *lasting = metric_of("lasting"),
		   *time = metric_of("time");

	switch (alert->figure) {
	case ALERT_COMES:
		printf("increase(%s{condition=\"%s\"}[5m]) > 0 or ", count, key);
		/* fall through */
	case ALERT_LASTS:
		printf("%s{condition=\"%s\"} > 0", lasting, key);
		break;
	case ALERT_TAKES:
		printf("increase(%s{condition=\"%s\"}[5m]) > %g", time, key, alert->limit);
		break;
	case ALERT_FILLS:
		printf("rate(%s{condition=\"%s\"}[5m]) > %g", time, key, alert->limit);
	}
}

/* A part of a text between single quotes of YAML. */
static void put_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			putchar('\'');
		putchar(*text);
	}
}

static void put_rule(const char *alert)
{
	printf("      - alert: %s\n        expr: '", alert);
}

/* Optee, and its key in capitals: OpteeLostWake. */
static void put_condition_rule(const char *key)
{
	char alert[40] = "Optee", *to = alert + strlen(alert), *end = alert + sizeof(alert) - 1;

	for (bool first = true; *key && to < end; key++) {
		if (*key != '_')
			*to++ = first ? (char)toupper(*key) : *key;
		first = *key == '_';
	}
	*to = '\0';
	put_rule(alert);
}

static void put_labels(const char *lasting, const char *severity)
{
	printf("'\n        for: %s\n        labels:\n          severity: %s\n        annotations:\n",
	       lasting, severity);
}

static void put_note(const char *name, const char *first, const char *second)
{
	printf("          %s: '", name);
	put_quoted(first);
	put_quoted(second);
	printf("'\n");
}

static void put_condition(int cond)
{
	const struct condition_row *row = &condition_table[cond];
	char where[120];

	put_condition_rule(row->key);
	put_figure(row->key, &row->alert);
	put_labels(row->alert.lasting, row->alert.severity);
	snprintf(where, sizeof(where),
		 "{{ $labels.instance }} tee{{ $labels.tee }} %s: ", row->name);
	put_note("summary", where, row->means);
	put_note("description", row->so, "");
	put_note("action", row->remedy, "");
}

/* What is no condition of the queue. */
static const struct {
	const char *alert, *expr;
	const char *lasting, *severity;
	const char *summary, *action;
} others[] = {
	{ "OpteeDriverGone", "optee_up == 0", "1m", "warning",
	  "{{ $labels.instance }}: The OP-TEE driver is not loaded, or is not being watched.",
	  "Nobody can call OP-TEE without it: see the kernel's log, and whether somebody unbound the device. If it is loaded, see the journal of optee-top." },
	{ "OpteePolicyEjected", "increase(optee_policies_ejected_total[5m]) > 0", "0m", "warning",
	  "{{ $labels.instance }} tee{{ $labels.tee }}: The driver has ejected its admission policy: its own rule is in force.",
	  "'optee-top policy show' and the kernel's log say why. Fix the policy, or attach another one: 'optee-top policy attach'." },
	{ "OpteeTopAbsent", "absent(optee_up)", "5m", "warning", "No optee-top is being scraped.",
	  "See whether its service runs (systemctl status optee-top), and check Prometheus' list of targets. If only one of several is gone, its up is 0." },
	{ "OpteeTopAttachesOften", "changes(optee_attached_timestamp_seconds[30m]) > 3", "0m",
	  "warning", "{{ $labels.instance }}: optee-top keeps starting over.",
	  "Either it ends (see its journal), or the driver is unloaded and loaded again. What happens in between is not seen." },
	{ "OpteeTopLosses", "increase(" LOSS_METRIC "{kind!=\"calls_late\"}[10m]) > 0", "0m",
	  "warning",
	  "{{ $labels.instance }}: Some of what happened was not seen: {{ $labels.kind }}.",
	  "The figures are too low by that much. 'optee-top help fields' explains each kind of loss." },
	{ "OpteeTopLogLoses", "increase(optee_top_log_lines_lost_total[10m]) > 0", "0m", "warning",
	  "{{ $labels.instance }}: Log lines could not be written.",
	  "See whether the log's file system is full or read-only; the journal of optee-top has the cause. Logging resumes by itself once writing is possible; the log says what is missing." },
	{ "OpteeTopTextfileFails", "increase(optee_top_textfile_errors_total[10m]) > 0", "0m",
	  "warning", "{{ $labels.instance }}: The textfile for node_exporter could not be written.",
	  "The journal of optee-top has the cause; optee-top tries again by itself." },
};

void alerts_print(void)
{
	printf("# Alert rules for what optee-top exports. From its tables: optee-top help alerts\n"
	       "groups:\n  - name: optee-queue\n    rules:\n");
	for (int i = 0; i < NR_CONDS; i++)
		put_condition(i);
	printf("  - name: optee-top\n    rules:\n");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		put_rule(others[i].alert);
		put_quoted(others[i].expr);
		put_labels(others[i].lasting, others[i].severity);
		put_note("summary", others[i].summary, "");
		put_note("action", others[i].action, "");
	}
}
