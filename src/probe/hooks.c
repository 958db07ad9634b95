// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks, and which programs can serve each, the best first. Which one does is found by
 * trying. doctor shows what came of it.
 */
#include <stdio.h>
#include <string.h>
#include "probe/code.h"
#include "probe/firing.h"
#include "probe/admission_rule.h"
#include "probe/hooks.h"
#include "probe/mechanism.h"

struct impl {
	enum mechanism mech;
	const char *target, *prog;
	const char *gives; /* NULL: as the one before it */
	bool rare;         /* where it is missing, nothing is: doctor does not say why */
	bool called; /* only where optee_cq_wait_init() calls it, and has no copy of it instead */
};

static const struct hook {
	bool optional;
	bool asks; /* policies in shadow: the kernel replaces nothing in fentry, fexit and tp_btf */
	bool shadow;         /* it is for nothing else */
	bool smc, ffa;       /* it is only for devices that are called so */
	bool beside_release; /* only where HOOK_END is that trace event */
	/* Trace events first, which are there to be used; then the cheapest. Ends with an empty one. */
	struct impl impls[7];
} hooks[NR_HOOKS] = {
	[HOOK_END] = { .asks = true,
		       .impls = { { MECH_TP_BTF, "optee_cq_release", "tp_btf__cq_release",
				    "the end of a call, and whom it wakes", .rare = true },
				  { MECH_RAW_TP, "optee_cq_release", "raw_tp__cq_release", NULL,
				    .rare = true },
				  { MECH_FENTRY, "optee_cq_complete_one", "fentry__cq_complete_one",
				    "the end of a call, and whom it wakes" },
				  { MECH_FENTRY, "optee_cq_wait_final", "fentry__cq_wait_final",
				    "the end of a call, but not whom it wakes" },
				  { MECH_KPROBE, "optee_cq_complete_one", "kprobe__cq_complete_one",
				    "the end of a call, and whom it wakes" },
				  { MECH_KPROBE, "optee_cq_wait_final", "kprobe__cq_wait_final",
				    "the end of a call, but not whom it wakes" } } },
	[HOOK_WAKE] = { .beside_release = true,
			.impls = { { MECH_TP_BTF, "optee_cq_wake", "tp_btf__cq_wake",
				     "whom the end of a system session wakes" },
				   { MECH_RAW_TP, "optee_cq_wake", "raw_tp__cq_wake", NULL } } },
	[HOOK_EXIT] = { .smc = true,
			.impls = { { MECH_TP_BTF, "optee_invoke_fn_end", "tp_btf__invoke_fn_end",
				     "secure time and RPC" },
				   { MECH_RAW_TP, "optee_invoke_fn_end", "raw_tp__invoke_fn_end",
				     NULL } } },
	[HOOK_ENTER] = { .asks = true,
			 .smc = true,
			 .impls = { { MECH_TP_BTF, "optee_invoke_fn_begin",
				      "tp_btf__invoke_fn_begin", "the admission of a call" },
				    { MECH_RAW_TP, "optee_invoke_fn_begin",
				      "raw_tp__invoke_fn_begin", NULL } } },
	[HOOK_WAIT] = { .asks = true,
			.impls = { { MECH_TP_BTF, "optee_cq_wait_begin", "tp_btf__cq_wait_begin",
				     "who sleeps in the queue", .rare = true },
				   { MECH_RAW_TP, "optee_cq_wait_begin", "raw_tp__cq_wait_begin",
				     NULL, .rare = true },
				   { MECH_FENTRY, "optee_cq_wait_for_completion",
				     "fentry__cq_wait_for_completion", "who sleeps in the queue",
				     .called = true },
				   /* Of all tasks; the program leaves alone those without a call. */
				   { MECH_FENTRY, "wait_for_completion",
				     "fentry__wait_for_completion", NULL },
				   { MECH_KPROBE, "optee_cq_wait_for_completion",
				     "kprobe__cq_wait_for_completion", NULL, .called = true },
				   { MECH_KPROBE, "wait_for_completion",
				     "kprobe__wait_for_completion", NULL } } },
	[HOOK_REQUEST] = { .optional = true,
			   .impls = { { MECH_FENTRY, "optee_supp_thrd_req", "fentry__supp_thrd_req",
					"who waits for tee-supplicant" },
				      { MECH_KPROBE, "optee_supp_thrd_req", "kprobe__supp_thrd_req",
					NULL } } },
	[HOOK_SUPPLICANT] = { .optional = true,
			      .impls = { { MECH_FEXIT, "optee_supp_recv", "fexit__supp_recv",
					   "which thread of tee-supplicant works for which call" },
					 { MECH_KPROBE, "optee_supp_recv", "kprobe__supp_recv",
					   "the threads of tee-supplicant" } } },
	[HOOK_SYSTEM] = { .optional = true,
			  .impls = { { MECH_FEXIT, "optee_system_session", "fexit__system_session",
				       "when the reserve starts; otherwise it is polled" } } },
	[HOOK_RESERVE] = { .optional = true,
			   .shadow = true,
			   .impls = { { MECH_KPROBE, "optee_system_session",
					"kprobe__system_session",
					"what shadow policies answer to sessions that ask for a reservation" } } },
	[HOOK_CONTENDED] = { .optional = true,
			     .impls = { { MECH_TP_BTF, "contention_begin",
					  "tp_btf__contention_begin",
					  "time before the queue, for an argument" },
					{ MECH_RAW_TP, "contention_begin",
					  "raw_tp__contention_begin", NULL } } },
	[HOOK_CONTENDED_END] = { .optional = true,
				 .impls = { { MECH_TP_BTF, "contention_end",
					      "tp_btf__contention_end", "the end of that time" },
					    { MECH_RAW_TP, "contention_end",
					      "raw_tp__contention_end", NULL } } },
	[HOOK_SCMI_END] = { .optional = true,
			    .impls = { { MECH_TP_BTF, "scmi_xfer_end", "tp_btf__scmi_xfer_end",
					 "what SCMI's calls are for, and how long they take" },
				       { MECH_RAW_TP, "scmi_xfer_end", "raw_tp__scmi_xfer_end",
					 NULL } } },
	[HOOK_SCMI_BEGIN] = { .optional = true,
			      .impls = { { MECH_TP_BTF, "scmi_xfer_begin",
					   "tp_btf__scmi_xfer_begin", "the begin of these" },
					 { MECH_RAW_TP, "scmi_xfer_begin",
					   "raw_tp__scmi_xfer_begin", NULL } } },
	[HOOK_FFA_EXIT] = { .ffa = true,
			    .impls = { { MECH_FEXIT, "ffa_sync_send_receive",
					 "fexit__ffa_sync_send_receive",
					 "secure time and RPC, by FF-A" },
				       { MECH_KRETPROBE, "ffa_sync_send_receive",
					 "kretprobe__ffa_sync_send_receive", NULL } } },
	[HOOK_FFA_ENTER] = { .asks = true,
			     .ffa = true,
			     .impls = { { MECH_FENTRY, "ffa_sync_send_receive",
					  "fentry__ffa_sync_send_receive",
					  "the admission of a call, by FF-A" },
					{ MECH_KPROBE, "ffa_sync_send_receive",
					  "kprobe__ffa_sync_send_receive", NULL } } },
	[HOOK_FFA_BEGIN] = { .ffa = true,
			     .impls = { { MECH_FENTRY, "optee_ffa_do_call_with_arg",
					  "fentry__ffa_do_call_with_arg",
					  "the beginning of a call, and its session, by FF-A" },
					{ MECH_KPROBE, "optee_ffa_do_call_with_arg",
					  "kprobe__ffa_do_call_with_arg", NULL } } },
	[HOOK_BEGIN] = { .smc = true,
			 .impls = { { MECH_FENTRY, "optee_smc_do_call_with_arg",
				      "fentry__do_call_with_arg",
				      "the beginning of a call, and its session" },
				    { MECH_KPROBE, "optee_smc_do_call_with_arg",
				      "kprobe__do_call_with_arg", NULL } } },
};

