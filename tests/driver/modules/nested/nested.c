// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes nested calls: while a call of a chosen client is in an RPC to
 * tee-supplicant, the client's own task opens a session, invokes a command that
 * waits, and closes the session. In the field an RPC that reaches RPMB or I2C
 * behind SCMI does such a thing; here the driver's optee_supp_thrd_req(), which
 * runs in the caller's task inside the RPC, is led to a function of ours first.
 *
 * What was done is in debugfs, as lines of the form of optee-load's account.
 */
#include <linux/debugfs.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/tee_drv.h>
#include <linux/uuid.h>

static char *comm = "outer";
module_param(comm, charp, 0444);
MODULE_PARM_DESC(comm, "name of the client's task");

static uint wait_ms = 1500;
module_param(wait_ms, uint, 0444);
MODULE_PARM_DESC(wait_ms, "how long the nested invoke waits");

/*
 * Not in an earlier one: in those for files OP-TEE holds a mutex that loading the
 * nested call's TA needs too, and the two calls of one task wait for each other.
 */
#define RPC_LOAD_TA 0

#define CMD_WAIT    9 /* of the os_test TA: waits value a milliseconds, in an RPC */

static const uuid_t os_test = UUID_INIT(0x5b9e0e40, 0x2636, 0x11e1, 0xad, 0x9e, 0x00, 0x02, 0xa5,
					0xd5, 0xc5, 0x1b);

enum op { OPEN, INVOKE, CLOSE, NR_OPS };

static struct record {
	const char *op;
	pid_t pid, tid;
	char comm[TASK_COMM_LEN];
	u32 session;
	int result; /* -errno or TEE_Result */
	u64 start, end;
} records[NR_OPS];
static unsigned int nr_records;

static struct dentry *file;
static struct task_struct *done_for; /* one client's task, once */

typedef u32 (*thrd_req_fn)(struct tee_context *ctx, u32 func, size_t num_params,
			   struct tee_param *param);
static thrd_req_fn thrd_req;

static int is_optee(struct tee_ioctl_version_data *version, const void *data)
{
	return version->impl_id == TEE_IMPL_ID_OPTEE;
}

static struct record *begin(const char *op, u32 session)
{
	struct record *r = &records[nr_records++];

	r->op = op;
	r->pid = current->tgid;
	r->tid = current->pid;
	strscpy(r->comm, current->group_leader->comm, sizeof(r->comm));
	r->session = session;
	r->start = ktime_get_ns();
	return r;
}

static void end(struct record *r, int err, u32 result)
{
	r->end = ktime_get_ns();
	r->result = err ?: result;
}

static void call_again(void)
{
	struct tee_ioctl_open_session_arg open = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC };
	struct tee_ioctl_invoke_arg invoke = { .func = CMD_WAIT, .num_params = 4 };
	struct tee_param params[4] = {
		{ .attr = TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT, .u.value.a = wait_ms },
	};
	struct tee_context *ctx = tee_client_open_context(NULL, is_optee, NULL, NULL);
	struct record *r;
	int err;

	if (IS_ERR(ctx)) {
		pr_err("nested: cannot open a context: %ld\n", PTR_ERR(ctx));
		return;
	}
	export_uuid(open.uuid, &os_test);
	r = begin("open", 0);
	err = tee_client_open_session(ctx, &open, NULL);
	r->session = open.session;
	end(r, err, open.ret);
	if (!r->result) {
		invoke.session = open.session;
		r = begin("invoke", open.session);
		err = tee_client_invoke_func(ctx, &invoke, params);
		end(r, err, invoke.ret);
		r = begin("close", open.session);
		err = tee_client_close_session(ctx, open.session);
		end(r, err, 0);
	}
	tee_client_close_context(ctx);
}

static u32 our_thrd_req(struct tee_context *ctx, u32 func, size_t num_params,
			struct tee_param *param)
{
	if (func == RPC_LOAD_TA && !strcmp(current->comm, comm) &&
	    !cmpxchg(&done_for, NULL, current))
		call_again();
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
	for (unsigned int i = 0; i < nr_records; i++) {
		const struct record *r = &records[i];

		seq_printf(s,
			   "{\"type\":\"call\",\"client\":\"%s\",\"kernel\":true,\"pid\":%d,"
			   "\"uuid\":\"%pUb\",\"tid\":%d,\"op\":\"%s\",\"session\":1000,"
			   "\"session_id\":%u,\"start_ns\":%llu,\"end_ns\":%llu,\"result\":%d}\n",
			   r->comm, r->pid, &os_test, r->tid, r->op, r->session, r->start, r->end,
			   r->result);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(account);

static char target[] = "optee_supp_thrd_req";

static int __init nested_init(void)
{
	struct kprobe kp = { .symbol_name = target };
	int err = register_kprobe(&kp); /* only to learn the address */

	if (err)
		return err;
	thrd_req = (thrd_req_fn)kp.addr;
	unregister_kprobe(&kp);
	err = ftrace_set_filter(&ops, target, strlen(target), 1);
	if (!err)
		err = register_ftrace_function(&ops);
	if (err)
		return err;
	file = debugfs_create_file("optee_top_nested", 0444, NULL, NULL, &account_fops);
	return 0;
}

static void __exit nested_exit(void)
{
	debugfs_remove(file);
	unregister_ftrace_function(&ops);
	/* Nobody may be in our_thrd_req() any more: the test waits for its client first. */
}

module_init(nested_init);
module_exit(nested_exit);
MODULE_DESCRIPTION("Nested calls to OP-TEE, for the tests of optee-top");
MODULE_LICENSE("GPL");
