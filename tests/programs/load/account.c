// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the clients say they did. Every call has a record in memory shared with
 * the parent, filled in around the call; nothing is written before the end, so
 * that writing disturbs no timing, and a killed client's account is still there.
 */
#include "load.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const char *const op_names[] = {
	[OP_REGISTER] = "register", [OP_OPEN] = "open",       [OP_INVOKE] = "invoke",
	[OP_CLOSE] = "close",       [OP_RELEASE] = "release",
};

static size_t account_size(size_t limit)
{
	return sizeof(struct account) + limit * sizeof(struct record);
}

struct account *account_new(size_t limit)
{
	struct account *acc = mmap(NULL, account_size(limit), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (acc == MAP_FAILED)
		return NULL;
	acc->limit = limit;
	return acc;
}

void account_free(struct account *acc)
{
	munmap(acc, account_size(acc->limit));
}

/* Did the client do all of its script, and is all of it recorded? */
static bool is_complete(const struct client *c)
{
	const struct account *acc = c->account;

	return !acc->status && acc->ended == acc->begun &&
	       (c->endless || acc->ended == c->planned) &&
	       (!acc->limit || acc->begun <= acc->limit);
}

/*
 * A comm is bytes, JSON is Unicode: byte NN becomes \u00NN unless it is plain
 * ASCII, so that reading the string as Latin-1 gives the bytes back.
 */
void name_print(FILE *out, const char *name)
{
	for (; *name; name++) {
		unsigned char byte = (unsigned char)*name;

		if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
}

static void client_print(FILE *out, const char *type, const struct client *c)
{
	const uint8_t *n = c->uuid.clockSeqAndNode;

	fprintf(out, "{\"type\":\"%s\",\"client\":\"", type);
	name_print(out, c->name);
	fprintf(out,
		"\",\"pid\":%d,\"ta\":\"%s\",\"uuid\":\"%08x-%04x-%04x-%02x%02x-"
		"%02x%02x%02x%02x%02x%02x\"",
		c->account->pid, c->ta, c->uuid.timeLow, c->uuid.timeMid, c->uuid.timeHiAndVersion,
		n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7]);
}

void number_print(FILE *out, const char *key, bool known, uint64_t value)
{
	if (known)
		fprintf(out, ",\"%s\":%" PRIu64, key, value);
	else
		fprintf(out, ",\"%s\":null", key);
}

static void record_print(FILE *out, const struct client *c, const struct record *r)
{
	bool in_session = r->op != OP_REGISTER && r->op != OP_RELEASE;
	bool ended = r->end_ns;
	/* closing and releasing give the caller no result */
	bool judged = ended && r->op != OP_CLOSE && r->op != OP_RELEASE;

	client_print(out, "call", c);
	fprintf(out, ",\"tid\":%d,\"op\":\"%s\"", r->tid, op_names[r->op]);
	number_print(out, "session", in_session, r->session);
	number_print(out, "session_id", in_session && r->session_id, r->session_id);
	number_print(out, "cmd", r->op == OP_INVOKE, r->cmd);
	number_print(out, "value", r->op == OP_INVOKE, r->value);
	number_print(out, "start_ns", true, r->start_ns);
	number_print(out, "end_ns", ended, r->end_ns);
	number_print(out, "result", judged, r->result);
	number_print(out, "origin", judged, r->origin);
	fputs("}\n", out);
}

void account_print(FILE *out, const struct client *c)
{
	const struct account *acc = c->account;
	size_t recorded = acc->begun < acc->limit ? acc->begun : acc->limit;
	size_t begun = 0;

	/* a client killed between taking a record and filling it in made no call */
	for (size_t i = 0; i < recorded; i++) {
		if (!acc->records[i].start_ns)
			continue;
		record_print(out, c, &acc->records[i]);
		begun++;
	}
	client_print(out, "client", c);
	number_print(out, "sessions", true, c->sessions + c->hold_sessions);
	number_print(out, "planned", !c->endless, c->planned);
	number_print(out, "calls", true, acc->ended);
	number_print(out, "failed", true, acc->failed);
	number_print(out, "recorded", true, begun);
	number_print(out, "in_flight", true, acc->begun - acc->ended);
	number_print(out, "exit", WIFEXITED(acc->status), (uint64_t)WEXITSTATUS(acc->status));
	number_print(out, "signal", WIFSIGNALED(acc->status), (uint64_t)WTERMSIG(acc->status));
	fprintf(out, ",\"complete\":%s}\n", is_complete(c) ? "true" : "false");
}
