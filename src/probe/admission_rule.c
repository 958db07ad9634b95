// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code of a driver cannot be read, but what it counts can: a driver with another rule
 * counts something else. Each design has its members of struct optee_call_queue.
 */
#include <string.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "probe/admission_rule.h"

/* Members of the designs that we know, and of what leaves their rule alone. */
static bool is_known(const char *member)
{
	static const char *const known[] = {
		"mutex",
		"waiters",
		/* merged */
		"total_thread_count",
		"free_thread_count",
		"sys_thread_req_count",
		/* v6 */
		"free_normal_thread_count",
		"res_sys_thread_count",
		/* single */
		"res_thread_busy",
		/* upstream/: whom it wakes, not whom it admits */
		"wake_count",
		/* kernel/: while no policy is attached, it is the merged rule */
		"adm",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(member, known[i]))
			return true;
	return false;
}

static bool has(const struct btf *btf, const struct btf_type *queue, const char *member)
{
	const struct btf_member *m = btf_members(queue);

	for (int i = 0; i < btf_vlen(queue); i++)
		if (!strcmp(btf__name_by_offset(btf, m[i].name_off), member))
			return true;
	return false;
}

static bool queue_known(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "optee_call_queue", BTF_KIND_STRUCT);
	const struct btf_type *queue = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
	const struct btf_member *m;

	if (!queue)
		return true;
	m = btf_members(queue);
	for (int i = 0; i < btf_vlen(queue); i++)
		if (!is_known(btf__name_by_offset(btf, m[i].name_off)))
			return false;
	/* What counts threads, but no reserve, always keeps one, or has it elsewhere. */
	return !has(btf, queue, "total_thread_count") || has(btf, queue, "sys_thread_req_count") ||
	       has(btf, queue, "res_sys_thread_count");
}

bool admission_rule_known(struct mechanism_types *types, const char *btf)
{
	struct btf *given;
	bool known;

	if (!btf)
		return !mechanism_load(types) || queue_known(types->driver.types ?: types->kernel);
	given = btf__parse(btf, NULL);
	if (libbpf_get_error(given))
		return true;
	known = queue_known(given);
	btf__free(given);
	return known;
}