static bool needs_btf(enum mechanism m)
{
	return m == MECH_FENTRY || m == MECH_FEXIT || m == MECH_TP_BTF;
}

/* Probes that never fire would show a TEE that nobody calls. */
static enum status refuse_silent(const struct hook_state *h)
{
	return fail(STATUS_KERNEL,
		    "cannot trace '%s': %s is switched off, and nothing else works here; run '%s'",
		    h->target, switch_name(h->mech), switch_advice(h->mech));
}

/*
 * One pass through the kernel's symbols, which takes over a billion instructions. two_abis: the
 * driver can call OP-TEE by another function than that of the device. Returns whether the
 * driver sleeps in optee_cq_wait_for_completion() itself; false: not known.
 */
static bool find_functions(struct probes *p, bool two_abis)
{
	const char *const names[] = { "optee_get_msg_arg",          "optee_free_msg_arg",
				      "optee_cq_wait_init",         "optee_cq_wait_for_completion",
				      "optee_smc_do_call_with_arg", "optee_ffa_do_call_with_arg" };
	u64 addresses[] = { 0, 0, 0, 0, 0, 0 };

	functions_find(names, addresses, two_abis ? 6 : 4);
	p->get_argument = addresses[0];
	p->free_argument = addresses[1];
	p->smc_function = two_abis ? addresses[4] : 0;
	p->ffa_function = two_abis ? addresses[5] : 0;
	return code_calls(addresses[2], addresses[3]);
}

