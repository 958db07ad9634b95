// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads the BPF object and attaches the programs that hooks.c has picked. All
 * hooks of a call but its first are attached before that one, so that a call
 * that is seen to begin is followed to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "model/condition_table.h"
#include "optee_admission.h"
#include "probe/attach.h"
#include "probe/attach_shadow.h"
#include "probe/bpf_object.h"
#include "probe/firing.h"
#include "probe/hooks.h"
#include "probe/obstacles.h"
#include "probe/past.h"
#include "probes.skel.h"

/* libbpf's own messages are for its developers: the last warning is kept for our one line. */
static char libbpf_says[256];

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[sizeof(libbpf_says)];

	if (getenv("OPTEE_TOP_DEBUG"))
		return vfprintf(stderr, fmt, args);
	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (!libbpf_says[0])
		snprintf(libbpf_says, sizeof(libbpf_says), "%s", line);
	return 0;
}

/* As sysfs has it, of a device that is there; for a process that has no /proc. */
static unsigned int tee_major_in_sysfs(void)
{
	unsigned int major = 0;
	char path[64];

	for (int tee = 0; !major && tee < MAX_POOLS; tee++) {
		FILE *f;

		snprintf(path, sizeof(path), "/sys/class/tee/tee%d/dev", tee);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%u:", &major) != 1)
			major = 0;
		fclose(f);
	}
	return major;
}

/* The device number of /dev/tee*, as /proc/devices has it; 0: no TEE driver. */
static unsigned int tee_major(void)
{
	FILE *f = fopen("/proc/devices", "re");
	unsigned int major, found = 0;
	char line[128], name[64];

	if (!f)
		return tee_major_in_sysfs();
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%u %63s", &major, name) == 2 && !strcmp(name, "tee"))
			found = major;
	fclose(f);
	return found;
}

static bool chosen(const char *const prog[NR_HOOKS], const char *name)
{
	for (int h = 0; h < NR_HOOKS; h++)
		if (prog[h] && !strcmp(prog[h], name))
			return true;
	return false;
}

static bool is_hook(const struct bpf_program *prog)
{
	enum bpf_prog_type type = bpf_program__type(prog);

	return type == BPF_PROG_TYPE_KPROBE || type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
	       (type == BPF_PROG_TYPE_TRACING &&
		bpf_program__expected_attach_type(prog) != BPF_TRACE_ITER);
}

/*
 * The programs walk lists with bpf_loop(). A kernel that has it has the rest, too: atomic
 * operations that return a value, programs that are called (BPF_PROG_TYPE_SYSCALL), and the
 * driver's trace events.
 */
static enum status check_age(void)
{
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_loop, NULL))
		return STATUS_OK; /* or not known: then loading tells */
	return fail(STATUS_KERNEL,
		    "cannot follow calls: this kernel's BPF has no bpf_loop(), which came "
		    "with Linux 5.17; boot a newer kernel");
}

static bool kernel_without_btf(void)
{
	return access("/sys/kernel/btf/vmlinux", F_OK) != 0;
}

/* Says what is wrong with the types that the programs are fitted to, before libbpf stumbles. */
static enum status check_btf(const struct attach_opts *opts)
{
	struct btf *btf;
	int err;

	if (opts->btf) {
		btf = btf__parse(opts->btf, NULL);
		err = libbpf_get_error(btf);
		if (err)
			return fail(STATUS_FAILURE,
				    "cannot read '--btf %s': %s; make it with 'pahole "
				    "--btf_encode_detached' from an optee.ko with debug information",
				    opts->btf,
				    err <= -__LIBBPF_ERRNO__START || err == -EINVAL ||
						    err == -EPROTO || err == -ENODATA ?
					    "this is not BTF" :
					    strerror(-err));
		btf__free(btf);
		return STATUS_OK;
	}
	if (kernel_without_btf())
		return fail(STATUS_KERNEL,
			    "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); give that of "
			    "kernel and driver, which 'make min-btf' makes, with --btf FILE");
	if (!access("/sys/module/optee/sections", F_OK) && access("/sys/kernel/btf/optee", F_OK))
		return fail(
			STATUS_KERNEL,
			"the optee module has no BTF (CONFIG_DEBUG_INFO_BTF_MODULES, or "
			"it was built for another kernel); give that of kernel and driver with --btf FILE");
	return STATUS_OK;
}

