// SPDX-License-Identifier: GPL-2.0-only
/*
 * The object's own BTF says where in its table a member is, whatever version of
 * optee_admission.h it was compiled with.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy/policy_carried.h"
#include "policy/policy_object.h"

#define TABLE    "optee_admission_ops"
#define SECTION  ".struct_ops.link"
#define NO_TABLE "it has no table of callbacks; a policy ends with POLICY(...)"
#define MOST     (1 << 20) /* bytes of a file that may be a policy */

/* What of the ELF object is of interest. */
struct sections {
	Elf_Data *btf, *table, *relocations;
	size_t table_index, table_offset;
};

static bool is_file(const char *given)
{
	size_t len = strlen(given);

	return strchr(given, '/') || (len > 2 && !strcmp(given + len - 2, ".o"));
}

static enum status no_such(const char *doing, const struct carried *c)
{
	char names[256] = "";

	for (size_t i = 0; i < c->nr; i++) {
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
			 c->policies[i].name);
	}
	return fail(STATUS_USAGE,
		    "cannot %s: no such policy; there are %s, and files, which have a / in their "
		    "name or end in .o",
		    doing, names);
}

static enum status take_carried(struct policy_object *o)
{
	enum status status = STATUS_OK;
	struct carried c;
	size_t i = 0;

	carried_read(&c);
	while (i < c.nr && strcmp(c.policies[i].name, o->given) != 0)
		i++;
	if (i == c.nr) {
		status = no_such(o->doing, &c);
	} else {
		o->size = c.policies[i].size;
		o->data = malloc(o->size);
		if (o->data)
			memcpy(o->data, c.policies[i].object, o->size);
	}
	carried_free(&c);
	return status;
}

static enum status take_file(struct policy_object *o, const char *file)
{
	FILE *f = fopen(file, "re");
	int err;

	if (!f)
		return fail(STATUS_FAILURE, "cannot %s: %s", o->doing, strerror(errno));
	o->data = malloc(MOST);
	o->size = o->data ? fread(o->data, 1, MOST, f) : 0;
	err = ferror(f) ? errno : 0;
	fclose(f);
	if (err)
		return fail(STATUS_FAILURE, "cannot %s: %s", o->doing, strerror(err));
	return STATUS_OK;
}

/* NULL, or why not. */
static const char *find_sections(Elf *elf, struct sections *found)
{
	Elf64_Ehdr *head = elf64_getehdr(elf);
	size_t names, nr, seen = 1;
	Elf_Scn *section = NULL;

	if (!head || head->e_machine != EM_BPF || head->e_type != ET_REL)
		return "it is not a BPF object; 'optee-top policy build' makes one of a FILE.c";
	if (elf_getshdrnum(elf, &nr) || elf_getshdrstrndx(elf, &names))
		return "it is cut off; build it again";
	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;
		const char *name;
		GElf_Shdr s; /* a copy: in a file it may be anywhere */

		if (!gelf_getshdr(section, &s))
			break;
		data = s.sh_type == SHT_NOBITS ? NULL : elf_rawdata(section, NULL);
		name = elf_strptr(elf, names, s.sh_name);
		if (!name || (s.sh_type != SHT_NOBITS && s.sh_size && (!data || !data->d_buf)))
			break;
		seen++;
		if (!strcmp(name, ".BTF"))
			found->btf = data;
		else if (!strcmp(name, SECTION)) {
			found->table = data;
			found->table_index = elf_ndxscn(section);
			found->table_offset = s.sh_offset;
		} else if (s.sh_type == SHT_REL && found->table && s.sh_info == found->table_index)
			found->relocations = data;
	}
	if (seen != nr)
		return "it is cut off; build it again";
	if (!found->table)
		return NO_TABLE;
	if (!found->btf)
		return "it has no BTF; compile it with -g, as 'optee-top policy build' does";
	return NULL;
}

bool policy_named(const struct btf *btf, u32 offset, const char *name)
{
	const char *its = btf__name_by_offset(btf, offset);

	return its && !strcmp(its, name);
}

/* The type of the one variable in the section of tables. */
static const char *find_type(struct policy_object *o, const struct sections *found)
{
	int id = btf__find_by_name_kind(o->btf, SECTION, BTF_KIND_DATASEC);
	const struct btf_type *t = id > 0 ? btf__type_by_id(o->btf, (u32)id) : NULL;

	if (!t || !btf_vlen(t))
		return NO_TABLE;
	if (btf_vlen(t) > 1)
		return "it has more than one table; a policy has one";
	t = btf__type_by_id(o->btf, btf_var_secinfos(t)->type);
	t = t ? btf__type_by_id(o->btf, t->type) : NULL;
	if (!t || !btf_is_struct(t) || !policy_named(o->btf, t->name_off, TABLE))
		return "its table is no struct " TABLE;
	if (t->size > found->table->d_size)
		return "it is cut off; build it again";
	o->type = t;
	return NULL;
}

