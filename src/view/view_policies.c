// SPDX-License-Identifier: GPL-2.0-only
/* A line for each policy and class that has had calls: its figures that are not 0. */
#include "model/figures.h"
#include "model/policy_reason.h"
#include "optee_admission.h"
#include "view/view_policies.h"

static void put_policy(struct page *p, const struct snap_policy *policy, enum call_class class)
{
	struct figures f = policy_figures(policy, class);
	char text[80];

	/* An attached one is shown before its first call, too. */
	if (!policy->of.counts[class].calls &&
	    (policy->home == POLICY_SHADOW || class == CLASS_SYSTEM))
		return;
	page_newline(p);
	page_put(p, STYLE_BOLD, "      %s", policy->of.name);
	page_put(p, STYLE_PLAIN, " %s %s", policy_home_name(policy->home), class_name(class));
	while (figures_next(&f)) {
		if (f.kind == KIND_IDENTITY || !f.value.known || f.value.number == 0)
			continue;
		page_flow(p, 8, 2, STYLE_PLAIN, "%s %s", f.name,
			  value_format(&f.value, f.unit, text, sizeof(text)));
	}
}

void view_policies_pool(struct page *p, const struct snap_pool *pool)
{
	if (pool->policy_left[0] && pool->policy_reason > OPTEE_ADM_SWAPPED)
		page_flow(p, 6, 2, STYLE_ALARM, "policy %s ejected: %s", pool->policy_left,
			  policy_reason(pool->policy_reason));
	for (u32 i = 0; i < pool->nr_policies; i++)
		for (int class = 0; class < NR_CLASSES; class ++)
			put_policy(p, &pool->policies[i], class);
}