/* Without CAP_SYS_ADMIN libbpf goes on without the driver's BTF, and stumbles later. */
static bool may_not_read_driver(void)
{
	__u32 id;

	return !access("/sys/kernel/btf/optee", F_OK) && bpf_btf_get_next_id(0, &id) == -EPERM;
}

static enum status open_shadows(struct probes *p, const struct attach_opts *opts)
{
	if (!opts->nr_shadows)
		return STATUS_OK;
	if (p->bare)
		return fail(STATUS_KERNEL,
			    "cannot ask policies in the shadow: this kernel has no BTF of its own "
			    "(CONFIG_DEBUG_INFO_BTF), which that needs");
	p->shadow_set = calloc(1, sizeof(*p->shadow_set));
	if (!p->shadow_set)
		return fail(STATUS_FAILURE, "cannot attach: out of memory");
	p->nr_shadows = opts->nr_shadows;
	return shadows_open(p->shadow_set, opts->shadows, opts->nr_shadows);
}

static void set_shadows(struct probes *p)
{
	struct probes_bpf *skel = p->skel;

	bpf_map__set_autocreate(skel->maps.shadow_state, p->nr_shadows);
	bpf_map__set_autocreate(skel->maps.shadow_rows, p->nr_shadows);
	skel->rodata->nr_shadows = p->nr_shadows;
	for (u32 n = 0; n < p->nr_shadows; n++) {
		skel->rodata->shadow_callbacks[n] = p->shadow_set->callbacks[n];
		skel->rodata->shadow_stateless[n] = p->shadow_set->objects[n].flags &
						    OPTEE_ADM_STATELESS;
	}
}

/* Before the first call is seen. */
static enum status attach_shadows(struct probes *p, const char *const prog[NR_HOOKS])
{
	static const int askers[NR_ASKERS] = { [ASKER_WAIT] = HOOK_WAIT,
					       [ASKER_ENTER] = HOOK_ENTER,
					       [ASKER_FFA_ENTER] = HOOK_FFA_ENTER,
					       [ASKER_END] = HOOK_END,
					       [ASKER_RESERVE] = HOOK_RESERVE };
	struct pool_policy rows[MAX_SHADOWS] = {};
	int fds[NR_ASKERS];

	if (!p->nr_shadows)
		return STATUS_OK;
	for (u32 n = 0; n < p->nr_shadows; n++)
		memcpy(rows[n].name, p->shadow_set->objects[n].name, sizeof(rows[n].name));
	for (u32 pool = 0; pool < MAX_POOLS; pool++)
		if (bpf_map__update_elem(p->skel->maps.shadow_rows, &pool, sizeof(pool), rows,
					 sizeof(rows), BPF_ANY))
			return fail(STATUS_FAILURE, "cannot map the counters: %s", strerror(errno));
	for (int i = 0; i < NR_ASKERS; i++) {
		const char *name = prog[askers[i]];

		fds[i] = name ? bpf_program__fd(
					bpf_object__find_program_by_name(p->skel->obj, name)) :
				-1;
	}
	return shadows_attach(p->shadow_set, p->skel->obj, fds);
}

#define PRIVILEGES                                                                                 \
	"run as root, or with CAP_BPF, CAP_PERFMON and, for a modular driver, CAP_SYS_ADMIN"

/* A kernel that is locked down refuses root, too. */
static bool is_locked_down(void)
{
	return lockdown_read() == LOCKDOWN_CONFIDENTIALITY;
}

