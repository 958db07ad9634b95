/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy as it was built: a BPF object with one table of callbacks. What can be said of
 * it without a kernel; policy_link.c loads it.
 */
#ifndef OPTEE_TOP_POLICY_OBJECT_H
#define OPTEE_TOP_POLICY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"
#include "base/fail.h"
#include "optee_admission.h"

/* What to do with one that does not fit. */
#define OTHER_CONTRACT                                                                             \
	"; it was built with another optee_admission.h than this driver: build it with the driver's"

struct btf;

struct policy_object {
	const char *given;         /* as it was named: NAME or FILE */
	char doing[280];           /* "VERB 'GIVEN'", for errors */
	char name[OPTEE_ADM_NAME]; /* as it calls itself */
	u32 flags;                 /* enum optee_adm_ops_flag */
	u32 timeout_ms;
	char *data; /* ELF */
	size_t size;
	struct btf *btf;
	const struct btf_type *type; /* of the table; what it calls struct optee_admission_ops */
	u64 used;                    /* bit n: member n of it is a callback that it has */
	char *timeout_at;            /* in data */
};

/*
 * given: the name of one that the program carries, or a file, which has a / in its name or ends
 * in .o. After a failure, which it has said ("cannot VERB 'GIVEN': ..."), nothing is open.
 */
enum status policy_object_open(struct policy_object *o, const char *verb, const char *given);
/* The same of an object file that was just made of the source GIVEN. */
enum status policy_object_open_as(struct policy_object *o, const char *verb, const char *given,
				  const char *file);
void policy_object_close(struct policy_object *o);

/*
 * Is that the name at an offset of the BTF's strings? What lies behind their end has none:
 * versions of libbpf before 1.4 let such BTF pass.
 */
bool policy_named(const struct btf *btf, u32 offset, const char *name);

void policy_object_set_timeout(struct policy_object *o, u32 timeout_ms);

#endif
