// SPDX-License-Identifier: GPL-2.0-only
/*
 * A compiler may put a copy of a function into its caller; a probe of the function does not see
 * what the copy does. The instructions of the caller tell: a small program reads them.
 */
#include <stddef.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include "probe/code.h"

#define LONGEST 1024 /* bytes of a function that are looked at */

struct words {
	u64 address; /* then 0, or an error */
	u64 value;
};

u64 code_call_target(u64 address, u32 instruction)
{
	s64 words = (s32)(instruction << 6) >> 6;

	return instruction >> 26 == 0x25 ? address + (u64)(words * 4) : 0; /* BL */
}

/* ctx->value = what is at ctx->address */
static int load_reader(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1 },
		{ .code = BPF_LDX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_3,
		  .src_reg = BPF_REG_6,
		  .off = offsetof(struct words, address) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_6,
		  .src_reg = BPF_REG_0,
		  .off = offsetof(struct words, address) },
		{ .code = BPF_LDX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_10,
		  .off = -8 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW,
		  .dst_reg = BPF_REG_6,
		  .src_reg = BPF_REG_1,
		  .off = offsetof(struct words, value) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);

	return bpf_prog_load(BPF_PROG_TYPE_SYSCALL, NULL, "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
}

static bool read_two(int reader, u64 address, u32 two[2])
{
	struct words words = { .address = address };
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &words, .ctx_size_in = sizeof(words));

	if (bpf_prog_test_run_opts(reader, &run) || words.address)
		return false;
	two[0] = (u32)words.value;
	two[1] = (u32)(words.value >> 32);
	return true;
}

bool code_calls(u64 function, u64 other)
{
	bool calls = false;
#ifdef __aarch64__
	int reader = function && other ? load_reader() : -1;
	u64 end = function + LONGEST;
	u32 two[2];

	if (other > function && other < end)
		end = other;
	for (u64 at = function; reader >= 0 && !calls && at < end; at += sizeof(two)) {
		if (!read_two(reader, at, two))
			break;
		calls = code_call_target(at, two[0]) == other ||
			code_call_target(at + 4, two[1]) == other;
	}
	if (reader >= 0)
		close(reader);
#else
	(void)function, (void)other, (void)load_reader, (void)read_two;
#endif
	return calls;
}
