// SPDX-License-Identifier: GPL-2.0-only
/* The fields of an SCMI message: what the transfers of it that called the TEE have taken. */
#include <stdio.h>
#include "model/field_get.h"
#include "model/fields.h"
#include "model/scmi_names.h"

#define SCMI_FIELD(name) static struct value scmi_##name(const struct snap_scmi *row)

#define SCMI_NUMBER(name, known, expr)                                                             \
	SCMI_FIELD(name)                                                                           \
	{                                                                                          \
		return number_if(known, (double)(expr));                                           \
	}

/* One without a name has its number; unknown: those of all others. */
static struct value name_or_number(const struct snap_scmi *row, const char *name, u8 n)
{
	char hex[8];

	if (row->other)
		return unknown();
	snprintf(hex, sizeof(hex), "0x%02x", n);
	return text(name ?: hex);
}

SCMI_FIELD(protocol)
{
	return name_or_number(row, scmi_protocol_name(row->protocol), row->protocol);
}

SCMI_FIELD(message)
{
	return name_or_number(row, scmi_message_name(row->protocol, row->message), row->message);
}

SCMI_NUMBER(protocol_id, !row->other, row->protocol)
SCMI_NUMBER(message_id, !row->other, row->message)
SCMI_NUMBER(count, true, row->count)
SCMI_NUMBER(failed, true, row->failed)
SCMI_NUMBER(time, true, row->ns)

SCMI_FIELD(mean)
{
	return row->count ? number((double)(row->ns / row->count)) : unknown();
}

SCMI_NUMBER(longest, row->count, row->max_ns)
SCMI_NUMBER(wait, true, row->wait_ns)

const struct scmi_field scmi_fields[] = {
	{ "protocol", UNIT_TEXT, KIND_IDENTITY,
	  "name of the protocol, or its number; unknown in the row of those that found no other",
	  .get = scmi_protocol },
	{ "protocol_id", UNIT_COUNT, KIND_IDENTITY, "its number", .get = scmi_protocol_id },
	{ "message", UNIT_TEXT, KIND_IDENTITY, "name of the message, or its number",
	  .get = scmi_message },
	{ "message_id", UNIT_COUNT, KIND_IDENTITY, "its number", .get = scmi_message_id },
	{ "count", UNIT_COUNT, KIND_TOTAL, "transfers that ended and had called OP-TEE", scmi_count,
	  "optee_scmi_transfers_total" },
	{ "failed", UNIT_COUNT, KIND_TOTAL, "of these, transfers that SCMI's core says failed",
	  scmi_failed, "optee_scmi_transfers_failed_total" },
	{ "time", UNIT_NS, KIND_TOTAL,
	  "total time of these transfers, from SCMI's core to OP-TEE and back; also waits for others on the same channel",
	  scmi_time, "optee_scmi_seconds_total" },
	{ "mean", UNIT_NS, KIND_NOW, "time divided by count", .get = scmi_mean },
	{ "longest", UNIT_NS, KIND_PEAK, "longest of them", scmi_longest,
	  "optee_scmi_longest_seconds" },
	{ "wait", UNIT_NS, KIND_TOTAL, "of time, what their calls waited in the queue", scmi_wait,
	  "optee_scmi_wait_seconds_total" },
};

const size_t nr_scmi_fields = sizeof(scmi_fields) / sizeof(scmi_fields[0]);
