// SPDX-License-Identifier: BSD-2-Clause
/*
 * The platform's side of OP-TEE's SCMI server: clocks and reset domains of nothing, for
 * Linux's own SCMI client to have something to call for. What matters is how long a call
 * takes, and its caller chooses that: to set a clock to N Hz takes N microseconds.
 *
 * All channels are served alike; which protocol has which one is for the device tree to say.
 */
#include <confine_array_index.h>
#include <drivers/scmi-msg.h>
#include <drivers/scmi.h>
#include <kernel/delay.h>
#include <kernel/tee_time.h>
#include <string.h>
#include <util.h>

#define CHANNELS  U(4)
#define LONGEST_S 60

static struct scmi_msg_channel scmi_channels[CHANNELS];

/* How a call spends its time. */
static void suspended(uint32_t us) /* in an RPC: Linux sleeps meanwhile */
{
	tee_time_wait(us / 1000);
}

static void busy(uint32_t us) /* in the secure world */
{
	udelay(us);
}

static void at_once(uint32_t us __unused)
{
}

static struct {
	const char *name;
	void (*spend)(uint32_t us);
	unsigned long rate;
	bool on;
} scmi_clocks[] = {
	{ .name = "suspended", .spend = suspended, .rate = 1 },
	{ .name = "busy", .spend = busy, .rate = 1 },
	{ .name = "at-once", .spend = at_once, .rate = 1 },
};

/* A reset names nothing but its domain, so each domain has a time of its own. */
static const struct {
	const char *name;
	uint32_t us;
} scmi_resets[] = {
	{ "1ms", 1000 },
	{ "10ms", 10000 },
	{ "100ms", 100000 },
	{ "1s", 1000000 },
};

static const uint8_t protocols[] = { SCMI_PROTOCOL_ID_CLOCK, SCMI_PROTOCOL_ID_RESET_DOMAIN, 0 };

struct scmi_msg_channel *plat_scmi_get_channel(unsigned int channel_id)
{
	if (channel_id >= CHANNELS)
		return NULL;
	return &scmi_channels[confine_array_index(channel_id, CHANNELS)];
}

const char *plat_scmi_vendor_name(void)
{
	return "optee-top";
}

const char *plat_scmi_sub_vendor_name(void)
{
	return "tests";
}

size_t plat_scmi_protocol_count(void)
{
	return ARRAY_SIZE(protocols) - 1;
}

const uint8_t *plat_scmi_protocol_list(unsigned int channel_id __unused)
{
	return protocols;
}

size_t plat_scmi_clock_count(unsigned int channel_id __unused)
{
	return ARRAY_SIZE(scmi_clocks);
}

const char *plat_scmi_clock_get_name(unsigned int channel_id __unused, unsigned int scmi_id)
{
	return scmi_clocks[scmi_id].name;
}

int32_t plat_scmi_clock_rates_by_step(unsigned int channel_id __unused,
				      unsigned int scmi_id __unused, unsigned long *min_max_step)
{
	min_max_step[0] = 1;
	min_max_step[1] = LONGEST_S * 1000000;
	min_max_step[2] = 1;
	return SCMI_SUCCESS;
}

unsigned long plat_scmi_clock_get_rate(unsigned int channel_id __unused, unsigned int scmi_id)
{
	return scmi_clocks[scmi_id].rate;
}

int32_t plat_scmi_clock_set_rate(unsigned int channel_id __unused, unsigned int scmi_id,
				 unsigned long rate)
{
	if (!rate || rate > LONGEST_S * 1000000)
		return SCMI_OUT_OF_RANGE;
	scmi_clocks[scmi_id].spend(rate);
	scmi_clocks[scmi_id].rate = rate;
	return SCMI_SUCCESS;
}

int32_t plat_scmi_clock_get_state(unsigned int channel_id __unused, unsigned int scmi_id)
{
	return scmi_clocks[scmi_id].on;
}

int32_t plat_scmi_clock_set_state(unsigned int channel_id __unused, unsigned int scmi_id,
				  bool enable_not_disable)
{
	scmi_clocks[scmi_id].on = enable_not_disable;
	return SCMI_SUCCESS;
}

size_t plat_scmi_rd_count(unsigned int channel_id __unused)
{
	return ARRAY_SIZE(scmi_resets);
}

const char *plat_scmi_rd_get_name(unsigned int channel_id __unused, unsigned int scmi_id)
{
	return scmi_resets[scmi_id].name;
}

int32_t plat_scmi_rd_autonomous(unsigned int channel_id __unused, unsigned int scmi_id,
				unsigned int state __unused)
{
	suspended(scmi_resets[scmi_id].us);
	return SCMI_SUCCESS;
}

int32_t plat_scmi_rd_set_state(unsigned int channel_id __unused, unsigned int scmi_id __unused,
			       bool assert_not_deassert __unused)
{
	return SCMI_SUCCESS;
}