static enum status load(struct probes *p, const struct attach_opts *opts,
			const char *const prog[NR_HOOKS])
{
	LIBBPF_OPTS(bpf_object_open_opts, open, .btf_custom_path = opts->btf,
		    .kernel_log_level =
			    getenv("OPTEE_TOP_DEBUG") ? 4 : 0); /* the verifier's statistics */
	struct bpf_program *each;
	char why[512];
	int err;

	libbpf_says[0] = '\0';
	bpf_object_choose(p->bare);
	p->skel = probes_bpf__open_opts(&open);
	if (!p->skel)
		return fail(STATUS_FAILURE, "cannot open the BPF programs: %s", strerror(errno));
	p->sees_wakes = p->knows_rule && !hooks_end_by(p, "optee_cq_wait_final");
	p->skel->rodata->knows_rule = p->knows_rule;
	p->skel->rodata->sees_wakes = p->sees_wakes;
	p->skel->rodata->sees_reserve_end = hooks_end_by(p, "optee_cq_complete_one");
	p->skel->rodata->tee_major = tee_major();
	p->skel->rodata->follows_smc = p->abis.smc;
	p->skel->rodata->follows_ffa = p->abis.ffa;
	p->skel->rodata->smc_function = p->smc_function;
	p->skel->rodata->ffa_function = p->ffa_function;
	p->skel->rodata->get_argument = p->get_argument;
	p->skel->rodata->free_argument = p->free_argument;
	p->skel->rodata->page_bytes = (u64)sysconf(_SC_PAGESIZE);
	p->skel->rodata->foreign_btf = opts->btf != NULL;
	p->skel->bss->unsettled = true;
	p->skel->rodata->what_if_reserved = opts->reserved;
	p->skel->rodata->starved_ns = opts->starved_ns;
	p->skel->rodata->record_calls = opts->calls;
	p->skel->data_wanted->records_wanted = !opts->on_demand;
	bpf_map__set_autocreate(p->skel->maps.records, opts->calls);
	set_shadows(p);
	for (int cond = 0; cond < NR_COUNTED_CONDS; cond++)
		p->skel->rodata->report_ns[cond] = condition_table[cond].report_ns;
	bpf_object__for_each_program (each, p->skel->obj)
		if (is_hook(each))
			bpf_program__set_autoload(each, chosen(prog, bpf_program__name(each)));
	past_choose(p);
	err = probes_bpf__load(p->skel);
	if (!err)
		return STATUS_OK;
	if ((err == -EPERM && !is_locked_down()) || may_not_read_driver())
		return fail(STATUS_PRIVILEGE, "cannot load the BPF programs: %s; " PRIVILEGES,
			    strerror(EPERM));
	if (opts->btf)
		return fail(STATUS_KERNEL,
			    "cannot use '--btf %s': %s; it must be the BTF of this very "
			    "kernel and of its optee driver",
			    opts->btf, libbpf_says[0] ? libbpf_says : strerror(-err));
	return fail(STATUS_KERNEL, "cannot load the BPF programs: %s",
		    obstacle(why, sizeof(why), libbpf_says[0] ? libbpf_says : strerror(-err)));
}

static int dup_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static struct bpf_link *attach_hook(const struct hook_state *h, struct bpf_program *prog)
{
	struct bpf_link *link;
	int event;

	if (!is_kprobe(h->mech))
		return bpf_program__attach(prog);
	event = kprobe_open(h->mech, h->target); /* libbpf would want CPU 0, which may be offline */
	if (event < 0) {
		errno = -event;
		return NULL;
	}
	link = bpf_program__attach_perf_event(prog, event);
	if (!link)
		close(event);
	return link;
}

