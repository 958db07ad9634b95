// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the clients. A task of the module does one run after another: it lets the
 * clients open their sessions, one at a time, sets the common start and opens the
 * gate, waits until all have made their calls, and lets them close their sessions,
 * one at a time again. So no open and no close is among the calls of a run.
 *
 * A client does all of this in a task of its own, whose name is what the driver's
 * observers know it by.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "kclient.h"

#include <linux/debugfs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

#define MAX_SCRIPT 16384
#define LEAD_MS    50 /* from opening the gate to the start */
#define CMD_WAIT   9  /* of os_test: waits value a milliseconds, in an RPC */

static struct {
	struct mutex lock; /* of clients, nr and running */
	struct client *clients;
	unsigned int nr;
	bool running;

	ktime_t start; /* 0: there is none; constant when the gate is open */
	int err;
	struct completion gate, finished, ready;
	atomic_t busy; /* tasks that have not finished */
} run = {
	.lock = __MUTEX_INITIALIZER(run.lock),
};

static struct task_struct *runner;
static DECLARE_WAIT_QUEUE_HEAD(runner_wake);
static struct dentry *dir;

static int is_optee(struct tee_ioctl_version_data *version, const void *data)
{
	return version->impl_id == TEE_IMPL_ID_OPTEE;
}

static int make_system(struct client *c)
{
	struct record *r = record_begin(c, OP_SYSTEM);
	int err = tee_client_system_session(c->ctx, c->session);

	if (!err)
		WRITE_ONCE(c->is_system, true);
	record_end(r, err, 0);
	if (err)
		pr_err("'%s' cannot have a system session: error %d\n", c->name, err);
	return err;
}

static int open_session(struct client *c)
{
	struct tee_ioctl_open_session_arg arg = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC };
	struct tee_context *ctx = tee_client_open_context(NULL, is_optee, NULL, NULL);
	struct record *r;
	int err;

	if (IS_ERR(ctx)) {
		pr_err("'%s' cannot open a context: error %ld\n", c->name, PTR_ERR(ctx));
		return PTR_ERR(ctx);
	}
	export_uuid(arg.uuid, &kclient_ta);
	r = record_begin(c, OP_OPEN);
	err = tee_client_open_session(ctx, &arg, NULL);
	c->session = arg.session;
	record_end(r, err, arg.ret);
	if (err || arg.ret) {
		pr_err("'%s' cannot open a session: error %d, TEE result 0x%x\n", c->name, err,
		       arg.ret);
		tee_client_close_context(ctx);
		return err ? err : -EIO;
	}
	c->ctx = ctx;
	return c->system ? make_system(c) : 0;
}

static void close_session(struct client *c)
{
	struct record *r = record_begin(c, OP_CLOSE);

	record_end(r, tee_client_close_session(c->ctx, c->session), 0);
	tee_client_close_context(c->ctx);
}

static void sleep_until(ktime_t when)
{
	while (ktime_before(ktime_get(), when)) {
		set_current_state(TASK_IDLE);
		schedule_hrtimeout(&when, HRTIMER_MODE_ABS);
	}
}

static void invoke(struct client *c)
{
	struct tee_ioctl_invoke_arg arg = {
		.func = CMD_WAIT,
		.session = c->session,
		.num_params = 4,
	};
	struct tee_param params[4] = {
		{ .attr = TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT, .u.value.a = c->wait_ms },
	};
	struct record *r = record_begin(c, OP_INVOKE);
	int err = tee_client_invoke_func(c->ctx, &arg, params);

	record_end(r, err, arg.ret);
}

static void make_calls(struct client *c)
{
	ktime_t next = ktime_add_ms(run.start, c->at_ms);

	if (c->wait_ms == NEVER && c->reset == NEVER)
		return;
	for (u32 i = 0; i < c->repeat; i++) {
		sleep_until(next);
		if (is_of_scmi(c))
			scmi_invoke(c, i);
		else
			invoke(c);
		next = ktime_add_ms(ktime_get(), c->gap_ms);
	}
}

static void finish(void)
{
	if (atomic_dec_and_test(&run.busy))
		complete(&run.finished);
}

static void wait_for_stop(void)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

static int client_main(void *data)
{
	struct client *c = data;

	c->err = is_of_scmi(c) ? scmi_get(c) : open_session(c);
	complete(&c->opened);
	wait_for_completion_state(&run.gate, TASK_IDLE);
	if (run.start)
		make_calls(c);
	finish();
	wait_for_stop();
	if (c->ctx)
		close_session(c);
	scmi_put(c); /* of neither it takes NULL */
	return 0;
}

