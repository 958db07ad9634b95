// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plants a wrong count in the driver: its free_thread_count is some threads too high
 * while this module is loaded. Linux then admits a call that OP-TEE has no thread
 * for, and OP-TEE answers ETHREAD_LIMIT, as if somebody else used its threads too.
 * add=-1 is a thread that the driver has lost, sessions=1 a system session that it
 * believes in.
 *
 * A kprobe tells where the call queue is at the first call after the load; a work
 * plants the count soon after, and the parameter "planted" says so. The driver must
 * not be unloaded before this module.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#define MAX_THREADS 64 /* what is larger is not a count of threads */

static int add = 1;
module_param(add, int, 0444);
MODULE_PARM_DESC(add, "how many threads to add to the driver's free ones");

static int sessions;
module_param(sessions, int, 0444);
MODULE_PARM_DESC(sessions, "how many system sessions to add to the driver's");

/* 0: no call has been seen yet, 1: done, -errno: the queue is not as expected */
static int planted;
module_param(planted, int, 0444);
MODULE_PARM_DESC(planted, "read only: 0 not yet, 1 done, -22 cannot be done");

/* struct optee_call_queue since Linux 6.8, which is private to the driver */
struct call_queue {
	struct mutex mutex; /* of all that follows */
	struct list_head waiters;
	int total_thread_count;
	int free_thread_count;
	int sys_thread_req_count;
};

static struct call_queue *queue;
static bool probed;

static int seen(struct kprobe *kp, struct pt_regs *regs);

static struct kprobe kp = {
	.symbol_name = "optee_cq_wait_init",
	.pre_handler = seen,
};

static void unprobe(void)
{
	if (xchg(&probed, false))
		unregister_kprobe(&kp);
}

static bool is_sane(const struct call_queue *q)
{
	return q->total_thread_count >= 1 && q->total_thread_count <= MAX_THREADS &&
	       q->free_thread_count >= 0 && q->free_thread_count <= q->total_thread_count &&
	       q->sys_thread_req_count >= 0;
}

static void plant(struct work_struct *work)
{
	int total, free, err = 0;

	unprobe();
	mutex_lock(&queue->mutex);
	total = queue->total_thread_count;
	free = queue->free_thread_count;
	if (is_sane(queue)) {
		queue->free_thread_count += add;
		queue->sys_thread_req_count += sessions;
	} else {
		err = -EINVAL;
	}
	mutex_unlock(&queue->mutex);
	if (err)
		pr_err("this driver does not count threads as expected: total %d, free %d\n", total,
		       free);
	else
		pr_info("%d of %d threads free, now %d\n", free, total, free + add);
	WRITE_ONCE(planted, err ? err : 1);
}
static DECLARE_WORK(plant_work, plant);

/* The call that is seen is about to take the queue's mutex, so the work waits for it. */
static int seen(struct kprobe *kp, struct pt_regs *regs)
{
	if (!cmpxchg(&queue, NULL, (struct call_queue *)regs_get_kernel_argument(regs, 0)))
		schedule_work(&plant_work);
	return 0;
}

static int __init miscount_init(void)
{
	int err;

	if (!IS_ENABLED(HAVE_THREAD_COUNT)) {
		pr_err("the driver of this kernel does not count threads\n");
		return -EOPNOTSUPP;
	}
	probed = true;
	err = register_kprobe(&kp);
	if (err)
		pr_err("cannot probe '%s': error %d\n", kp.symbol_name, err);
	return err;
}

static void __exit miscount_exit(void)
{
	unprobe();
	flush_work(&plant_work); /* of a call that was seen just before */
	if (planted != 1)
		return;
	mutex_lock(&queue->mutex);
	queue->free_thread_count -= add;
	queue->sys_thread_req_count -= sessions;
	pr_info("%d of %d threads free again\n", queue->free_thread_count,
		queue->total_thread_count);
	mutex_unlock(&queue->mutex);
}

module_init(miscount_init);
module_exit(miscount_exit);
MODULE_DESCRIPTION("A wrong count of threads in the OP-TEE driver, for the tests of optee-top");
MODULE_LICENSE("GPL");
