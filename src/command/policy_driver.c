// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver that takes policies has a parameter admission_off; its types are in the BTF of its
 * module, or in the kernel's when it is built in. All but debugfs is asked without privileges.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "command/policy_driver.h"
#include "policy/policy_state.h"
#include "probe/driver.h"

#define MODULE  "/sys/module/optee"
#define BTF     "/sys/kernel/btf/optee"
#define VMLINUX "/sys/kernel/btf/vmlinux"
#define TABLE   "optee_admission_ops"

/* Links of struct_ops maps that can be detached, and types of modules: Linux 6.11. */
static bool kernel_can(const struct btf *vmlinux)
{
	return btf__find_by_name_kind(vmlinux, "bpf_struct_ops_map_link_detach", BTF_KIND_FUNC) >
		       0 &&
	       btf__find_by_name_kind(vmlinux, "__register_bpf_struct_ops", BTF_KIND_FUNC) > 0;
}

static const char *without_hook(void)
{
	struct btf *vmlinux = btf__parse(VMLINUX, NULL);
	bool can = !vmlinux || kernel_can(vmlinux);

	btf__free(vmlinux);
	return can ? "this OP-TEE driver takes no policies; 'make optee-ko' builds one that does" :
		     "this kernel's BPF has no struct_ops of modules; policies need Linux 6.12 or newer, "
		     "and the driver of 'make optee-ko'";
}

/* NULL, or why there is no driver that takes policies. */
static const char *no_driver(void)
{
	if (!access(MODULE "/parameters/admission_off", F_OK))
		return NULL;
	if (access(MODULE, F_OK) && !driver_present())
		return "there is no OP-TEE driver; load it";
	return without_hook();
}

static enum status cannot(enum status status, const char *doing, const char *why)
{
	return fail(status, "cannot %s: %s", doing, why);
}

enum status policy_driver_shows(const char *doing)
{
	const char *why = no_driver();
	struct statfs fs;

	if (why)
		return cannot(STATUS_KERNEL, doing, why);
	if (!access(POLICY_STATE, R_OK))
		return STATUS_OK;
	if (errno == EACCES || errno == EPERM)
		return cannot(STATUS_PRIVILEGE, doing,
			      POLICY_STATE ": Permission denied; run as root");
	if (statfs("/sys/kernel/debug", &fs) || fs.f_type != DEBUGFS_MAGIC)
		return cannot(STATUS_FAILURE, doing,
			      "debugfs is not mounted; mount -t debugfs debugfs /sys/kernel/debug");
	return fail(STATUS_FAILURE, "cannot %s: " POLICY_STATE ": %s", doing, strerror(errno));
}

/* Without modifiers and names of types. */
static const struct btf_type *plain(const struct btf *btf, u32 id)
{
	int resolved = btf__resolve_type(btf, id);

	return resolved < 0 ? NULL : btf__type_by_id(btf, (u32)resolved);
}

/* The same type, as far as a program can tell: a pointer to a struct of that name, or a size. */
static bool same_type(const struct btf *a, u32 ida, const struct btf *b, u32 idb)
{
	const struct btf_type *ta = plain(a, ida), *tb = plain(b, idb);

	if (!ida || !idb || !ta || !tb)
		return !ida == !idb;
	if (btf_is_ptr(ta) && btf_is_ptr(tb)) {
		ta = plain(a, ta->type);
		tb = plain(b, tb->type);
		return ta && tb && btf_kind(ta) == btf_kind(tb) &&
		       policy_named(a, ta->name_off, btf__name_by_offset(b, tb->name_off) ?: "");
	}
	return btf_kind(ta) == btf_kind(tb) && ta->size == tb->size;
}