static enum status attach(struct probes *p, const char *const prog[NR_HOOKS])
{
	for (int h = 0; h < NR_HOOKS; h++) {
		struct bpf_program *each;
		char why[512];
		int err;

		if (!prog[h])
			continue;
		each = bpf_object__find_program_by_name(p->skel->obj, prog[h]);
		p->links[h] = attach_hook(&p->hooks[h], each);
		err = errno;
		if (!p->links[h] && hook_is_optional(h))
			continue;
		/* EACCES is perf_event_open()'s word for it. */
		if (!p->links[h] && (err == EPERM || err == EACCES) && !is_locked_down())
			return fail(STATUS_PRIVILEGE,
				    "cannot attach to '%s' by %s: %s; " PRIVILEGES,
				    p->hooks[h].target, mechanism_name(p->hooks[h].mech),
				    strerror(err));
		if (!p->links[h])
			return fail(STATUS_KERNEL, "cannot attach to '%s' by %s: %s",
				    p->hooks[h].target, mechanism_name(p->hooks[h].mech),
				    obstacle(why, sizeof(why), strerror(err)));
		p->hooks[h].attached = true;
		p->prog_fds[h] = dup_fd(bpf_program__fd(each));
	}
	p->sees_contention = p->links[HOOK_CONTENDED] && p->links[HOOK_CONTENDED_END];
	if (!p->sees_contention) /* one without the other would begin waits that never end */
		for (int h = HOOK_CONTENDED; h <= HOOK_CONTENDED_END; h++) {
			bpf_link__destroy(p->links[h]);
			p->links[h] = NULL;
			p->hooks[h].attached = false;
		}
	p->sees_scmi = p->links[HOOK_SCMI_BEGIN] && p->links[HOOK_SCMI_END];
	p->sees_requests = p->links[HOOK_REQUEST] && p->links[HOOK_SUPPLICANT];
	return STATUS_OK;
}

/* A map's memory. NULL: it cannot be mapped. */
static void *map_memory(struct probes *p, int place, const struct bpf_map *map, size_t size,
			int access)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mem;

	size = (size + page - 1) / page * page;
	mem = mmap(NULL, size, access, MAP_SHARED, bpf_map__fd(map), 0);
	if (mem == MAP_FAILED)
		return NULL;
	p->maps[place] = mem;
	p->map_sizes[place] = size;
	return mem;
}

/*
 * Takes what is needed from now on, and lets the BPF object go: libbpf keeps a
 * copy of every program in it, over a megabyte.
 */
static enum status keep(struct probes *p)
{
	const struct probes_bpf *skel = p->skel;
	size_t offset = (size_t)((const char *)&skel->bss->shared - (const char *)skel->bss);
	const char *bss = map_memory(p, 0, skel->maps.bss, bpf_map__value_size(skel->maps.bss),
				     PROT_READ);
	bool calls = bpf_map__autocreate(skel->maps.records);

	p->rows = map_memory(p, 1, skel->maps.sessions, SESSION_SLOTS * sizeof(*p->rows),
			     PROT_READ);
	if (p->nr_shadows)
		p->shadows = map_memory(p, 3, skel->maps.shadow_rows,
					MAX_POOLS * sizeof(*p->shadows), PROT_READ);
	if (calls)
		p->records_wanted = map_memory(p, 2, skel->maps.data_wanted,
					       sizeof(*p->records_wanted), PROT_READ | PROT_WRITE);
	if (!bss || !p->rows || (calls && !p->records_wanted) || (p->nr_shadows && !p->shadows))
		return fail(STATUS_FAILURE, "cannot map the counters: %s", strerror(errno));
	p->shared = (const struct shared *)(bss + offset);
	p->inspect_fd = dup_fd(bpf_program__fd(skel->progs.inspect));
	p->look_sight_fd = dup_fd(bpf_program__fd(skel->progs.look_sight));
	p->look_contexts_fd = dup_fd(bpf_program__fd(skel->progs.look_contexts));
	p->ended_fd = dup_fd(bpf_map__fd(skel->maps.ended_episodes));
	if (calls)
		p->records_fd = dup_fd(bpf_map__fd(skel->maps.records));
	p->starved_ns = skel->rodata->starved_ns;
	probes_bpf__destroy(p->skel);
	bpf_object_drop();
	p->skel = NULL;
	return STATUS_OK;
}

/* Below this, and so many more for each policy in the shadow, there may be too few of them. */
#define FILES_LEAST    64
#define FILES_A_SHADOW 16
#define FILES_USUAL    1024

