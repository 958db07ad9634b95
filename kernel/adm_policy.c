// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which policy is attached, and the ways to leave one. There is one policy for all devices.
 *
 * adm.lock is taken before a queue's mutex. A link is detached with neither, as that comes
 * back to adm_unreg(): so an ejection leaves the policy at once, under the queue's mutex, and
 * its link later, in a work item.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/moduleparam.h>
#include "adm.h"

static struct {
	struct mutex lock; /* of all below, but exit */
	struct list_head queues;
	const struct optee_admission_ops *ops;
	struct bpf_link *link;
	struct work_struct teardown;
	struct adm_view view; /* of what was */

	spinlock_t why;             /* of exit */
	struct optee_adm_exit exit; /* who first gives a reason starts teardown */
} adm = {
	.why = __SPIN_LOCK_UNLOCKED(adm.why),
	.lock = __MUTEX_INITIALIZER(adm.lock),
	.queues = LIST_HEAD_INIT(adm.queues),
};

static const char *const reasons[OPTEE_ADM_REASONS] = OPTEE_ADM_REASON_TEXTS;

const char *adm_reason_text(u32 reason)
{
	return reason < OPTEE_ADM_REASONS ? reasons[reason] : "?";
}

/* The first reason wins. True: this is it. */
static bool decide(struct optee_adm_exit exit)
{
	bool is_first;

	spin_lock(&adm.why);
	is_first = adm.exit.reason == OPTEE_ADM_ATTACHED;
	if (is_first)
		adm.exit = exit;
	spin_unlock(&adm.why);
	return is_first;
}

static struct optee_adm_exit why(void)
{
	struct optee_adm_exit exit;

	spin_lock(&adm.why);
	exit = adm.exit;
	spin_unlock(&adm.why);
	return exit;
}

static bool is_left(void)
{
	return why().reason != OPTEE_ADM_ATTACHED;
}

/* Under the queue's mutex: leave the policy at once, here; elsewhere soon. */
void adm_eject(struct optee_adm_queue *q, enum optee_adm_reason reason, s32 error,
	       const struct optee_adm_waiter *a)
{
	struct optee_adm_exit exit = {
		.reason = reason,
		.error = error,
		.seq = a ? a->call.seq : 0,
		.wait_ns = a && reason == OPTEE_ADM_STALLED ? a->call.wait_ns : 0,
	};

	if (decide(exit))
		schedule_work(&adm.teardown);
	adm_end(q, &exit);
}

static void end_everywhere(void)
{
	struct optee_adm_exit exit = why();
	struct optee_adm_queue *q;

	list_for_each_entry (q, &adm.queues, queues) {
		mutex_lock(&adm_cq(q)->mutex);
		if (q->ops)
			adm_end(q, &exit);
		mutex_unlock(&adm_cq(q)->mutex);
	}
}

/* After an ejection: the queues that did not eject it, and the link. */
static void teardown(struct work_struct *work)
{
	struct bpf_link *link = NULL;

	mutex_lock(&adm.lock);
	if (adm.ops && is_left()) {
		end_everywhere();
		link = adm.link;
		if (link && IS_ERR(bpf_link_inc_not_zero(link)))
			link = NULL; /* it is being closed, and calls adm_unreg() itself */
	}
	mutex_unlock(&adm.lock);
	if (!link)
		return;
	link->ops->detach(link);
	bpf_link_put(link);
}

static int start(const struct optee_admission_ops *ops)
{
	s32 err = ops->init ? ops->init() : 0;

	return err > 0 || err < -MAX_ERRNO ? -EINVAL : err;
}

static void finish(const struct optee_admission_ops *ops, struct optee_adm_exit exit)
{
	adm.view.left.exit = exit;
	memcpy(adm.view.left.name, ops->name, sizeof(adm.view.left.name));
	if (ops->exit)
		ops->exit(&exit);
}

int adm_reg(void *kdata, struct bpf_link *link)
{
	const struct optee_admission_ops *ops = kdata;
	struct optee_adm_queue *q;
	int err;

	if (!link)
		return -EOPNOTSUPP; /* nothing would end it */
	mutex_lock(&adm.lock);
	err = adm.view.off ? -ECANCELED : adm.ops ? -EBUSY : list_empty(&adm.queues) ? -ENODEV : 0;
	if (!err)
		err = start(ops);
	if (!err) {
		adm.ops = ops;
		adm.link = link;
		adm.view.attached++;
		adm.exit = (struct optee_adm_exit){}; /* nobody else looks at it now */
		list_for_each_entry (q, &adm.queues, queues) {
			mutex_lock(&adm_cq(q)->mutex);
			/* the policy may be ejected by what it says in the first queue */
			if (!is_left())
				adm_begin(q, ops);
			mutex_unlock(&adm_cq(q)->mutex);
		}
	}
	mutex_unlock(&adm.lock);
	return err;
}

