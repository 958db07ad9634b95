// SPDX-License-Identifier: GPL-2.0-only
/* Sentences about an event. They say only what was seen. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include "base/printable.h"
#include "base/text.h"
#include "model/condition_table.h"
#include "model/event_text.h"

/* Appends; what does not fit is cut off between two characters. */
static size_t say(char *buf, size_t len, size_t at, const char *fmt, ...)
{
	va_list args;
	int n;

	if (at >= len)
		return at;
	va_start(args, fmt);
	n = vsnprintf(buf + at, len - at, fmt, args);
	va_end(args);
	if (n < 0)
		return at;
	if ((size_t)n >= len - at)
		printable_end(buf);
	return at + (size_t)n;
}

const char *event_why(const struct event *e, char *buf, size_t len)
{
	buf[0] = '\0';
	condition_table[e->condition].why(e, buf, len);
	return buf;
}

static size_t say_task(char *buf, size_t len, size_t at, const struct event_party *p)
{
	const char *name = p->comm[0] ? p->comm : p->client[0] ? p->client : "?";

	if (!p->tid)
		return say(buf, len, at, "somebody");
	return say(buf, len, at, "%s(%u)", name, p->tid);
}

const char *event_party_text(enum condition cond, const struct event_party *p, char *buf,
			     size_t len)
{
	size_t at = say_task(buf, len, 0, p);

	if (condition_table[cond].evidence != EVIDENCE_SESSIONS) {
		say(buf, len, at, " %s",
		    p->waits               ? "waits" :
		    at_arguments(p->phase) ? "waits for the argument cache" :
					     "holds");
	} else if (!p->serial) {
		say(buf, len, at, " left a session open");
	} else {
		at = say(buf, len, at, " left session %u", p->session);
		if (p->ta[0])
			at = say(buf, len, at, " of %s", p->ta);
		say(buf, len, at, " open");
	}
	return buf;
}

#define NOT_LISTED_ROOM sizeof(", 1234567890 not listed")

const char *event_who(const struct event *e, char *buf, size_t len)
{
	int left_out = event_unlisted(e);
	bool full = false;
	size_t at = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < e->nr_parties; i++) {
		char party[EVENT_LINE];
		size_t next;

		if (!event_involves(e, i))
			continue;
		event_party_text(e->condition, &e->parties[i], party, sizeof(party));
		next = say(buf, len, at, "%s%s", at ? ", " : "", party);
		full |= next + NOT_LISTED_ROOM > len;
		if (full) {
			buf[at] = '\0';
			left_out++;
		} else {
			at = next;
		}
	}
	if (left_out)
		say(buf, len, at, "%s%d not listed", at ? ", " : "", left_out);
	return buf;
}

bool event_at_least(const struct event *e)
{
	return condition_table[e->condition].by_starved && e->nr_parties &&
	       e->parties[0].since_at_least;
}

const char *event_report(const struct event *e, char *buf, size_t len)
{
	time_t seconds = (time_t)(e->real_ns / 1000000000);
	char date[32], lasted[32], line[EVENT_LINE];
	struct tm tm;
	size_t at;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	at = say(buf, len, 0, "%s.%03uZ tee%u %s %s", date,
		 (unsigned int)(e->real_ns % 1000000000 / 1000000), e->tee,
		 condition_table[e->condition].name, event_state_name(e->state));
	if (e->state != EVENT_BEGIN)
		at = say(buf, len, at, " after %s%s",
			 e->end_unseen     ? "at most " :
			 event_at_least(e) ? "at least " :
					     "",
			 format_ns(e->duration_ns, lasted, sizeof(lasted)));
	at = say(buf, len, at, ", peak %u: %s", e->peak, event_why(e, line, sizeof(line)));
	if (*event_who(e, line, sizeof(line)))
		say(buf, len, at, "; %s", line);
	return buf;
}

static size_t say_call(char *buf, size_t len, size_t at, const struct event_party *p)
{
	at = say_task(buf, len, at, p);
	if (!call_is_known(p->phase, p->cmd))
		return at;
	if (p->late && p->cmd == CMD_UNKNOWN)
		return say(buf, len, at, " with a call from before the attach");
	at = say(buf, len, at, ", %s", cmd_name(p->cmd));
	if (p->cmd == CMD_INVOKE)
		at = say(buf, len, at, " %u", p->func);
	if (p->ta[0])
		at = say(buf, len, at, " of %s", p->ta);
	return at;
}

static const char *say_swallowed(const struct event *e, char *buf, size_t len)
{
	const struct event_party *p = &e->parties[e->culprit];
	size_t at = say(buf, len, 0, "the wake went to ");
	char time[32];

	at = say_call(buf, len, at, p);
	at = say(buf, len, at,
		 p->waits ? ", which had already been woken" :
			    ", which was in flight and not waiting");
	if (!p->swallowed_ns)
		say(buf, len, at, ", some time before");
	else if (p->swallowed_ns + 1000 < e->since_ns)
		say(buf, len, at, ", %s before",
		    format_ns(e->since_ns - p->swallowed_ns, time, sizeof(time)));
	return buf;
}

static const char *say_link(const struct event *e, u32 i, char *buf, size_t len)
{
	const struct event_party *p = &e->parties[i];
	size_t at = say_call(buf, len, 0, p);
	const char *least = p->since_at_least ? "at least " : "";
	char time[32] = "?";
	bool lock;

	if (p->since_ns && e->mono_ns > p->since_ns)
		format_ns(e->mono_ns - p->since_ns, time, sizeof(time));
	if (p->waits) {
		say(buf, len, at, ", waits in the queue for %s%s", least, time);
		return buf;
	}
	if (at_arguments(p->phase)) {
		at = say(buf, len, at, ", waits for the argument cache for %s", time);
		if (p->behind >= 0) {
			at = say(buf, len, at, ", which is locked by ");
			say_task(buf, len, at, &e->parties[p->behind]);
		}
		return buf;
	}
	at = say(buf, len, at, ", holds a thread for %s%s", least, time);
	if (p->phase == PHASE_RPC)
		at = say(buf, len, at, ", in RPC %s", rpc_name(p->rpc_kind));
	if (p->behind < 0)
		return buf;
	lock = p->rpc_kind == RPC_NOTIFICATION;
	at = say(buf, len, at,
		 lock             ? " for a lock of OP-TEE, behind " :
		 p->by_supplicant ? " by tee-supplicant, behind " :
				    ", behind its own nested call: ");
	at = say_task(buf, len, at, &e->parties[p->behind]);
	if (p->one_of)
		say(buf, len, at, " or another of %s", lock ? "these" : "its threads");
	return buf;
}

const char *event_chain(const struct event *e, u32 n, char *buf, size_t len)
{
	enum condition_evidence evidence = condition_table[e->condition].evidence;

	if (evidence == EVIDENCE_CHAIN && n < e->nr_parties)
		return say_link(e, n, buf, len);
	if (evidence == EVIDENCE_WAKE && !n && e->culprit >= 0)
		return say_swallowed(e, buf, len);
	return NULL;
}