/* A member of so many bytes in the table; NULL: it has none. */
static const char *member(const struct policy_object *o, const Elf_Data *table, const char *name,
			  u32 bytes)
{
	const struct btf_member *m = btf_members(o->type);

	for (u32 i = 0; i < btf_vlen(o->type); i++) {
		u32 at = btf_member_bit_offset(o->type, i) / 8;

		if (policy_named(o->btf, m[i].name_off, name) &&
		    btf__resolve_size(o->btf, m[i].type) == bytes && at + bytes <= o->type->size)
			return (const char *)table->d_buf + at;
	}
	return NULL;
}

static const char *read_table(struct policy_object *o, const struct sections *found)
{
	const Elf_Data *table = found->table;
	const char *name = member(o, table, "name", sizeof(o->name)),
		   *flags = member(o, table, "flags", sizeof(o->flags)),
		   *timeout = member(o, table, "timeout_ms", sizeof(o->timeout_ms));

	if (!name || !flags || !timeout)
		return "its table comes from another version of optee_admission.h; build it with "
		       "this one";
	memcpy(&o->flags, flags, sizeof(o->flags));
	memcpy(&o->timeout_ms, timeout, sizeof(o->timeout_ms));
	o->timeout_at = o->data + found->table_offset + (timeout - (const char *)table->d_buf);
	memcpy(o->name, name, sizeof(o->name));
	if (!o->name[0])
		return "its table has no name; add .name = \"...\" to it";
	for (size_t i = 0; i < sizeof(o->name) && o->name[i]; i++)
		if (i == sizeof(o->name) - 1 || o->name[i] <= ' ' || o->name[i] > '~') {
			o->name[0] = '\0';
			return "its name is not one word of at most 15 plain letters";
		}
	if (o->timeout_ms > OPTEE_ADM_TIMEOUT_MS)
		return "its timeout_ms is more than 30000";
	return NULL;
}

/* A callback that the policy has is a relocation in its table. */
static void find_used(struct policy_object *o, const struct sections *found)
{
	const Elf_Data *data = found->relocations;

	for (size_t r = 0; data && r < data->d_size / sizeof(Elf64_Rel); r++) {
		Elf64_Rel relocation; /* which may be anywhere in a file */
		u64 offset;

		memcpy(&relocation, (const char *)data->d_buf + r * sizeof(relocation),
		       sizeof(relocation));
		offset = relocation.r_offset;
		for (u32 i = 0; i < btf_vlen(o->type) && i < 64; i++)
			if (offset == btf_member_bit_offset(o->type, i) / 8)
				o->used |= 1ULL << i;
	}
}

static const char *understand(struct policy_object *o, Elf *elf)
{
	struct sections found = {};
	const char *why = find_sections(elf, &found);

	if (why)
		return why;
	o->btf = btf__new(found.btf->d_buf, (u32)found.btf->d_size);
	if (!o->btf)
		return "its BTF cannot be read; build it again";
	why = find_type(o, &found);
	if (!why)
		why = read_table(o, &found);
	if (!why)
		find_used(o, &found);
	return why;
}

/* file NULL: it is carried */
enum status policy_object_open_as(struct policy_object *o, const char *verb, const char *given,
				  const char *file)
{
	enum status status;
	const char *why;
	Elf *elf;

	*o = (struct policy_object){ .given = given };
	snprintf(o->doing, sizeof(o->doing), "%s '%s'", verb, given);
	status = file ? take_file(o, file) : take_carried(o);
	if (status == STATUS_OK && !o->data)
		status = fail(STATUS_FAILURE, "cannot %s: out of memory", o->doing);
	if (status == STATUS_OK) {
		elf_version(EV_CURRENT);
		elf = elf_memory(o->data, o->size);
		why = understand(o, elf);
		elf_end(elf);
		if (why)
			status = fail(STATUS_FAILURE, "cannot %s: %s", o->doing, why);
	}
	if (status != STATUS_OK)
		policy_object_close(o);
	return status;
}

enum status policy_object_open(struct policy_object *o, const char *verb, const char *given)
{
	return policy_object_open_as(o, verb, given, is_file(given) ? given : NULL);
}

void policy_object_close(struct policy_object *o)
{
	btf__free(o->btf);
	free(o->data);
	*o = (struct policy_object){};
}

void policy_object_set_timeout(struct policy_object *o, u32 timeout_ms)
{
	o->timeout_ms = timeout_ms;
	memcpy(o->timeout_at, &timeout_ms, sizeof(timeout_ms));
}
