// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program whose only job is to ask the kernel what it can do: an empty one
 * that is attached for a moment. For BTF-based mechanisms only; of a kprobe only
 * its symbol is looked for, of a raw tracepoint of the driver its type, and the
 * last in the lists of hooks.c is tried for real.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include "probe/firing.h"
#include "probe/mechanism.h"

const char *mechanism_name(enum mechanism m)
{
	static const char *const names[NR_MECHS] = {
		"fentry", "fexit", "tp_btf", "raw_tp", "kprobe", "kretprobe",
	};

	return names[m];
}

/* If this is the BTF object of the module. */
static bool load_if(struct module_types *m, const char *is, const char *module, int fd, __u32 id,
		    const struct btf *kernel)
{
	if (strcmp(is, module) != 0)
		return false;
	m->types = btf__load_from_kernel_by_id_split(id, (struct btf *)kernel);
	m->fd = m->types ? fd : -1;
	return m->types;
}

/* Of modules; what is not there may be built in. */
static void load_modules(struct mechanism_types *t)
{
	struct bpf_btf_info info;
	char name[64];
	__u32 id = 0, len;
	int fd;

	t->driver.fd = t->ffa.fd = -1;
	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		info = (struct bpf_btf_info){ .name = (__u64)(unsigned long)name,
					      .name_len = sizeof(name) };
		len = sizeof(info);
		if (bpf_obj_get_info_by_fd(fd, &info, &len) ||
		    (!load_if(&t->driver, name, "optee", fd, id, t->kernel) &&
		     !load_if(&t->ffa, name, "ffa_module", fd, id, t->kernel)))
			close(fd);
	}
}

bool mechanism_load(struct mechanism_types *t)
{
	if (t->kernel)
		return true;
	t->kernel = btf__load_vmlinux_btf();
	if (!t->kernel)
		return false;
	load_modules(t);
	return true;
}

static void module_free(struct module_types *m)
{
	btf__free(m->types);
	if (m->fd >= 0)
		close(m->fd);
}

void mechanism_types_free(struct mechanism_types *t)
{
	if (!t->kernel)
		return;
	module_free(&t->driver);
	module_free(&t->ffa);
	btf__free(t->kernel);
	*t = (struct mechanism_types){};
}

static int try_program(enum mechanism m, int btf_fd, int btf_id)
{
	const struct bpf_insn empty[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = m == MECH_FENTRY ? BPF_TRACE_FENTRY :
					    m == MECH_FEXIT  ? BPF_TRACE_FEXIT :
							       BPF_TRACE_RAW_TP,
		    .attach_btf_obj_fd = btf_fd > 0 ? btf_fd : 0, .attach_btf_id = btf_id);
	int prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", empty,
				 sizeof(empty) / sizeof(empty[0]), &opts);
	int link;

	if (prog < 0)
		return prog;
	link = bpf_raw_tracepoint_open(NULL, prog);
	close(prog);
	if (link < 0)
		return link;
	close(link);
	return 0;
}

#define ENOTSUPP 524 /* the kernel's own, which strerror() does not know */

static bool cannot(char *why, size_t len, const char *what, int err)
{
	if (err == -ENOTSUPP)
		snprintf(why, len, "%s: not supported", what);
	else if (err)
		snprintf(why, len, "%s: %s", what, strerror(-err));
	else
		snprintf(why, len, "%s", what);
	return false;
}

#define DRIVER_PREFIX "optee_" /* of all functions that are looked for at once */

size_t functions_find(const char *const names[], u64 addresses[], size_t n)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long address;
	const char *part = n == 1 ? names[0] : DRIVER_PREFIX;
	char line[512], name[256];
	size_t found = 0;

	/* There are a few hundred thousand: scanf() looks only at those that may be it. */
	while (f && found < n && fgets(line, sizeof(line), f)) {
		if (!strstr(line, part) || sscanf(line, "%llx %*s %255s", &address, name) != 2)
			continue;
		for (size_t i = 0; i < n; i++)
			if (!addresses[i] && !strcmp(name, names[i])) {
				addresses[i] = address;
				found++;
			}
	}
	if (f)
		fclose(f);
	return found;
}

bool mechanism_knows(struct mechanism_types *t, const char *function)
{
	return !mechanism_load(t) ||
	       btf__find_by_name_kind(t->driver.types ?: t->kernel, function, BTF_KIND_FUNC) > 0;
}

bool mechanism_is_on(struct mechanism_types *types, enum mechanism m)
{
	int *fires = is_kprobe(m) ? &types->kprobes_fire : &types->ftrace_fires;

	if (!is_kprobe(m) && m != MECH_FENTRY && m != MECH_FEXIT)
		return true;
	mechanism_load(types);
	if (!*fires)
		*fires = mechanism_fires(m, types->kernel) ? 1 : -1;
	return *fires > 0;
}

bool mechanism_word_differs(struct mechanism_types *types)
{
	return mechanism_load(types) && btf__pointer_size(types->kernel) != sizeof(void *);
}

/* A module's types are numbered behind the kernel's. */
static bool is_the_kernels(const struct mechanism_types *types, int id)
{
	return (__u32)id < btf__type_cnt(types->kernel);
}

bool mechanism_try(struct mechanism_types *types, enum mechanism m, const char *target, char *why,
		   size_t len)
{
	const struct module_types *module;
	char name[96];
	u64 address = 0;
	int id, err;
	bool event;

	why[0] = '\0';
	/* A compiler may have inlined a static one. */
	if (is_kprobe(m) && !functions_find(&target, &address, 1))
		return cannot(why, len, "not a function of its own", 0);
	if (!mechanism_is_on(types, m)) {
		snprintf(why, len, "%s is switched off: %s", switch_name(m), switch_advice(m));
		return false;
	}
	/* A raw tracepoint of the kernel is tried for real; the driver may not have one of its own. */
	if (is_kprobe(m) ||
	    (m == MECH_RAW_TP && strncmp(target, DRIVER_PREFIX, strlen(DRIVER_PREFIX)) != 0))
		return true;
	if (!mechanism_load(types))
		return cannot(why, len, "kernel without BTF", 0);
	event = m == MECH_TP_BTF || m == MECH_RAW_TP;
	snprintf(name, sizeof(name), "%s%s", event ? "btf_trace_" : "", target);
	module = strncmp(target, "ffa_", 4) ? &types->driver : &types->ffa;
	id = btf__find_by_name_kind(module->types ?: types->kernel, name,
				    event ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
	err = id > 0 && m != MECH_RAW_TP ?
		      try_program(m, is_the_kernels(types, id) ? 0 : module->fd, id) :
		      0;
	if (id <= 0)
		return cannot(why, len,
			      module->types ? "not in the driver's BTF" : "driver without BTF", 0);
	if (err)
		return cannot(why, len, "the kernel refuses", err);
	return true;
}
