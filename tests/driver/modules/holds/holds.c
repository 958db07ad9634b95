// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds the mutex of the driver's call queue, as a policy does that takes its time: from the
 * first call after the load until something is written to the parameter "release", or for
 * ten seconds. The parameter "holds" is 1 meanwhile, and 2 when it is over. The driver must
 * not be unloaded before this module.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#define MOST_MS 10000

static int holds;
module_param(holds, int, 0444);
MODULE_PARM_DESC(holds, "read only: 0 not yet, 1 now, 2 not any more");

static int release;
module_param(release, int, 0644);
MODULE_PARM_DESC(release, "not 0: let go");

/* The mutex is the first thing in struct optee_call_queue. */
static struct mutex *queue;

static void hold(struct work_struct *work)
{
	mutex_lock(queue);
	WRITE_ONCE(holds, 1);
	for (int ms = 0; ms < MOST_MS && !READ_ONCE(release); ms += 10)
		msleep(10);
	WRITE_ONCE(holds, 2);
	mutex_unlock(queue);
}
static DECLARE_WORK(work, hold);

static int seen(struct kprobe *kp, struct pt_regs *regs)
{
	if (!cmpxchg(&queue, NULL, (struct mutex *)regs_get_kernel_argument(regs, 0)))
		schedule_work(&work);
	return 0;
}

static struct kprobe kp = {
	.symbol_name = "optee_cq_wait_init",
	.pre_handler = seen,
};

static int __init holds_init(void)
{
	return register_kprobe(&kp);
}
module_init(holds_init);

static void __exit holds_exit(void)
{
	unregister_kprobe(&kp);
	WRITE_ONCE(release, 1);
	flush_work(&work);
}
module_exit(holds_exit);

MODULE_DESCRIPTION("Holds the mutex of OP-TEE's call queue");
MODULE_LICENSE("GPL");
