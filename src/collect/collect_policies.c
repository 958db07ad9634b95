// SPDX-License-Identifier: GPL-2.0-only
/* A policy's name comes from an object that anybody may have built: it is printable from here on. */
#include "collect/collect_policies.h"

static void take_name(char to[POLICY_NAME], const char from[POLICY_NAME])
{
	for (int i = 0; i < POLICY_NAME; i++)
		to[i] = !from[i] || (from[i] > ' ' && from[i] <= '~') ? from[i] : '?';
	to[POLICY_NAME - 1] = '\0';
}

static void add(struct snap_pool *to, enum policy_home home, const struct pool_policy *policy)
{
	struct snap_policy *row = &to->policies[to->nr_policies++];

	row->home = home;
	row->of = *policy;
	take_name(row->of.name, policy->name);
}

void collect_policies(const struct probes *probes, u32 index, struct snap_pool *to)
{
	const struct pool *p = &probes->shared->pools[index];

	to->takes_policies = p->driver_ns && p->driver_flags & DRIVER_POLICIES;
	if (to->takes_policies) {
		to->policies_attached = p->policies_attached;
		to->policies_ejected = p->policies_ejected;
		to->policy_reason = p->policy_reason;
		take_name(to->policy_left, p->policy_left);
		if (p->policy.name[0])
			add(to, POLICY_ENFORCED, &p->policy);
	}
	for (u32 i = 0; i < probes->nr_shadows; i++)
		add(to, POLICY_SHADOW, &probes->shadows[index][i]);
}
