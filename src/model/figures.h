/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk over the figures of a row: of a pool, a session, a TA, a policy, a condition,
 * an SCMI message, or the losses. Whatever writes all of a row has it from here, whichever table that is from:
 *
 *	struct figures f = pool_figures(s, pool);
 *
 *	while (figures_next(&f))
 *		put(f.name, f.unit, &f.value);
 *
 * Without a row (NULL) it walks over the names alone: for head lines, help and the manual.
 */
#ifndef OPTEE_TOP_FIGURES_H
#define OPTEE_TOP_FIGURES_H

#include "model/fields.h"

struct figures {
	/* The figure that it has come to. */
	const char *name;
	const char *help;
	const char *metric; /* NULL: it is none */
	enum field_unit unit;
	enum field_kind kind;
	struct value value; /* not known where there is no row */

	bool logged; /* to be set before: leaves out those of the interval */

	bool (*take)(struct figures *f); /* the next one; false: there are no more */
	size_t next;
	const struct snapshot *s;
	const void *row;
	enum call_class class;
};

struct figures pool_figures(const struct snapshot *s, const struct snap_pool *pool);
struct figures session_figures(const struct snapshot *s, const struct snap_session *row);
struct figures ta_figures(const struct snapshot *s, const struct snap_ta *row);
struct figures policy_figures(const struct snap_policy *policy, enum call_class class);
struct figures condition_figures(const struct snap_cond *cond);
struct figures scmi_figures(const struct snap_scmi *row);
struct figures loss_figures(const struct snap_losses *losses);

/* Goes on to the next one; false: there are no more. */
bool figures_next(struct figures *f);

#endif
