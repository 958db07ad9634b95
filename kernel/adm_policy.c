// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which policy is attached, and the ways to leave one. There is one policy for all devices.
 *
 * adm.lock is taken before a queue's mutex. A link is detached with neither, as that comes
 * back to adm_unreg(): so an ejection leaves the policy at once, under the queue's mutex, and
 * its link later, in a work item.
 *
 * A policy that takes its time holds both. So the administrator's switch and the file in
 * debugfs need neither: adm.facts is a spinlock of a few lines each, and adm.list, the innermost
 * mutex, is not held while anything is waited for but a queue's mutex, and that not for long.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/delay.h>
#include <linux/moduleparam.h>
#include "adm.h"

static struct {
	struct mutex lock; /* of all below */
	const struct optee_admission_ops *ops;
	struct bpf_link *link;
	struct work_struct teardown;

	struct mutex list; /* of queues, which changes under both */
	struct list_head queues;

	spinlock_t facts;           /* of all below */
	struct optee_adm_exit exit; /* who first gives a reason starts teardown */
	struct adm_view view;
} adm = {
	.lock = __MUTEX_INITIALIZER(adm.lock),
	.list = __MUTEX_INITIALIZER(adm.list),
	.queues = LIST_HEAD_INIT(adm.queues),
	.facts = __SPIN_LOCK_UNLOCKED(adm.facts),
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

	spin_lock(&adm.facts);
	is_first = adm.exit.reason == OPTEE_ADM_ATTACHED;
	if (is_first)
		adm.exit = exit;
	spin_unlock(&adm.facts);
	return is_first;
}

static struct optee_adm_exit why(void)
{
	struct optee_adm_exit exit;

	spin_lock(&adm.facts);
	exit = adm.exit;
	spin_unlock(&adm.facts);
	return exit;
}

static bool is_off(void)
{
	return READ_ONCE(adm.view.off);
}