void adm_unreg(void *kdata, struct bpf_link *link)
{
	struct optee_adm_exit exit;

	mutex_lock(&adm.lock);
	if (adm.ops == kdata) {
		decide((struct optee_adm_exit){ .reason = OPTEE_ADM_DETACHED });
		end_everywhere();
		exit = why();
		finish(adm.ops, exit);
		if (exit.reason > OPTEE_ADM_SWAPPED) {
			adm.view.ejected++;
			pr_notice(
				"admission policy '%s' ejected: %s (answer %d, call %llu, waited %llu ms)\n",
				adm.ops->name, adm_reason_text(exit.reason), exit.error, exit.seq,
				div_u64(exit.wait_ns, NSEC_PER_MSEC));
		}
		adm.ops = NULL;
		adm.link = NULL;
	}
	mutex_unlock(&adm.lock);
}

int adm_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	const struct optee_admission_ops *ops = kdata;
	struct optee_adm_queue *q;
	int err;

	mutex_lock(&adm.lock);
	/* An ejected one has left no place to take. */
	err = adm.ops != old_kdata || is_left() ? -ENOENT : start(ops);
	if (!err && is_left()) { /* meanwhile */
		if (ops->exit)
			ops->exit(&(struct optee_adm_exit){ .reason = OPTEE_ADM_DETACHED });
		err = -ENOENT;
	}
	if (!err) {
		list_for_each_entry (q, &adm.queues, queues) {
			mutex_lock(&adm_cq(q)->mutex);
			if (q->ops)
				adm_swap(q, ops);
			mutex_unlock(&adm_cq(q)->mutex);
		}
		adm.ops = ops;
		adm.view.attached++;
		finish(old_kdata, (struct optee_adm_exit){ .reason = OPTEE_ADM_SWAPPED });
	}
	mutex_unlock(&adm.lock);
	return err;
}

/* A device comes: its queue has nobody in it yet. */
void optee_adm_init(struct optee_call_queue *cq)
{
	struct optee_adm_queue *q = &cq->adm;

	INIT_LIST_HEAD(&q->waiting);
	INIT_LIST_HEAD(&q->busy);
	adm_watch_init(q);
	mutex_lock(&adm.lock);
	list_add_tail(&q->queues, &adm.queues);
	mutex_lock(&cq->mutex);
	if (adm.ops && !is_left())
		adm_begin(q, adm.ops);
	mutex_unlock(&cq->mutex);
	mutex_unlock(&adm.lock);
}

/* A device has left, and nobody is in its queue any more. */
void optee_adm_uninit(struct optee_call_queue *cq)
{
	struct optee_adm_queue *q = &cq->adm;

	mutex_lock(&adm.lock);
	mutex_lock(&cq->mutex);
	if (q->ops)
		adm_end(q, &(struct optee_adm_exit){ .reason = OPTEE_ADM_GONE });
	mutex_unlock(&cq->mutex);
	list_del(&q->queues);
	if (adm.ops && list_empty(&adm.queues) &&
	    decide((struct optee_adm_exit){ .reason = OPTEE_ADM_GONE }))
		schedule_work(&adm.teardown);
	mutex_unlock(&adm.lock);
	cancel_delayed_work_sync(&q->tick);
	adm_ids_free(q);
}

/* The administrator's switch. */
static int set_off(const char *text, const struct kernel_param *param)
{
	bool off;
	int err = kstrtobool(text, &off);

	if (err)
		return err;
	mutex_lock(&adm.lock);
	adm.view.off = off;
	if (off && adm.ops && decide((struct optee_adm_exit){ .reason = OPTEE_ADM_OFF })) {
		end_everywhere();
		schedule_work(&adm.teardown);
	}
	mutex_unlock(&adm.lock);
	return 0;
}

static int get_off(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", adm.view.off);
}

static const struct kernel_param_ops off_ops = { .set = set_off, .get = get_off };
module_param_cb(admission_off, &off_ops, NULL, 0644);
MODULE_PARM_DESC(admission_off, "1: leave the admission policy, and take no other");

void adm_policy_init(void)
{
	INIT_WORK(&adm.teardown, teardown);
}

/* While a link or a policy's map lives the module cannot be unloaded: only the work is left. */
void adm_policy_exit(void)
{
	flush_work(&adm.teardown);
}

void adm_view(struct adm_view *view)
{
	mutex_lock(&adm.lock);
	*view = adm.view;
	view->name[0] = 0;
	if (adm.ops && !is_left()) {
		memcpy(view->name, adm.ops->name, sizeof(view->name));
		view->timeout_ms = adm.ops->timeout_ms ?: OPTEE_ADM_TIMEOUT_MS;
	}
	mutex_unlock(&adm.lock);
}

void adm_each_queue(void (*fn)(struct optee_adm_queue *q, void *arg), void *arg)
{
	struct optee_adm_queue *q;

	mutex_lock(&adm.lock);
	list_for_each_entry (q, &adm.queues, queues) {
		mutex_lock(&adm_cq(q)->mutex);
		fn(q, arg);
		mutex_unlock(&adm_cq(q)->mutex);
	}
	mutex_unlock(&adm.lock);
}
