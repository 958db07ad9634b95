// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct optee_admission_ops as a struct_ops type of BPF: what a program in it may do, and
 * how the plain members are taken over. What is attached is adm_policy.c's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/string.h>
#include "adm.h"

/*
 * struct optee_adm_call in the BTF that programs are checked with: found when the first
 * callback that has one is checked, which is before its program is.
 */
static const struct btf *call_btf;
static u32 call_id;

/* Of a member that is a pointer to a function: the type its first argument points to. */
static u32 argument_id(const struct btf *btf, const struct btf_member *member)
{
	const struct btf_type *t = btf_type_by_id(btf, member->type);

	t = t && btf_type_is_ptr(t) ? btf_type_by_id(btf, t->type) : NULL;
	if (!t || !btf_type_is_func_proto(t) || !btf_type_vlen(t))
		return 0;
	t = btf_type_by_id(btf, btf_params(t)->type);
	return t && btf_type_is_ptr(t) ? t->type : 0;
}

static bool may_sleep(u32 offset)
{
	return offset == offsetof(struct optee_admission_ops, init) ||
	       offset == offsetof(struct optee_admission_ops, exit);
}

/*
 * What runs under the queue's mutex has to end soon. The verifier looks at no more than a million
 * instructions, and what it follows step by step is no longer than that. It does not follow
 * a loop whose end a kfunc decides (an iterator), a may_goto, a callback, or calls of a global
 * function, of which each is looked at once: nested, they are as good as endless. Kfuncs
 * could also make a pointer to a call of any address. Helpers are refused below.
 */
static bool is_bounded(const struct bpf_insn *insn)
{
	switch (insn->code) {
	case BPF_JMP | BPF_CALL:
		return insn->src_reg != BPF_PSEUDO_KFUNC_CALL;
	case BPF_JMP | BPF_JCOND:
		return false;
	case BPF_LD | BPF_IMM | BPF_DW:
		return insn->src_reg != BPF_PSEUDO_FUNC;
	}
	return true;
}

/* The program as it was loaded: the verifier asks before it changes anything. */
static const char *why_unbounded(const struct bpf_prog *prog)
{
	const struct bpf_prog_aux *aux = prog->aux;

	for (u32 i = 0; i < prog->len; i++)
		if (!is_bounded(&prog->insnsi[i]))
			return "it calls a kfunc, hands over a callback or uses may_goto";
	/* The first function is the callback itself. */
	for (u32 i = 1; aux->func_info_aux && i < aux->func_info_cnt; i++)
		if (aux->func_info_aux[i].linkage == BTF_FUNC_GLOBAL)
			return "it has a function that is neither static nor inline";
	return NULL;
}

static int check_member(const struct btf_type *t, const struct btf_member *member,
			const struct bpf_prog *prog)
{
	u32 offset = __btf_member_bit_offset(t, member) / BITS_PER_BYTE;
	const char *why = why_unbounded(prog);

	if (!why && prog->sleepable && !may_sleep(offset))
		why = "it may sleep outside init and exit";
	if (why) {
		pr_notice("no admission policy: %s in '%s'\n", why, prog->aux->name);
		return -EINVAL;
	}
	if (!may_sleep(offset)) {
		WRITE_ONCE(call_btf, prog->aux->attach_btf);
		WRITE_ONCE(call_id, argument_id(prog->aux->attach_btf, member));
	}
	return 0;
}

/* The plain members; 1: done, 0: one for the BPF core. */
static int init_member(const struct btf_type *t, const struct btf_member *member, void *kdata,
		       const void *udata)
{
	u32 offset = __btf_member_bit_offset(t, member) / BITS_PER_BYTE;
	const struct optee_admission_ops *from = udata;
	struct optee_admission_ops *to = kdata;

	switch (offset) {
	case offsetof(struct optee_admission_ops, flags):
		if (from->flags & ~OPTEE_ADM_OPS_FLAGS)
			return -EINVAL;
		to->flags = from->flags;
		return 1;
	case offsetof(struct optee_admission_ops, timeout_ms):
		if (from->timeout_ms > OPTEE_ADM_TIMEOUT_MS)
			return -ERANGE;
		to->timeout_ms = from->timeout_ms;
		return 1;
	case offsetof(struct optee_admission_ops, name):
		/* It is printed: a plain word, please. */
		for (size_t i = 0; from->name[i]; i++)
			if (i == sizeof(from->name) - 1 || from->name[i] <= ' ' ||
			    from->name[i] > '~')
				return -EINVAL;
		strscpy(to->name, from->name, sizeof(to->name));
		return from->name[0] ? 1 : -EINVAL;
	}
	return 0;
}

/* No helpers: a policy is a function of what it is shown. */
static const struct bpf_func_proto *get_func_proto(enum bpf_func_id id, const struct bpf_prog *prog)
{
	return NULL;
}

/*
 * Only through the pointer that the callback was given, which alone is trusted: an id means
 * nothing in another BTF, and any address can be cast to an untrusted pointer to a call.
 */
static bool is_the_call(const struct bpf_reg_state *reg)
{
	return reg->type == (PTR_TO_BTF_ID | PTR_TRUSTED) && reg->btf == READ_ONCE(call_btf) &&
	       reg->btf_id == READ_ONCE(call_id);
}

static int check_write(struct bpf_verifier_log *log, const struct bpf_reg_state *reg, int offset,
		       int size)
{
	if (is_the_call(reg) && offset >= (int)offsetof(struct optee_adm_call, retry_ns) &&
	    offset + size <= (int)offsetofend(struct optee_adm_call, qpriv))
		return 0;
	bpf_log(log, "a policy may write to optee_adm_call.retry_ns and what follows, not at %d\n",
		offset);
	return -EACCES;
}

static const struct bpf_verifier_ops verifier_ops = {
	.get_func_proto = get_func_proto,
	.is_valid_access = bpf_tracing_btf_ctx_access,
	.btf_struct_access = check_write,
};

static int init(struct btf *btf)
{
	return 0;
}

/* For CFI, the callbacks' types; never called. */
static s32 stub_init(void)
{
	return 0;
}

static void stub_exit(struct optee_adm_exit *info)
{
}

static s32 stub_answer(struct optee_adm_call *c)
{
	return 0;
}

static u64 stub_rank(struct optee_adm_call *c)
{
	return 0;
}

static void stub_event(struct optee_adm_call *c)
{
}

static struct optee_admission_ops stubs = {
	.init = stub_init,
	.exit = stub_exit,
	.reserve = stub_answer,
	.admit = stub_answer,
	.rank = stub_rank,
	.enter = stub_event,
	.leave = stub_event,
};

static struct bpf_struct_ops type = {
	.verifier_ops = &verifier_ops,
	.init = init,
	.check_member = check_member,
	.init_member = init_member,
	.reg = adm_reg,
	.unreg = adm_unreg,
	.update = adm_update,
	.cfi_stubs = &stubs,
	.owner = THIS_MODULE,
	.name = "optee_admission_ops",
};

int optee_adm_register(void)
{
	int err = register_bpf_struct_ops(&type, optee_admission_ops);

	/* The driver is as good without. */
	if (err)
		pr_warn("no admission policies: error %d\n", err);
	adm_policy_init();
	adm_show_init();
	return 0;
}

void optee_adm_unregister(void)
{
	adm_show_exit();
	adm_policy_exit();
}
