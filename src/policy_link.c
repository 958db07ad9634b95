// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a policy's BPF object and attaches it by a link. libbpf finds the driver's type in
 * the BTF of the optee module, and checks that the table of the object fits it.
 */
#include "policy_link.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TABLE "optee_admission_ops"

/* libbpf has one printer for the process; its last warning tells best what was wrong. */
static char last_warning[256];

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_warning, sizeof(last_warning), fmt, args);
		last_warning[strcspn(last_warning, "\n")] = 0;
	}
	return 0;
}

const char *policy_why(void)
{
	return last_warning;
}

static struct bpf_map *find_table(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, object)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			return map;
	return NULL;
}

/* A plain member of the table, as the object has it. */
static void *member(const struct policy *policy, const char *name)
{
	const struct btf *btf = bpf_object__btf(policy->object);
	int id = btf__find_by_name_kind(btf, TABLE, BTF_KIND_STRUCT);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);
	char *table = bpf_map__initial_value(policy->map, &(size_t){ 0 });

	for (int i = 0; type && table && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name))
			return table + btf_member_bit_offset(type, i) / 8;
	return NULL;
}

static int prepare(struct policy *policy, unsigned int timeout_ms)
{
	uint32_t *timeout;
	const char *name;

	policy->map = find_table(policy->object);
	if (!policy->map)
		return -ENOEXEC;
	timeout = member(policy, "timeout_ms");
	name = member(policy, "name");
	if (!timeout || !name)
		return -ENOEXEC;
	if (timeout_ms)
		*timeout = timeout_ms;
	snprintf(policy->name, sizeof(policy->name), "%.15s", name);
	return bpf_object__load(policy->object);
}

int policy_open(struct policy *policy, const char *file, unsigned int timeout_ms)
{
	int err;

	last_warning[0] = 0;
	libbpf_set_print(keep_warning);
	*policy = (struct policy){ .object = bpf_object__open_file(file, NULL) };
	if (!policy->object)
		return -errno;
	err = prepare(policy, timeout_ms);
	if (err)
		policy_close(policy);
	return err;
}

void policy_close(struct policy *policy)
{
	bpf_object__close(policy->object);
	*policy = (struct policy){ 0 };
}

int policy_attach(const struct policy *policy, struct bpf_link **link)
{
	*link = bpf_map__attach_struct_ops(policy->map);
	return *link ? 0 : -errno;
}

int policy_swap(const struct policy *policy, struct bpf_link *link)
{
	return bpf_link__update_map(link, policy->map) ? -errno : 0;
}

void policy_detach(struct bpf_link *link)
{
	bpf_link__detach(link);
	bpf_link__destroy(link);
}

int policy_link_pin(struct bpf_link *link, const char *path)
{
	return bpf_link__pin(link, path);
}

int policy_link_open(struct bpf_link **link, const char *path)
{
	*link = bpf_link__open(path);
	return *link ? 0 : -errno;
}

int policy_link_fd(const struct bpf_link *link)
{
	return bpf_link__fd(link);
}
