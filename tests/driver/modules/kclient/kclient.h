/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients of OP-TEE in the kernel, for tests: a script (script.c) says what each of
 * them does, run.c does it, and account.c tells what was done.
 */
#ifndef KCLIENT_H
#define KCLIENT_H

#include <linux/completion.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/tee_drv.h>
#include <linux/uuid.h>

struct clk;
struct reset_control;

#define MAX_CLIENTS 64
#define NEVER       U32_MAX /* of a word that is not in the script */

enum op { OP_OPEN, OP_INVOKE, OP_CLOSE, OP_SYSTEM, OP_RATE, OP_RESET };

struct record {
	enum op op;
	bool system; /* the session's class when this began */
	bool ended;  /* the last to be written: of a word, also where a u64 is two */
	u64 start_ns;
	u64 end_ns;
	s64 result; /* -errno or TEE_Result */
};

struct client {
	/* what the script says */
	char name[TASK_COMM_LEN];
	bool system;
	u32 at_ms, wait_ms, gap_ms, system_at_ms, repeat;
	u32 clock, reset; /* of SCMI: one of them, or neither */

	/* what became of it */
	struct task_struct *task;
	struct task_struct *promoter; /* does its system-at= */
	struct completion opened;
	struct tee_context *ctx;
	u32 session;
	struct clk *clk;
	struct reset_control *rstc;
	bool is_system;
	int err; /* why it could not be set up */

	/* its account: read while it is written */
	struct record *records;
	unsigned int nr_records;
	struct record promotion;
};

extern const uuid_t kclient_ta;

/* Cuts text up; says itself what is wrong with it. */
int script_parse(char *text, struct client **clients, unsigned int *nr);
void clients_free(struct client *clients, unsigned int nr);

struct record *record_begin(struct client *c, enum op op);
void record_end(struct record *r, int err, u32 ret);
void account_print(struct seq_file *s, const struct client *c);

static inline bool is_of_scmi(const struct client *c)
{
	return c->clock != NEVER || c->reset != NEVER;
}

/* Takes its clock or its reset; says itself if it cannot. */
int scmi_get(struct client *c);
void scmi_put(struct client *c);
void scmi_invoke(struct client *c, u32 turn);

#ifndef HAVE_SYSTEM_SESSION
/* Before Linux 6.8; see Kbuild. */
static inline int tee_client_system_session(struct tee_context *ctx, u32 session)
{
	return -EOPNOTSUPP;
}
#endif

#endif
