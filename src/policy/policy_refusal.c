// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verifier's log has an instruction a line, comments with the source line that it was
 * compiled from, and the reason, which comes last but for statistics.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "policy/policy_object.h"
#include "policy/policy_refusal.h"

struct part {
	const char *text;
	size_t len;
};

/* What stands between the two; its text NULL: nothing does. */
static struct part between(const char *text, const char *begin, const char *end)
{
	const char *at = strstr(text, begin);

	if (!at)
		return (struct part){};
	at += strlen(begin);
	return (struct part){ at, strcspn(at, end) };
}

/* What libbpf says when a policy does not fit the driver, and what that means. */
static const struct {
	const char *begin, *end, *means;
} misfits[] = {
	/* of a field that is looked up in the driver's struct optee_adm_call */
	{ "failed to resolve CO-RE relocation <", "\n", "optee_adm_call" },
	{ ": Cannot find member ", " ", "optee_admission_ops" },
	{ ": Unmatched member type ", " ", "optee_admission_ops" },
	{ "Error in size of member ", ":", "optee_admission_ops" },
	{ ": Failed to resolve size of member ", ":", "optee_admission_ops" },
};

static bool say_misfit(const char *said, char *why, size_t len)
{
	for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
		struct part member = between(said, misfits[i].begin, misfits[i].end);

		if (!member.text)
			continue;
		if (!i) { /* byte_off> [7] struct optee_adm_call.NAME (0:5 @ offset 20) */
			member = between(member.text, "optee_adm_call.", " (\n");
			if (!member.text)
				continue;
		}
		snprintf(why, len, "this driver's struct %s has no such '%.*s'" OTHER_CONTRACT,
			 misfits[i].means, (int)member.len, member.text);
		return true;
	}
	return false;
}

/* "12: (85) call ...", "from 3 to 7: ..." and what else is no reason. */
static bool is_trace(const char *line, size_t len)
{
	static const char *const others[] = { "processed ",   "verification time", "stack depth",
					      "cur state:",   "old state:",        "from ",
					      "mark_precise", "Global function",   "Func#",
					      "Validating " };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strncmp(line, others[i], strlen(others[i])))
			return true;
	return !len || *line == ';' || line[strspn(line, "0123456789")] == ':';
}

/* The last line with a source: "; TEXT @ FILE:LINE". Before Linux 6.10: "; TEXT". */
static void say_source(const struct part *line, char *why, size_t len)
{
	struct part text = { line->text + 2, line->len - 2 };

	for (size_t i = text.len; i-- > 0;)
		if (!strncmp(text.text + i, " @ ", 3)) {
			snprintf(why, len, "%.*s: '%.*s': ", (int)(text.len - i - 3),
				 text.text + i + 3, (int)i, text.text);
			return;
		}
	snprintf(why, len, "'%.*s': ", (int)text.len, text.text);
}

/* What check_member() of the driver refuses: the verifier names the callback and nothing else. */
static bool say_unsupported(const char *said, char *why, size_t len)
{
	struct part member = between(said, "attach to unsupported member ", " ");

	if (!member.text)
		return false;
	snprintf(why, len,
		 "this driver refuses its %.*s: a policy may have no kfuncs, iterators, callbacks, "
		 "may_goto or functions that are neither static nor inline, and only its init and "
		 "exit may sleep; the kernel's log may say which it is",
		 (int)member.len, member.text);
	return true;
}

static bool say_verifier(const char *said, char *why, size_t len)
{
	struct part log = between(said, "-- BEGIN PROG LOAD LOG --\n", "");
	const char *end = log.text ? strstr(log.text, "-- END PROG LOAD LOG --") : NULL;
	struct part source = {}, reason = {};

	for (const char *line = log.text; end && line < end;) {
		size_t n = strcspn(line, "\n");

		if (line[0] == ';' && line[1] == ' ' && n > 2)
			source = (struct part){ line, n };
		else if (!is_trace(line, n))
			reason = (struct part){ line, n };
		line += n + 1;
	}
	if (!reason.text)
		return false;
	why[0] = '\0';
	if (source.text)
		say_source(&source, why, len);
	snprintf(why + strlen(why), len - strlen(why),
		 "%.*s; --verbose shows all that the verifier says", (int)reason.len, reason.text);
	return true;
}

static void say_last(const char *said, int err, char *why, size_t len)
{
	size_t end = strlen(said), begin;

	while (end && said[end - 1] == '\n')
		end--;
	for (begin = end; begin && said[begin - 1] != '\n';)
		begin--;
	if (!strncmp(said + begin, "libbpf: ", 8))
		begin += 8;
	if (begin == end)
		snprintf(why, len, "%s", strerror(-err));
	else
		snprintf(why, len, "%s (%.*s)", strerror(-err), (int)(end - begin), said + begin);
}

void policy_refusal(const char *said, int err, char *why, size_t len)
{
	char text[512], safe[sizeof(text) * 4 + 1];

	if (!say_misfit(said, text, sizeof(text)) && !say_unsupported(said, text, sizeof(text)) &&
	    !say_verifier(said, text, sizeof(text)))
		say_last(said, err, text, sizeof(text));
	snprintf(why, len, "%s", text_sanitise(safe, text, sizeof(text)));
}
