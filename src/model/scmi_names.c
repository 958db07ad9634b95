// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include "model/scmi_names.h"

#define MESSAGES 16

static const struct protocol {
	const char *name;
	const char *messages[MESSAGES]; /* from 0x3 on: all protocols have the first three */
} protocols[] = {
	{ "base",
	  { [0x3] = "vendor",
	    "sub_vendor",
	    "implementation_version",
	    "list_protocols",
	    "agent",
	    "notify_errors",
	    "device_permissions",
	    "protocol_permissions",
	    "reset_agent" } },
	{ "power",
	  { [0x3] = "domain_attributes",
	    "state_set",
	    "state_get",
	    "state_notify",
	    "change_requested_notify",
	    "domain_name" } },
	{ "system", { [0x3] = "state_set", "state_notify" } },
	{ "perf",
	  { [0x3] = "domain_attributes",
	    "describe_levels",
	    "limits_set",
	    "limits_get",
	    "level_set",
	    "level_get",
	    "notify_limits",
	    "notify_level",
	    "describe_fastchannel",
	    "domain_name" } },
	{ "clock",
	  { [0x3] = "attributes",
	    "describe_rates",
	    "rate_set",
	    "rate_get",
	    "config_set",
	    "name",
	    "rate_notify",
	    "change_requested_notify",
	    "config_get",
	    "possible_parents",
	    "parent_set",
	    "parent_get",
	    "permissions" } },
	{ "sensor",
	  { [0x3] = "description",
	    "trip_point_notify",
	    "trip_point_config",
	    "reading",
	    "axis_description",
	    "update_intervals",
	    "config_get",
	    "config_set",
	    "continuous_notify",
	    "name",
	    "axis_name" } },
	{ "reset", { [0x3] = "domain_attributes", "reset", "notify", "domain_name" } },
	{ "voltage",
	  { [0x3] = "domain_attributes",
	    "describe_levels",
	    "config_set",
	    "config_get",
	    "level_set",
	    "level_get",
	    "domain_name" } },
	{ "powercap",
	  { [0x3] = "domain_attributes",
	    "cap_get",
	    "cap_set",
	    "pai_get",
	    "pai_set",
	    "domain_name",
	    "measurements_get",
	    "cap_notify",
	    "measurements_notify",
	    "describe_fastchannel" } },
	{ "pinctrl",
	  { [0x3] = "attributes",
	    "list_associations",
	    "settings_get",
	    "settings_configure",
	    "request",
	    "release",
	    "name",
	    "permissions" } },
};

#define NR_PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

static const struct protocol *find(u8 protocol)
{
	size_t at = (size_t)protocol - SCMI_PROTOCOL_FIRST;

	return at < NR_PROTOCOLS ? &protocols[at] : NULL;
}

const char *scmi_protocol_name(u8 protocol)
{
	const struct protocol *p = find(protocol);

	return p ? p->name : NULL;
}

const char *scmi_message_name(u8 protocol, u8 message)
{
	static const char *const common[] = { "version", "protocol_attributes",
					      "message_attributes" };
	const struct protocol *p = find(protocol);

	if (message < sizeof(common) / sizeof(common[0]))
		return common[message];
	return p && message < MESSAGES ? p->messages[message] : NULL;
}

const char *scmi_protocols_text(u32 protocols_seen, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (u32 bit = 0; bit <= SCMI_BIT_OTHER && at < len; bit++) {
		const char *name = bit < NR_PROTOCOLS ? protocols[bit].name : NULL;
		const char *comma = at ? "," : "";

		if (!(protocols_seen >> bit & 1))
			continue;
		if (name)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", comma, name);
		else if (bit == SCMI_BIT_OTHER)
			at += (size_t)snprintf(buf + at, len - at, "%sother", comma);
		else
			at += (size_t)snprintf(buf + at, len - at, "%s0x%02x", comma,
					       SCMI_PROTOCOL_FIRST + bit);
	}
	return buf;
}
