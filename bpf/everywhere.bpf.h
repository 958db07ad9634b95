/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for what was there before us, from within a pid namespace: the kernel's iterators
 * walk the tasks of our own namespace only, so we walk the kernel's list of all. An iterator runs
 * the walk for the sake of RCU, under which no task of that list goes away.
 */
#ifndef OPTEE_TOP_EVERYWHERE_BPF_H
#define OPTEE_TOP_EVERYWHERE_BPF_H

#define MAX_ANCESTORS 4096
#define MAX_STEPS     (1 << 22) /* files, and threads */

struct everywhere {
	struct walk processes; /* along init_task.tasks */
	struct walk threads;   /* of one of them */
	u64 root, task, fds;
	u32 fd, nr_fds;
};

/* To the end. The value gives it the same place in each object: src/ knows only one. */
bool searched_everywhere = false;

/* Where the search is. Not on the stack: the chain of calls below it needs all of that. */
static struct everywhere everywhere __attribute__((used)); /* else clang takes it apart */

/* The swapper is its own parent, and everybody's ancestor. */
static long ancestor_found(u32 i, void *data)
{
	struct everywhere *e = &everywhere;
	struct task_struct *task = (void *)e->root;
	u64 parent = (u64)BPF_CORE_READ(task, real_parent);

	if (!parent || parent == e->root)
		return 1;
	e->root = parent;
	return 0;
}

/* False: that was the last one. */
static __always_inline bool next_process(struct everywhere *e)
{
	if (walk_done(&e->processes))
		return false;
	e->task = (u64)entry_of(e->processes.node, struct task_struct, tasks);
	walk_on(&e->processes);
	return true;
}

/* One loop, not one in another: the verifier allows eight functions on the stack. */
static long everywhere_file(u32 i, void *data)
{
	struct everywhere *e = &everywhere;
	struct task_struct *task;
	struct fdtable *table;
	u64 file;

	if (e->fd < e->nr_fds) {
		file = word_at(e->fds + e->fd++ * WORD_BYTES);
		if (file)
			sessions_of_file((void *)e->task, (void *)file);
		return 0;
	}
	if (!next_process(e))
		return 1;
	task = (void *)e->task;
	table = BPF_CORE_READ(task, files, fdt);
	e->fds = (u64)BPF_CORE_READ(table, fd);
	e->nr_fds = BPF_CORE_READ(table, max_fds);
	e->fd = 0;
	return 0;
}

static long everywhere_thread(u32 i, void *data)
{
	struct everywhere *e = &everywhere;
	struct task_struct *task;

	if (!walk_done(&e->threads)) {
		calls_of_task(entry_of(e->threads.node, struct task_struct, thread_node));
		walk_on(&e->threads);
		return 0;
	}
	if (!next_process(e))
		return 1;
	task = (void *)e->task;
	walk_list(&e->threads, (u64)BPF_CORE_READ(task, signal) +
				       bpf_core_field_offset(struct signal_struct, thread_head));
	return 0;
}

SEC_TYPED("iter/task")
int find_everywhere(u64 *it)
{
	struct task_struct *here = (void *)it[ITER_TASK];
	struct everywhere *e = &everywhere;

	if (searched_everywhere || !here || !address_of(here))
		return 0;
	e->root = bpf_get_current_task();
	bpf_loop(MAX_ANCESTORS, ancestor_found, NULL, 0);
	/* Sessions first: they tell which devices there are. */
	walk_list(&e->processes, e->root + bpf_core_field_offset(struct task_struct, tasks));
	bpf_loop(MAX_STEPS, everywhere_file, NULL, 0);
	if (!walk_done(&e->processes))
		return 0;
	walk_list(&e->processes, e->root + bpf_core_field_offset(struct task_struct, tasks));
	bpf_loop(MAX_STEPS, everywhere_thread, NULL, 0);
	searched_everywhere = walk_done(&e->processes);
	return 0;
}

#endif
