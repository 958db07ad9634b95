// SPDX-License-Identifier: GPL-2.0-only
/*
 * One packet after the other, each built in a buffer. Names are written once and
 * then referred to by number. When the table of them is full it begins anew, and so
 * do the numbers: the format has a flag for that. So a timeline of any length is
 * made in the same memory.
 *
 * The numbers below are those of the fields in Perfetto's trace_packet.proto,
 * track_event.proto, track_descriptor.proto, debug_annotation.proto,
 * interned_data.proto and clock_snapshot.proto.
 */
#include <stdlib.h>
#include "export/intern.h"
#include "export/protobuf.h"
#include "export/timeline.h"

#define PACKET_SIZE  16384
#define MAX_TEXTS    64   /* of one packet that are written once, and their */
#define MAX_BYTES    8192 /* length */
#define SEQUENCE     1    /* all packets are of one */

#define TRACE_PACKET 1

enum packet_field {
	PACKET_CLOCK_SNAPSHOT = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE_ID = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED_DATA = 12,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_DEFAULTS = 59,
	PACKET_TRACK_DESCRIPTOR = 60,
	PACKET_FIRST_ON_SEQUENCE = 87,
};

enum sequence_flags { STATE_CLEARED = 1, NEEDS_STATE = 2 };

enum { DEFAULTS_CLOCK_ID = 58 };

enum clock { CLOCK_ID_REALTIME = 1, CLOCK_ID_MONOTONIC = 3 };

enum clock_snapshot_field { SNAPSHOT_CLOCKS = 1, SNAPSHOT_PRIMARY = 2 };

enum clock_field { CLOCK_FIELD_ID = 1, CLOCK_FIELD_TIME = 2 };

enum descriptor_field {
	DESCRIPTOR_UUID = 1,
	DESCRIPTOR_NAME = 2,
	DESCRIPTOR_PARENT = 5,
	DESCRIPTOR_COUNTER = 8,
	DESCRIPTOR_ORDERING = 11,
	DESCRIPTOR_RANK = 12,
};

enum { ORDERING_EXPLICIT = 3 };

enum { COUNTER_UNIT = 3, COUNTER_UNIT_COUNT = 2 };

enum event_field {
	EVENT_CATEGORY_IID = 3,
	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_NAME_IID = 10,
	EVENT_TRACK = 11,
	EVENT_COUNTER_VALUE = 30,
	EVENT_FLOW = 47,
	EVENT_FLOW_ENDS = 48,
};

enum event_type { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_COUNTER = 4 };

enum annotation_field {
	ANNOTATION_NAME_IID = 1,
	ANNOTATION_BOOL = 2,
	ANNOTATION_NUMBER = 3,
	ANNOTATION_TEXT = 6,
	ANNOTATION_TEXT_IID = 17,
};

/* What is written once: the fields of interned data, and the tracks. */
enum once {
	ONCE_CATEGORY = 1,
	ONCE_EVENT_NAME = 2,
	ONCE_ANNOTATION_NAME = 3,
	ONCE_ANNOTATION_TEXT = 29,
	ONCE_TRACK = 255,
};

enum { INTERNED_IID = 1, INTERNED_TEXT = 2 };

struct timeline {
	FILE *out;
	struct protobuf packet, interned; /* of the packet that is being built */
	size_t in_trace, in_event;        /* where its messages began */
	struct intern once;
	bool begun;
	u8 packet_bytes[PACKET_SIZE], interned_bytes[PACKET_SIZE];
};

struct timeline *timeline_new(FILE *out)
{
	struct timeline *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->out = out;
	t->packet = (struct protobuf){ .data = t->packet_bytes, .size = PACKET_SIZE };
	t->interned = (struct protobuf){ .data = t->interned_bytes, .size = PACKET_SIZE };
	return t;
}

void timeline_free(struct timeline *t)
{
	free(t);
}

static void packet_begin(struct timeline *t)
{
	t->packet.len = t->interned.len = 0;
	t->packet.full = t->interned.full = false;
	t->in_trace = protobuf_begin(&t->packet, TRACE_PACKET);
	protobuf_number(&t->packet, PACKET_SEQUENCE_ID, SEQUENCE);
}

static void packet_end(struct timeline *t)
{
	if (t->interned.len)
		protobuf_bytes(&t->packet, PACKET_INTERNED_DATA, t->interned.data, t->interned.len);
	protobuf_end(&t->packet, t->in_trace);
	if (!t->packet.full && !t->interned.full)
		fwrite(t->packet.data, 1, t->packet.len, t->out);
}

/* The numbers of names begin anew, and the clock is told again. */
static void state_clear(struct timeline *t)
{
	size_t defaults;

	intern_clear(&t->once);
	packet_begin(t);
	protobuf_number(&t->packet, PACKET_SEQUENCE_FLAGS, STATE_CLEARED);
	if (!t->begun)
		protobuf_number(&t->packet, PACKET_FIRST_ON_SEQUENCE, 1);
	defaults = protobuf_begin(&t->packet, PACKET_DEFAULTS);
	protobuf_number(&t->packet, DEFAULTS_CLOCK_ID, CLOCK_ID_MONOTONIC);
	protobuf_end(&t->packet, defaults);
	packet_end(t);
	t->begun = true;
}

static void state_ready(struct timeline *t)
{
	if (!t->begun || !intern_has_room(&t->once, MAX_TEXTS, MAX_BYTES))
		state_clear(t);
}

