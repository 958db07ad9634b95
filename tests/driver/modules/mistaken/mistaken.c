// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes one mistake as it is loaded, for a kernel that looks for mistakes to report: it
 * shows that the kernel's silence in other tests means something. Loading it fails.
 */
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "the name of a mistake");

/* Takes a mutex, for which it may have to sleep, with a spinlock held. */
static void sleeps(void)
{
	static DEFINE_SPINLOCK(lock);
	static DEFINE_MUTEX(mutex);

	spin_lock(&lock);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	spin_unlock(&lock);
}

/* Reads what it has freed. */
static void reads_freed(void)
{
	int *mine = kmalloc(sizeof(*mine), GFP_KERNEL);

	if (!mine)
		return;
	*mine = 1;
	kfree(mine);
	pr_info("read %d\n", READ_ONCE(*mine));
}

/* Adds to a list what is in it. */
static void adds_twice(void)
{
	static LIST_HEAD(list);
	static LIST_HEAD(node);

	list_add(&node, &list);
	list_add(&node, &list);
}

/* Takes two mutexes in one order, then in the other. */
static void orders(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
}

/* Waits, in a state in which a task is counted as hung, for longer than the guest allows. */
static void hangs(void)
{
	static DECLARE_COMPLETION(never);

	wait_for_completion_timeout(&never, 12 * HZ);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "sleeps", sleeps },         { "orders", orders }, { "reads_freed", reads_freed },
	{ "adds_twice", adds_twice }, { "hangs", hangs },
};

static int __init mistaken_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(what, mistakes[i].name))
			continue;
		mistakes[i].make();
		return -EAGAIN;
	}
	return -EINVAL;
}
module_init(mistaken_init);

MODULE_DESCRIPTION("A mistake for the kernel to report");
MODULE_LICENSE("GPL");