static bool same_call(const struct btf *a, u32 ida, const struct btf *b, u32 idb)
{
	const struct btf_type *ta = plain(a, ida), *tb = plain(b, idb);

	if (!ta || !tb || !btf_is_ptr(ta) || !btf_is_ptr(tb))
		return ta && tb && btf_kind(ta) == btf_kind(tb);
	ta = plain(a, ta->type);
	tb = plain(b, tb->type);
	if (!ta || !tb || !btf_is_func_proto(ta) || !btf_is_func_proto(tb) ||
	    btf_vlen(ta) != btf_vlen(tb) || !same_type(a, ta->type, b, tb->type))
		return false;
	for (u32 i = 0; i < btf_vlen(ta); i++)
		if (!same_type(a, btf_params(ta)[i].type, b, btf_params(tb)[i].type))
			return false;
	return true;
}

/* A callback that the policy has and the driver calls otherwise; NULL: none. */
static const char *other_callback(const struct policy_object *o, const struct btf *btf,
				  const struct btf_type *type)
{
	const struct btf_member *own = btf_members(o->type), *its = btf_members(type);

	for (u32 i = 0; i < btf_vlen(o->type); i++)
		for (u32 j = 0; o->used >> i & 1 && j < btf_vlen(type); j++) {
			const char *name = btf__name_by_offset(o->btf, own[i].name_off);

			if (name && policy_named(btf, its[j].name_off, name) &&
			    !same_call(o->btf, own[i].type, btf, its[j].type))
				return name;
		}
	return NULL;
}

static u32 flags_of(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "optee_adm_ops_flag", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (u32)id) : NULL;
	u32 flags = 0;

	for (u32 i = 0; t && i < btf_vlen(t); i++)
		flags |= (u32)btf_enum(t)[i].val;
	return t ? flags : ~0u; /* then the driver itself has to say */
}

static enum status fits(const struct policy_object *o, const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, TABLE, BTF_KIND_STRUCT);
	const struct btf_type *type;
	const char *callback;
	u32 unknown;

	if (id < 0)
		return cannot(STATUS_KERNEL, o->doing,
			      "this OP-TEE driver has no struct " TABLE " in its BTF; build it "
			      "with 'make optee-ko'");
	type = btf__type_by_id(btf, (u32)id);
	callback = type ? other_callback(o, btf, type) : NULL;
	if (callback)
		return fail(STATUS_FAILURE,
			    "cannot %s: this driver calls '%s' with other arguments" OTHER_CONTRACT,
			    o->doing, callback);
	unknown = o->flags & ~flags_of(btf);
	if (unknown)
		return fail(
			STATUS_FAILURE,
			"cannot %s: this driver does not know flag 0x%x of its table" OTHER_CONTRACT,
			o->doing, unknown);
	return STATUS_OK;
}

static enum status may_load(const char *doing)
{
	__u32 id;

	if (bpf_btf_get_next_id(0, &id) != -EPERM)
		return STATUS_OK;
	return cannot(
		STATUS_PRIVILEGE, doing,
		"Operation not permitted; run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN");
}

enum status policy_driver_takes(const struct policy_object *o)
{
	struct btf *vmlinux = NULL, *module = NULL;
	const char *why = no_driver();
	enum status status;

	if (why)
		return cannot(STATUS_KERNEL, o->doing, why);
	/* A module has initstate; what is built in has not. */
	if (!access(MODULE "/initstate", F_OK) && access(BTF, F_OK))
		return cannot(STATUS_KERNEL, o->doing,
			      "this OP-TEE driver has no BTF: it was built for another kernel, or "
			      "without; build it for this one with 'make optee-ko'");
	vmlinux = btf__parse(VMLINUX, NULL);
	if (vmlinux && !access(BTF, F_OK))
		module = btf__parse_split(BTF, vmlinux);
	if (!vmlinux)
		status = cannot(STATUS_KERNEL, o->doing,
				"this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)");
	else
		status = fits(o, module ?: vmlinux);
	btf__free(module);
	btf__free(vmlinux);
	return status == STATUS_OK ? may_load(o->doing) : status;
}