/* How many files may be open: as many as are usual, where the shell gave us fewer. */
static enum status raise_files(const struct attach_opts *opts)
{
	rlim_t least = FILES_LEAST + FILES_A_SHADOW * (rlim_t)opts->nr_shadows;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return STATUS_OK;
	if (files.rlim_cur < FILES_USUAL) {
		files.rlim_cur = files.rlim_max < FILES_USUAL ? files.rlim_max : FILES_USUAL;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur >= least)
		return STATUS_OK;
	return fail(STATUS_FAILURE,
		    "cannot attach: the hard limit of open files is %llu, and %llu are needed; "
		    "raise it with ulimit -n",
		    (unsigned long long)files.rlim_cur, (unsigned long long)least);
}

enum status probes_attach(struct probes *p, const struct attach_opts *opts)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	const char *prog[NR_HOOKS];
	struct hook_state tried[NR_HOOKS];
	struct timespec start, end;
	enum status status;

	*p = (struct probes){ .inspect_fd = -1,
			      .look_sight_fd = -1,
			      .look_contexts_fd = -1,
			      .ended_fd = -1,
			      .records_fd = -1,
			      .switches = { -1, -1 },
			      .bare = kernel_without_btf(),
			      .everywhere = pid_namespace_of("self") == PID_NAMESPACE_OTHER };
	p->knows_tasks = !p->everywhere || pid_namespace_of("1") == PID_NAMESPACE_FIRST;
	memset(p->prog_fds, -1, sizeof(p->prog_fds));
	libbpf_says[0] = '\0';
	libbpf_set_print(keep_warning);
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 count BPF maps there */
	clock_gettime(CLOCK_MONOTONIC, &start);
	status = raise_files(opts);
	if (status == STATUS_OK)
		status = check_age();
	if (status == STATUS_OK)
		status = check_btf(opts);
	if (status != STATUS_OK)
		return status;
	status = hooks_choose(p, opts, prog);
	if (status == STATUS_OK)
		status = open_shadows(p, opts);
	if (status == STATUS_OK)
		status = load(p, opts, prog);
	if (status == STATUS_OK)
		status = attach_shadows(p, prog);
	if (status == STATUS_OK)
		status = attach(p, prog);
	if (status != STATUS_OK) {
		memcpy(tried, p->hooks, sizeof(tried));
		probes_detach(p);
		memcpy(p->hooks, tried, sizeof(tried));
		return status;
	}
	p->finds = past_find(p);
	if (!p->finds)
		say("calls and sessions from before the attach were not looked for: %s",
		    p->bare ? "this kernel has no BTF of its own" : strerror(errno));
	switches_open(&p->switches);
	status = keep(p);
	if (status != STATUS_OK) {
		probes_detach(p);
		return status;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	p->attach_seconds = (double)(end.tv_sec - start.tv_sec) +
			    (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	malloc_trim(0); /* the kernel's BTF was in memory, and the object */
	return STATUS_OK;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void probes_detach(struct probes *p)
{
	for (int h = 0; h < NR_HOOKS; h++) {
		bpf_link__destroy(p->links[h]);
		close_fd(p->prog_fds[h]);
	}
	close_fd(p->inspect_fd);
	close_fd(p->look_sight_fd);
	close_fd(p->look_contexts_fd);
	close_fd(p->ended_fd);
	close_fd(p->records_fd);
	switches_close(&p->switches);
	if (p->shadow_set)
		shadows_detach(p->shadow_set);
	free(p->shadow_set);
	for (int i = 0; i < 4; i++)
		if (p->maps[i])
			munmap(p->maps[i], p->map_sizes[i]);
	probes_bpf__destroy(p->skel);
	bpf_object_drop();
	memset(p, 0, sizeof(*p));
}

void probes_want_calls(const struct probes *p, bool wanted)
{
	if (p->records_wanted)
		*(volatile u32 *)p->records_wanted = wanted;
}