static int promoter_main(void *data)
{
	struct client *c = data;

	wait_for_completion_state(&run.gate, TASK_IDLE);
	if (run.start) {
		sleep_until(ktime_add_ms(run.start, c->system_at_ms));
		make_system(c); /* says itself if it cannot */
	}
	finish();
	wait_for_stop();
	return 0;
}

static int start_task(struct task_struct **task, int (*fn)(void *), struct client *c,
		      const char *name)
{
	struct task_struct *t = kthread_create(fn, c, "%s", name);

	if (IS_ERR(t)) {
		pr_err("cannot create the task '%s': error %ld\n", name, PTR_ERR(t));
		return PTR_ERR(t);
	}
	*task = get_task_struct(t); /* the account asks it for its number */
	atomic_inc(&run.busy);
	wake_up_process(t);
	return 0;
}

static int start_client(struct client *c)
{
	int err = start_task(&c->task, client_main, c, c->name);

	if (err)
		return err;
	wait_for_completion_state(&c->opened, TASK_IDLE);
	if (c->err || c->system_at_ms == NEVER)
		return c->err;
	return start_task(&c->promoter, promoter_main, c, "kclient-system");
}

/* Returns when no task of the run is left. */
static void do_run(void)
{
	int err = 0;

	for (unsigned int i = 0; i < run.nr && !err; i++)
		err = start_client(&run.clients[i]);
	run.err = err;
	if (!err)
		WRITE_ONCE(run.start, ktime_add_ms(ktime_get(), LEAD_MS));
	complete_all(&run.gate);
	if (!err)
		complete(&run.ready);
	finish();
	wait_for_completion_state(&run.finished, TASK_IDLE);
	for (unsigned int i = 0; i < run.nr; i++) {
		struct client *c = &run.clients[i];

		if (c->promoter)
			kthread_stop(c->promoter);
		if (c->task)
			kthread_stop(c->task);
	}
	mutex_lock(&run.lock);
	run.running = false;
	mutex_unlock(&run.lock);
	if (err)
		complete(&run.ready);
}

static int runner_main(void *data)
{
	for (;;) {
		wait_event_idle(runner_wake, READ_ONCE(run.running) || kthread_should_stop());
		if (!READ_ONCE(run.running))
			return 0;
		do_run();
	}
}

/* Takes the clients over and returns when all have their sessions and the start is set. */
static int start_run(struct client *clients, unsigned int nr)
{
	mutex_lock(&run.lock);
	if (run.running) {
		mutex_unlock(&run.lock);
		clients_free(clients, nr);
		return -EBUSY;
	}
	clients_free(run.clients, run.nr);
	run.clients = clients;
	run.nr = nr;
	run.start = 0;
	init_completion(&run.gate);
	init_completion(&run.finished);
	init_completion(&run.ready);
	atomic_set(&run.busy, 1); /* the runner */
	WRITE_ONCE(run.running, true);
	mutex_unlock(&run.lock);
	wake_up(&runner_wake);
	wait_for_completion(&run.ready);
	return run.err;
}

static ssize_t run_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	struct client *clients;
	unsigned int nr;
	char *text;
	int err;

	if (len > MAX_SCRIPT)
		return -E2BIG;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = script_parse(text, &clients, &nr);
	kfree(text);
	if (!err)
		err = start_run(clients, nr);
	return err ? err : (ssize_t)len;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
	.llseek = noop_llseek,
};

static int state_show(struct seq_file *s, void *data)
{
	seq_puts(s, READ_ONCE(run.running) ? "running\n" : "idle\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int account_show(struct seq_file *s, void *data)
{
	ktime_t start;

	mutex_lock(&run.lock);
	start = READ_ONCE(run.start);
	if (start)
		seq_printf(s, "{\"type\":\"start\",\"mono_ns\":%lld}\n", ktime_to_ns(start));
	for (unsigned int i = 0; i < run.nr; i++)
		account_print(s, &run.clients[i]);
	mutex_unlock(&run.lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(account);

static int __init kclient_init(void)
{
	runner = kthread_run(runner_main, NULL, "kclient-runner");
	if (IS_ERR(runner))
		return PTR_ERR(runner);
	dir = debugfs_create_dir("optee_top_kclient", NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("state", 0444, dir, NULL, &state_fops);
	debugfs_create_file("account", 0444, dir, NULL, &account_fops);
	return 0;
}

/* A run that is on goes to its end first: nothing can end a call in the secure world. */
static void __exit kclient_exit(void)
{
	debugfs_remove(dir);
	kthread_stop(runner);
	clients_free(run.clients, run.nr);
}

module_init(kclient_init);
module_exit(kclient_exit);
MODULE_DESCRIPTION("Clients of OP-TEE in the kernel, for the tests of optee-top");
MODULE_LICENSE("GPL");