static u32 once(struct timeline *t, enum once kind, const char *text)
{
	bool is_new;
	u32 iid = intern_text(&t->once, kind, text, &is_new);
	size_t message;

	if (is_new) {
		message = protobuf_begin(&t->interned, kind);
		protobuf_number(&t->interned, INTERNED_IID, iid);
		protobuf_text(&t->interned, INTERNED_TEXT, text);
		protobuf_end(&t->interned, message);
	}
	return iid;
}

static void put_clock(struct protobuf *p, enum clock id, u64 ns)
{
	size_t clock = protobuf_begin(p, SNAPSHOT_CLOCKS);

	protobuf_number(p, CLOCK_FIELD_ID, id);
	protobuf_number(p, CLOCK_FIELD_TIME, ns);
	protobuf_end(p, clock);
}

void timeline_clocks(struct timeline *t, u64 mono_ns, u64 real_ns)
{
	struct protobuf *p = &t->packet;
	size_t snapshot;

	packet_begin(t);
	snapshot = protobuf_begin(p, PACKET_CLOCK_SNAPSHOT);
	put_clock(p, CLOCK_ID_MONOTONIC, mono_ns);
	put_clock(p, CLOCK_ID_REALTIME, real_ns);
	protobuf_number(p, SNAPSHOT_PRIMARY, CLOCK_ID_MONOTONIC);
	protobuf_end(p, snapshot);
	packet_end(t);
}

void timeline_track(struct timeline *t, const struct track *track)
{
	struct protobuf *p = &t->packet;
	size_t descriptor, counter;
	char id[20];
	bool is_new;

	state_ready(t);
	snprintf(id, sizeof(id), "%llx", (unsigned long long)track->id);
	intern_text(&t->once, ONCE_TRACK, id, &is_new);
	if (!is_new)
		return;
	packet_begin(t);
	descriptor = protobuf_begin(p, PACKET_TRACK_DESCRIPTOR);
	protobuf_number(p, DESCRIPTOR_UUID, track->id);
	protobuf_text(p, DESCRIPTOR_NAME, track->name);
	if (track->parent)
		protobuf_number(p, DESCRIPTOR_PARENT, track->parent);
	if (track->kind == TRACK_COUNTER) {
		counter = protobuf_begin(p, DESCRIPTOR_COUNTER);
		protobuf_number(p, COUNTER_UNIT, COUNTER_UNIT_COUNT);
		protobuf_end(p, counter);
	}
	protobuf_number(p, DESCRIPTOR_ORDERING, ORDERING_EXPLICIT);
	protobuf_number(p, DESCRIPTOR_RANK, (u64)track->rank);
	protobuf_end(p, descriptor);
	packet_end(t);
}

static void event_begin(struct timeline *t, enum event_type type, u64 track, u64 ns)
{
	struct protobuf *p = &t->packet;

	state_ready(t);
	packet_begin(t);
	protobuf_number(p, PACKET_TIMESTAMP, ns);
	protobuf_number(p, PACKET_SEQUENCE_FLAGS, NEEDS_STATE);
	t->in_event = protobuf_begin(p, PACKET_TRACK_EVENT);
	protobuf_number(p, EVENT_TYPE, type);
	protobuf_number(p, EVENT_TRACK, track);
}

void timeline_done(struct timeline *t)
{
	protobuf_end(&t->packet, t->in_event);
	packet_end(t);
}

void timeline_begin(struct timeline *t, u64 track, u64 ns, const char *category, const char *name)
{
	event_begin(t, TYPE_BEGIN, track, ns);
	protobuf_number(&t->packet, EVENT_CATEGORY_IID, once(t, ONCE_CATEGORY, category));
	protobuf_number(&t->packet, EVENT_NAME_IID, once(t, ONCE_EVENT_NAME, name));
}

void timeline_end(struct timeline *t, u64 track, u64 ns)
{
	event_begin(t, TYPE_END, track, ns);
}

void timeline_count(struct timeline *t, u64 track, u64 ns, u64 value)
{
	event_begin(t, TYPE_COUNTER, track, ns);
	protobuf_number(&t->packet, EVENT_COUNTER_VALUE, value);
	timeline_done(t);
}

static size_t note_begin(struct timeline *t, const char *name)
{
	size_t note = protobuf_begin(&t->packet, EVENT_ANNOTATION);

	protobuf_number(&t->packet, ANNOTATION_NAME_IID, once(t, ONCE_ANNOTATION_NAME, name));
	return note;
}

void timeline_note_number(struct timeline *t, const char *name, u64 number)
{
	size_t note = note_begin(t, name);

	protobuf_number(&t->packet, ANNOTATION_NUMBER, number);
	protobuf_end(&t->packet, note);
}

void timeline_note_bool(struct timeline *t, const char *name, bool value)
{
	size_t note = note_begin(t, name);

	protobuf_number(&t->packet, ANNOTATION_BOOL, value);
	protobuf_end(&t->packet, note);
}

void timeline_note_text(struct timeline *t, const char *name, const char *text)
{
	size_t note = note_begin(t, name);

	protobuf_number(&t->packet, ANNOTATION_TEXT_IID, once(t, ONCE_ANNOTATION_TEXT, text));
	protobuf_end(&t->packet, note);
}

void timeline_note_words(struct timeline *t, const char *name, const char *text)
{
	size_t note = note_begin(t, name);

	protobuf_text(&t->packet, ANNOTATION_TEXT, text);
	protobuf_end(&t->packet, note);
}

void timeline_flow_out(struct timeline *t, u64 flow)
{
	protobuf_fixed64(&t->packet, EVENT_FLOW, flow);
}

void timeline_flow_in(struct timeline *t, u64 flow)
{
	protobuf_fixed64(&t->packet, EVENT_FLOW_ENDS, flow);
}
