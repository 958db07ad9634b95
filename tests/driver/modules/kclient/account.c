// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account of what the clients did, as lines of the form of optee-load's. Each
 * client writes its own records, and anyone may read them meanwhile: a record is
 * counted when its begin is written, and has an end when its result is.
 */
#include "kclient.h"

const uuid_t kclient_ta = UUID_INIT(0x5b9e0e40, 0x2636, 0x11e1, 0xad, 0x9e, 0x00, 0x02, 0xa5, 0xd5,
				    0xc5, 0x1b); /* os_test of optee_test */

static const char *const op_names[] = {
	[OP_OPEN] = "open", [OP_INVOKE] = "invoke", [OP_CLOSE] = "close",
	[OP_RATE] = "rate", [OP_RESET] = "reset",
};

static void begin(struct record *r, const struct client *c, enum op op)
{
	r->op = op;
	/*
	 * The driver takes the class from the session a moment later. A promotion by
	 * another task just in between is not seen here; a test can see it from the times.
	 */
	r->system = READ_ONCE(c->is_system);
	r->start_ns = ktime_get_ns();
}

struct record *record_begin(struct client *c, enum op op)
{
	struct record *r;

	if (op == OP_SYSTEM) { /* perhaps by another task than the others */
		begin(&c->promotion, c, op);
		return &c->promotion;
	}
	r = &c->records[c->nr_records];
	begin(r, c, op);
	smp_store_release(&c->nr_records, c->nr_records + 1);
	return r;
}

void record_end(struct record *r, int err, u32 ret)
{
	u64 now = ktime_get_ns();

	r->result = err ? err : (s64)ret;
	r->end_ns = now;
	smp_store_release(&r->ended, true);
}

static void session_print(struct seq_file *s, const struct client *c, const struct record *r,
			  u64 end_ns)
{
	if (r->op != OP_SYSTEM)
		seq_printf(s, "\"uuid\":\"%pUb\",\"op\":\"%s\",\"system\":%s,", &kclient_ta,
			   op_names[r->op], r->system ? "true" : "false");
	seq_puts(s, "\"session\":0,");
	if (r->op == OP_OPEN && (!end_ns || r->result))
		seq_puts(s, "\"session_id\":null,");
	else
		seq_printf(s, "\"session_id\":%u,", c->session);
}

static void record_print(struct seq_file *s, const struct client *c, const struct record *r)
{
	const struct task_struct *task = c->task;
	u64 end_ns = smp_load_acquire(&r->ended) ? r->end_ns : 0;
	const char *kind = is_of_scmi(c) ? "scmi" : "call";

	if (r->op == OP_SYSTEM)
		kind = "system";
	if (r->op == OP_SYSTEM && c->promoter)
		task = c->promoter;
	seq_printf(s, "{\"type\":\"%s\",\"client\":\"%s\",\"kernel\":true,\"pid\":%d,\"tid\":%d,",
		   kind, c->name, task->pid, task->pid);
	if (is_of_scmi(c))
		seq_printf(s, "\"op\":\"%s\",", op_names[r->op]);
	else
		session_print(s, c, r, end_ns);
	seq_printf(s, "\"start_ns\":%llu,", r->start_ns);
	if (end_ns)
		seq_printf(s, "\"end_ns\":%llu,\"result\":%lld}\n", end_ns, r->result);
	else
		seq_puts(s, "\"end_ns\":null,\"result\":null}\n");
}

void account_print(struct seq_file *s, const struct client *c)
{
	unsigned int nr = smp_load_acquire(&c->nr_records);

	for (unsigned int i = 0; i < nr; i++)
		record_print(s, c, &c->records[i]);
	if (smp_load_acquire(&c->promotion.ended))
		record_print(s, c, &c->promotion);
}
