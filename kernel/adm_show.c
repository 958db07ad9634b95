// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is attached and what it did, in /sys/kernel/debug/optee_admission: a line a thing,
 * `name value`, and for each queue `queue N name value`. If a policy keeps the queue's mutex
 * busy for 100 ms, the figures are read without it: `queue N torn 1` says so. They may not agree then.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "adm.h"

static struct dentry *file;

struct printer {
	struct seq_file *s;
	unsigned int queue;
};

static void print(struct printer *p, const char *name, u64 value)
{
	seq_printf(p->s, "queue %u %s %llu\n", p->queue, name, value);
}

static void print_class(struct printer *p, const char *class, const struct optee_adm_counts *counts)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
		{ "calls", offsetof(struct optee_adm_counts, calls) },
		{ "waited", offsetof(struct optee_adm_counts, waited) },
		{ "wait_ns", offsetof(struct optee_adm_counts, wait_ns) },
		{ "wait_max_ns", offsetof(struct optee_adm_counts, wait_max_ns) },
		{ "enter", offsetof(struct optee_adm_counts, enter) },
		{ "enter_reserved", offsetof(struct optee_adm_counts, enter_reserved) },
		{ "wait_kept", offsetof(struct optee_adm_counts, wait_kept) },
		{ "wait_rate", offsetof(struct optee_adm_counts, wait_rate) },
	};
	char name[32];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		snprintf(name, sizeof(name), "%s_%s", class, fields[i].name);
		print(p, name, *(const u64 *)((const char *)counts + fields[i].offset));
	}
}

static void print_stats(struct printer *p, const struct optee_adm_stats *stats)
{
	print(p, "reserve_yes", stats->reserve_yes);
	print(p, "reserve_no", stats->reserve_no);
	print(p, "passes", stats->passes);
	print(p, "busy", stats->busy);
	print_class(p, "norm", &stats->class[OPTEE_ADM_NORM]);
	print_class(p, "sys", &stats->class[OPTEE_ADM_SYSTEM]);
}

static void print_queue(struct optee_adm_queue *q, bool locked, void *arg)
{
	struct optee_call_queue *cq = adm_cq(q);
	struct printer *p = arg;
	bool attached = READ_ONCE(q->ops);

	print(p, "torn", !locked);
	print(p, "total", cq->total_thread_count);
	if (cq->total_thread_count)
		print(p, "free", cq->free_thread_count);
	print(p, "reserved", cq->sys_thread_req_count);
	print(p, "norm_in_flight", q->norm_in_flight);
	print(p, "resv_in_flight", q->resv_in_flight);
	print(p, "sys_in_flight", q->sys_in_flight);
	print(p, "norm_waiting", q->norm_waiting);
	print(p, "sys_waiting", q->sys_waiting);
	print_stats(p, &q->stats);
	if (attached)
		print(p, "since_ns", q->since_ns);
	p->queue++;
}

static int admission_show(struct seq_file *s, void *data)
{
	struct printer p = { .s = s };
	struct adm_view view;
	const struct optee_adm_left *left = &view.left;

	adm_view(&view);
	seq_printf(s, "policy %s\n", view.name[0] ? view.name : "-");
	seq_printf(s, "off %d\n", view.off);
	if (view.name[0])
		seq_printf(s, "timeout_ms %u\n", view.timeout_ms);
	seq_printf(s, "attached %llu\nejected %llu\n", view.attached, view.ejected);
	if (left->name[0]) {
		seq_printf(s, "last %s\nlast_reason %u %s\n", left->name, left->exit.reason,
			   adm_reason_text(left->exit.reason));
		seq_printf(s, "last_answer %d\nlast_call %llu\nlast_wait_ns %llu\n",
			   left->exit.error, left->exit.seq, left->exit.wait_ns);
	}
	adm_each_queue(print_queue, &p);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(admission);

void adm_show_init(void)
{
	file = debugfs_create_file("optee_admission", 0400, NULL, NULL, &admission_fops);
}

void adm_show_exit(void)
{
	debugfs_remove(file);
}
