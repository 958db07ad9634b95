// SPDX-License-Identifier: GPL-2.0-only
/*
 * What SCMI does to the call queue: it has a session, which it asks to make a system
 * session, and an RPC of somebody's call waits for a call of that session, for a clock or a
 * regulator, say. Here the RPC that loads a TA for a client of ours makes that call itself,
 * in the client's task, as optee_supp_thrd_req() is led to a function of ours first.
 *
 * The calls begin when `count` clients have come so far, so that they hold that many threads,
 * or when no more have come for a while. What happened is in debugfs.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/tee_drv.h>
#include <linux/uuid.h>

static int count = 2;
module_param(count, int, 0444);
MODULE_PARM_DESC(count, "clients that are waited for");

#define CLIENT      "outer" /* how the clients' names begin */
#define RPC_LOAD_TA 0
#define CMD_WAIT    9 /* of os_test: waits value a milliseconds, in an RPC */
#define WAIT_MS     10
#define POLL_MS     10
#define POLLS       80

static const uuid_t os_test = UUID_INIT(0x5b9e0e40, 0x2636, 0x11e1, 0xad, 0x9e, 0x00, 0x02, 0xa5,
					0xd5, 0xc5, 0x1b);

static struct tee_context *channel;
static u32 session;
static int reserved; /* 0 or -errno of tee_client_system_session() */
static atomic_t arrived, done, failed;
static struct dentry *file;

typedef u32 (*thrd_req_fn)(struct tee_context *ctx, u32 func, size_t num_params,
			   struct tee_param *param);
static thrd_req_fn thrd_req;

static int is_optee(struct tee_ioctl_version_data *version, const void *data)
{
	return version->impl_id == TEE_IMPL_ID_OPTEE;
}

static void call_channel(void)
{
	struct tee_ioctl_invoke_arg invoke = {
		.func = CMD_WAIT,
		.session = session,
		.num_params = 4,
	};
	struct tee_param params[4] = {
		{ .attr = TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT, .u.value.a = WAIT_MS },
	};
	int err;

	atomic_inc(&arrived);
	for (int i = 0; i < POLLS && atomic_read(&arrived) < count; i++)
		msleep(POLL_MS);
	err = tee_client_invoke_func(channel, &invoke, params);
	atomic_inc(err || invoke.ret ? &failed : &done);
}

static u32 our_thrd_req(struct tee_context *ctx, u32 func, size_t num_params,
			struct tee_param *param)
{
	if (func == RPC_LOAD_TA && !strncmp(current->comm, CLIENT, strlen(CLIENT)))
		call_channel();
	return thrd_req(ctx, func, num_params, param);
}

static void notrace redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	if (!within_module(parent_ip, THIS_MODULE))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)our_thrd_req);
}

static struct ftrace_ops ops = {
	.func = redirect,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int account_show(struct seq_file *s, void *data)
{
	seq_printf(s, "reserved %d\narrived %d\ndone %d\nfailed %d\n", reserved,
		   atomic_read(&arrived), atomic_read(&done), atomic_read(&failed));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(account);

static int open_channel(void)
{
	struct tee_ioctl_open_session_arg open = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC };
	int err;

	channel = tee_client_open_context(NULL, is_optee, NULL, NULL);
	if (IS_ERR(channel))
		return PTR_ERR(channel);
	export_uuid(open.uuid, &os_test);
	err = tee_client_open_session(channel, &open, NULL);
	if (err || open.ret) {
		tee_client_close_context(channel);
		return err ?: -EIO;
	}
	session = open.session;
	/* As SCMI's transport: without a reservation it goes on all the same. */
	reserved = tee_client_system_session(channel, session);
	return 0;
}

static void close_channel(void)
{
	tee_client_close_session(channel, session);
	tee_client_close_context(channel);
}

static char target[] = "optee_supp_thrd_req";

static int __init scmi_init(void)
{
	struct kprobe kp = { .symbol_name = target };
	int err = register_kprobe(&kp); /* only to learn the address */

	if (err)
		return err;
	thrd_req = (thrd_req_fn)kp.addr;
	unregister_kprobe(&kp);
	err = open_channel();
	if (err)
		return err;
	err = ftrace_set_filter(&ops, target, strlen(target), 1);
	if (!err)
		err = register_ftrace_function(&ops);
	if (err) {
		close_channel();
		return err;
	}
	file = debugfs_create_file("optee_top_scmi", 0444, NULL, NULL, &account_fops);
	return 0;
}

static void __exit scmi_exit(void)
{
	debugfs_remove(file);
	unregister_ftrace_function(&ops);
	/* Nobody may be in our_thrd_req() any more: the test waits for its clients first. */
	close_channel();
}

module_init(scmi_init);
module_exit(scmi_exit);
MODULE_DESCRIPTION("An RPC that needs a call of a system session, for the tests of optee-top");
MODULE_LICENSE("GPL");