/* It is decided, here or elsewhere; what is left to be done waits for a mutex. */
bool adm_is_left(void)
{
	return READ_ONCE(adm.exit.reason) != OPTEE_ADM_ATTACHED;
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

/* Under the queue's mutex, before the policy is asked. True: it is left, by now here, too. */
bool adm_leave_here(struct optee_adm_queue *q)
{
	struct optee_adm_exit exit;

	if (likely(!adm_is_left()))
		return false;
	exit = why();
	adm_end(q, &exit);
	return true;
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
	if (adm.ops && adm_is_left()) {
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

/* Under adm.facts: what there is to be seen of it. */
static void introduce(const struct optee_admission_ops *ops)
{
	memcpy(adm.view.name, ops->name, sizeof(adm.view.name));
	adm.view.timeout_ms = ops->timeout_ms ?: OPTEE_ADM_TIMEOUT_MS;
	adm.view.attached++;
}

/* It is attached from now on, unless the switch was thrown meanwhile. */
static int publish(const struct optee_admission_ops *ops)
{
	int err = 0;

	spin_lock(&adm.facts);
	if (adm.view.off) {
		err = -ECANCELED;
	} else {
		adm.exit = (struct optee_adm_exit){};
		introduce(ops);
	}
	spin_unlock(&adm.facts);
	return err;
}

static void finish(const struct optee_admission_ops *ops, struct optee_adm_exit exit)
{
	spin_lock(&adm.facts);
	adm.view.left.exit = exit;
	memcpy(adm.view.left.name, ops->name, sizeof(adm.view.left.name));
	adm.view.ejected += exit.reason > OPTEE_ADM_SWAPPED;
	spin_unlock(&adm.facts);
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
	err = is_off() ? -ECANCELED : adm.ops ? -EBUSY : list_empty(&adm.queues) ? -ENODEV : 0;
	if (!err)
		err = start(ops);
	if (!err) {
		err = publish(ops);
		if (err && ops->exit)
			ops->exit(&(struct optee_adm_exit){ .reason = OPTEE_ADM_OFF });
	}
	if (!err) {
		adm.ops = ops;
		adm.link = link;
		list_for_each_entry (q, &adm.queues, queues) {
			mutex_lock(&adm_cq(q)->mutex);
			/* the policy may be ejected by what it says in the first queue */
			if (!adm_is_left())
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
		if (exit.reason > OPTEE_ADM_SWAPPED)
			pr_notice(
				"admission policy '%s' ejected: %s (answer %d, call %llu, waited %llu ms)\n",
				adm.ops->name, adm_reason_text(exit.reason), exit.error, exit.seq,
				div_u64(exit.wait_ns, NSEC_PER_MSEC));
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
	err = adm.ops != old_kdata || adm_is_left() ? -ENOENT : start(ops);
	if (!err && adm_is_left()) { /* meanwhile */
		if (ops->exit)
			ops->exit(&(struct optee_adm_exit){ .reason = OPTEE_ADM_DETACHED });
		err = -ENOENT;
	}
	if (!err) {
		spin_lock(&adm.facts);
		introduce(ops);
		spin_unlock(&adm.facts);
		list_for_each_entry (q, &adm.queues, queues) {
			mutex_lock(&adm_cq(q)->mutex);
			if (q->ops)
				adm_swap(q, ops);
			mutex_unlock(&adm_cq(q)->mutex);
		}
		adm.ops = ops;
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
	mutex_lock(&adm.list);
	list_add_tail(&q->queues, &adm.queues);
	mutex_unlock(&adm.list);
	mutex_lock(&cq->mutex);
	if (adm.ops && !adm_is_left())
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
	mutex_lock(&adm.list);
	list_del(&q->queues);
	mutex_unlock(&adm.list);
	if (adm.ops && list_empty(&adm.queues) &&
	    decide((struct optee_adm_exit){ .reason = OPTEE_ADM_GONE }))
		schedule_work(&adm.teardown);
	mutex_unlock(&adm.lock);
	cancel_delayed_work_sync(&q->tick);
	adm_ids_free(q);
}

/*
 * The administrator's switch. Nobody is waited for: what the policy is doing it does to the end,
 * which is bounded, and is not asked again. The queues and the link are left to teardown.
 */
static int set_off(const char *text, const struct kernel_param *param)
{
	bool off, leaves;
	int err = kstrtobool(text, &off);

	if (err)
		return err;
	spin_lock(&adm.facts);
	adm.view.off = off;
	leaves = off && adm.view.name[0] && adm.exit.reason == OPTEE_ADM_ATTACHED;
	if (leaves)
		adm.exit.reason = OPTEE_ADM_OFF;
	spin_unlock(&adm.facts);
	if (leaves)
		schedule_work(&adm.teardown);
	return 0;
}

static int get_off(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", is_off());
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
	spin_lock(&adm.facts);
	*view = adm.view;
	if (adm.exit.reason != OPTEE_ADM_ATTACHED)
		view->name[0] = 0;
	spin_unlock(&adm.facts);
}

/* Does it become free soon? A policy that takes its time may hold it for long. */
static bool lock_soon(struct mutex *mutex)
{
	for (int ms = 0; ms < ADM_SHOW_MS; ms++) {
		if (mutex_trylock(mutex))
			return true;
		usleep_range(500, 1000);
	}
	return false;
}

void adm_each_queue(void (*fn)(struct optee_adm_queue *q, bool locked, void *arg), void *arg)
{
	struct optee_adm_queue *q;

	mutex_lock(&adm.list);
	list_for_each_entry (q, &adm.queues, queues) {
		struct mutex *mutex = &adm_cq(q)->mutex;
		bool locked = lock_soon(mutex);

		fn(q, locked, arg);
		if (locked)
			mutex_unlock(mutex);
	}
	mutex_unlock(&adm.list);
}