/* Without the addresses nothing tells whether a task takes an argument or gives it back. */
static void drop_contended(struct probes *p, const char *prog[NR_HOOKS])
{
	for (int h = HOOK_CONTENDED; h <= HOOK_CONTENDED_END; h++) {
		prog[h] = NULL;
		snprintf(
			p->hooks[h].why, sizeof(p->hooks[h].why),
			"/proc/kallsyms lacks or hides the driver's functions; see kernel.kptr_restrict");
	}
}

bool hooks_end_by(const struct probes *p, const char *target)
{
	return !strcmp(p->hooks[HOOK_END].target, target);
}

enum status hooks_choose(struct probes *p, const struct attach_opts *opts,
			 const char *prog[NR_HOOKS])
{
	struct mechanism_types types = {};
	enum status status = STATUS_OK;
	bool has_ffa = mechanism_knows(&types, "optee_ffa_do_call_with_arg");
	bool calls = find_functions(p, has_ffa);

	p->abis = driver_abis();
	p->abis.ffa &= has_ffa;
	for (int h = 0; h < NR_HOOKS && status == STATUS_OK; h++) {
		struct hook_state *state = &p->hooks[h];
		const struct impl *impl = hooks[h].impls;
		char why[sizeof(state->why)];

		prog[h] = NULL;
		state->target = impl->target;
		if ((hooks[h].smc && !p->abis.smc) || (hooks[h].ffa && !p->abis.ffa))
			continue;
		if (hooks[h].shadow && !opts->nr_shadows)
			continue;
		if (hooks[h].beside_release && !hooks_end_by(p, "optee_cq_release"))
			continue;
		state->gives = impl->gives;
		/* Without a choice the last one is tried for real. */
		for (; impl->prog && (impl[1].prog || hooks[h].optional); impl++) {
			if (opts->kprobes && needs_btf(impl->mech))
				snprintf(state->why, sizeof(state->why), "--kprobes was given");
			else if (hooks[h].asks && opts->nr_shadows && needs_btf(impl->mech))
				snprintf(state->why, sizeof(state->why), "--shadow was given");
			else if (impl->called && !calls)
				snprintf(state->why, sizeof(state->why),
					 "not called, or not known to be");
			else if (mechanism_try(&types, impl->mech, impl->target, why, sizeof(why)))
				break;
			else if (!impl->rare)
				memcpy(state->why, why, sizeof(why)); /* the last one's is shown */
		}
		prog[h] = impl->prog;
		if (!impl->prog)
			continue;
		state->gives = impl->gives ?: state->gives;
		state->target = impl->target;
		state->mech = impl->mech;
		if (!mechanism_is_on(&types, impl->mech))
			status = refuse_silent(state);
	}
	p->knows_rule = opts->mainline_rule || admission_rule_known(&types, opts->btf);
	if (status == STATUS_OK && mechanism_word_differs(&types))
		status = fail(STATUS_KERNEL,
			      "cannot attach: this program is for kernels of %zu bits; "
			      "use one that was built for this kernel",
			      8 * sizeof(void *));
	mechanism_types_free(&types);
	if (status != STATUS_OK)
		return status;
	if (!p->get_argument || !p->free_argument)
		drop_contended(p, prog);
	return status;
}

bool hook_is_optional(int hook)
{
	return hooks[hook].optional;
}
