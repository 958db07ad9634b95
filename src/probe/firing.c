// SPDX-License-Identifier: GPL-2.0-only
/*
 * fentry and fexit need ftrace, whose switch (kernel.ftrace_enabled) makes the kernel skip them
 * without a word; kprobes have a switch of their own in debugfs. Reading a switch is a hint. The
 * proof is a probe that counts, on a function which a test run of the kernel calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include "probe/firing.h"

#define TEST_FUNCTION "bpf_fentry_test1"

static bool needs_ftrace(enum mechanism m)
{
	return m == MECH_FENTRY || m == MECH_FEXIT;
}

void switches_open(struct switches *s)
{
	s->ftrace = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
	s->kprobes = open("/sys/kernel/debug/kprobes/enabled", O_RDONLY | O_CLOEXEC);
}

void switches_close(struct switches *s)
{
	if (s->ftrace >= 0)
		close(s->ftrace);
	if (s->kprobes >= 0)
		close(s->kprobes);
	*s = (struct switches){ -1, -1 };
}

bool switch_is_off(const struct switches *s, enum mechanism m)
{
	int fd = needs_ftrace(m) ? s->ftrace : is_kprobe(m) ? s->kprobes : -1;
	char c;

	return fd >= 0 && pread(fd, &c, 1, 0) == 1 && c == '0';
}

const char *switch_name(enum mechanism m)
{
	return is_kprobe(m) ? "kprobes" : "ftrace";
}

const char *switch_advice(enum mechanism m)
{
	return is_kprobe(m) ? "echo 1 >/sys/kernel/debug/kprobes/enabled" :
			      "sysctl kernel.ftrace_enabled=1";
}

/* *counter = 1 */
static int load_counter(enum mechanism m, int map, int function)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{},
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .imm = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts);

	if (!is_kprobe(m)) {
		opts.expected_attach_type = m == MECH_FEXIT ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY;
		opts.attach_btf_id = (__u32)function;
	}
	return bpf_prog_load(is_kprobe(m) ? BPF_PROG_TYPE_KPROBE : BPF_PROG_TYPE_TRACING, NULL,
			     "GPL", insns, sizeof(insns) / sizeof(insns[0]), &opts);
}

int kprobe_open(enum mechanism m, const char *function)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.config1 = (__u64)(unsigned long)function };
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int cpu = sched_getcpu(), fd;
	bool known = f && fscanf(f, "%u", &attr.type) == 1;

	if (f)
		fclose(f);
	attr.config = m == MECH_KRETPROBE;
	if (!known)
		return -ENOENT;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu < 0 ? 0 : cpu, -1,
			  PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A descriptor that keeps the program attached, or -errno. */
static int attach_counter(enum mechanism m, int prog)
{
	int event, link;

	if (!is_kprobe(m))
		return bpf_raw_tracepoint_open(NULL, prog);
	event = kprobe_open(m, TEST_FUNCTION);
	if (event < 0)
		return event;
	link = bpf_link_create(prog, event, BPF_PERF_EVENT, NULL);
	close(event);
	return link;
}

/* 1: it fired, 0: it did not, or -errno where it cannot be tried. */
static int try_counter(enum mechanism m, int map, int function)
{
	/* A test run of this type of program calls the function; its own attachment is not used. */
	int caller = load_counter(MECH_FENTRY, map, function), prog, link, err;
	LIBBPF_OPTS(bpf_test_run_opts, run);
	__u64 fired = 0, zero = 0;
	__u32 key = 0;

	if (caller < 0)
		return caller;
	prog = load_counter(m, map, function);
	link = prog < 0 ? prog : attach_counter(m, prog);
	err = link < 0 ? link : bpf_map_update_elem(map, &key, &zero, BPF_ANY);
	err = err ?: bpf_prog_test_run_opts(caller, &run);
	err = err ?: bpf_map_lookup_elem(map, &key, &fired);
	if (link >= 0)
		close(link);
	if (prog >= 0)
		close(prog);
	close(caller);
	return err ?: fired != 0;
}

bool mechanism_fires(enum mechanism m, const struct btf *kernel)
{
	int map, function, fired = -ENOENT;
	struct switches s;
	bool off;

	switches_open(&s);
	off = switch_is_off(&s, m);
	switches_close(&s);
	if (off || !kernel)
		return !off;
	function = btf__find_by_name_kind(kernel, TEST_FUNCTION, BTF_KIND_FUNC);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(__u32), sizeof(__u64), 1, NULL);
	if (map >= 0 && function > 0)
		fired = try_counter(m, map, function);
	if (map >= 0)
		close(map);
	return fired != 0;
}
