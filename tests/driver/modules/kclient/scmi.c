// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients of SCMI, by way of the kernel's clocks and resets: their calls reach OP-TEE through
 * the sessions of SCMI's transport. The device tree says which clocks and resets there are
 * (tests/vm/optee_vm/scmi.py).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "kclient.h"

#include <linux/clk.h>
#include <linux/err.h>
#include <linux/of.h>
#include <linux/reset.h>

int scmi_get(struct client *c)
{
	struct device_node *users = of_find_compatible_node(NULL, NULL, "optee-top,scmi-users");
	long err;

	if (c->clock != NEVER) {
		c->clk = of_clk_get(users, c->clock);
		err = PTR_ERR_OR_ZERO(c->clk);
	} else {
		c->rstc = of_reset_control_get_exclusive_by_index(users, c->reset);
		err = PTR_ERR_OR_ZERO(c->rstc);
	}
	of_node_put(users);
	if (!err)
		return 0;
	pr_err("'%s' cannot have its clock or reset of SCMI: error %ld\n", c->name, err);
	c->clk = NULL;
	c->rstc = NULL;
	return err;
}

void scmi_put(struct client *c)
{
	clk_put(c->clk);
	reset_control_put(c->rstc);
}

/* A rate that is set already would make no call: each one differs from the one before. */
void scmi_invoke(struct client *c, u32 turn)
{
	struct record *r = record_begin(c, c->clk ? OP_RATE : OP_RESET);

	if (c->clk)
		record_end(r, clk_set_rate(c->clk, c->wait_ms * USEC_PER_MSEC + 1 + turn % 2), 0);
	else
		record_end(r, reset_control_reset(c->rstc), 0);
}
