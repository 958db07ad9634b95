// SPDX-License-Identifier: GPL-2.0-only
/* What libbpf and the verifier say in a page, in one line; what debugfs says, as JSON. */
#include <errno.h>
#include <string.h>
#include "policy/policy_show.h"
#include "unit.h"
#include "fixtures/capture.h"
#include "command/help.h"
#include "render/json.h"
#include "policy/policy_state_fields.h"
#include "policy/policy_refusal.h"

#define BEGIN                                                                                      \
	"libbpf: prog 'admit': BPF program load failed: Permission denied\n"                       \
	"libbpf: prog 'admit': -- BEGIN PROG LOAD LOG --\n"
#define END                                                                                        \
	"-- END PROG LOAD LOG --\nlibbpf: prog 'admit': failed to load: -13\n"                     \
	"libbpf: failed to load object 'policy'\n"
#define MORE "; --verbose shows all that the verifier says"
#define OTHER                                                                                      \
	"; it was built with another optee_admission.h than this driver: build it with the "       \
	"driver's"

static const struct {
	const char *said, *why;
} cases[] = {
	{ BEGIN "0: R1=ctx() R10=fp0\n; ADMIT @ mine.c:5\n0: (79) r1 = *(u64 *)(r1 +0)\n"
		"; c->free = 100; @ mine.c:7\n2: (63) *(u32 *)(r1 +4) = r2\n"
		"a policy may write to retry_ns, not at 4\n"
		"processed 3 insns (limit 1000000) max_states_per_insn 0\n" END,
	  "mine.c:7: 'c->free = 100;': a policy may write to retry_ns, not at 4" MORE },
	/* as it was before Linux 6.10 */
	{ BEGIN "; c->free = 100;\n2: (63) *(u32 *)(r1 +4) = r2\nno\nprocessed 3 insns\n" END,
	  "'c->free = 100;': no" MORE },
	/* states come behind the reason; text that has an @ itself */
	{ BEGIN "; x = 1 @ 2; @ loop.c:9\nfrom 5 to 3: R0=1 R10=fp0\n5: (05) goto pc-3\n"
		"infinite loop detected at insn 3\ncur state: R0=1\nold state: R0=1\n"
		"processed 9 insns\n" END,
	  "loop.c:9: 'x = 1 @ 2;': infinite loop detected at insn 3" MORE },
	{ BEGIN "no source\nprocessed 9 insns\n" END, "no source" MORE },
	/* nothing of it is the terminal's */
	{ BEGIN "; a\033[2J @ mine.c:1\nno\n" END, "mine.c:1: 'a\\x1b[2J': no" MORE },
	{ BEGIN "2: <invalid CO-RE relocation>\nfailed to resolve CO-RE relocation <byte_off> [7] "
		"struct optee_adm_call.colour (0:26 @ offset 144)\nprocessed 1 insns\n" END,
	  "this driver's struct optee_adm_call has no such 'colour'" OTHER },
	{ "libbpf: struct_ops init_kern policy: Cannot find member tell in kernel BTF\n",
	  "this driver's struct optee_admission_ops has no such 'tell'" OTHER },
	{ BEGIN "attach to unsupported member admit of struct optee_admission_ops\n"
		"processed 0 insns\n" END,
	  "this driver refuses its admit: a policy may have no kfuncs, iterators, callbacks, may_goto "
	  "or functions that are neither static nor inline, and only its init and exit may sleep; "
	  "the kernel's log may say which it is" },
	{ "libbpf: first\nlibbpf: second\n", "Invalid argument (second)" },
	{ "", "Invalid argument" },
	/* cut off */
	{ BEGIN "; c->free = 100; @ mine.c:7\nno", "Invalid argument (no)" },
};

UNIT_TEST(why)
{
	char text[600];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		policy_refusal(cases[i].said, -EINVAL, text, sizeof(text));
		assert_string_equal(text, cases[i].why);
	}
}

static const char debugfs[] =
	"policy single\noff 0\ntimeout_ms 2000\nattached 3\nejected 1\nlast never\n"
	"last_reason 5 a call waited too long\nlast_answer 0\nlast_call 12\n"
	"last_wait_ns 2004000000\nqueue 0 total 4\nqueue 0 free 1\nqueue 0 reserved 2\n"
	"queue 0 sys_waiting 7\nqueue 0 reserve_no 6\nqueue 0 norm_calls 30\n"
	"queue 0 sys_calls 5\nqueue 0 norm_wait_max_ns 18446744073709551615\n"
	"queue 0 since_ns 77\nqueue 0 not_known_here 8\nqueue 1 torn 1\nqueue 1 total 0\nqueue 9 total 2\n"
	"not_known_either 3\nqueue\nqueue 0\nqueue x y\n\n";

static struct policy_state parse(const char *text)
{
	static char copy[sizeof(debugfs) + 64];
	struct policy_state s;

	snprintf(copy, sizeof(copy), "%s", text);
	policy_state_parse(&s, copy);
	return s;
}

UNIT_TEST(parsed)
{
	struct policy_state s = parse(debugfs);
	const struct policy_queue *q = &s.queues[0];
	char text[160];

	assert_string_equal(s.name, "single");
	assert_true(!s.off && s.timeout_ms == 2000 && s.attached == 3 && s.ejected == 1);
	assert_string_equal(s.last, "never");
	assert_int_equal(s.last_reason, 5);
	assert_string_equal(policy_last_why(&s, text, sizeof(text)),
			    "a call waited too long, call 12, waited 2004 ms");
	assert_int_equal(s.nr_queues, 2);
	assert_int_equal(s.queues_left_out, 6);
	assert_true(q->total == 4 && q->free == 1 && q->reserved == 2 && q->sys_waiting == 7);
	assert_true(!q->torn && s.queues[1].torn == 1);
	assert_true(q->since_ns == 77 && q->policy.of.reserve_no == 6);
	assert_string_equal(q->policy.of.name, "single");
	assert_true(q->policy.of.counts[CLASS_NORMAL].calls == 30 &&
		    q->policy.of.counts[CLASS_SYSTEM].calls == 5);
	assert_true(q->policy.of.counts[CLASS_NORMAL].wait_max_ns == ~0ULL);
	s = parse("policy -\noff 1\nlast gives-up\nlast_reason 3 it gave up\nlast_answer -16\n");
	assert_true(!s.name[0] && s.off && s.last_answer == -16 && !s.nr_queues);
	assert_string_equal(policy_last_why(&s, text, sizeof(text)), "it gave up, answer -16");
	s = parse("");
	assert_true(!s.name[0] && !s.last[0]);
}

/* A policy that is not there is no policy of the name '-'. */
UNIT_TEST(shows_that_there_is_none)
{
	struct policy_state s = parse("policy -\noff 1\n");
	struct capture said;
	char buf[512];

	capture_begin(&said, STDOUT_FILENO);
	policy_show_text(&s, 0);
	fflush(stdout);
	capture_end(&said, buf, sizeof(buf));
	assert_non_null(strstr(buf, "no policy attached, and admission_off is set\n"));
}

static bool has(const struct key_help *keys, const char *key)
{
	for (; keys->key; keys++)
		if (!strcmp(keys->key, key))
			return true;
	return false;
}

/* Every key is in the manual, and the other way round. */
static void same_keys(json_t *object, const struct key_help *keys, size_t others)
{
	const char *key;
	json_t *value;
	size_t nr = 0;

	json_object_foreach (object, key, value)
		nr += has(keys, key);
	assert_int_equal(nr + others, json_object_size(object));
	while (keys->key)
		assert_non_null(json_object_get(object, keys++->key));
}

UNIT_TEST(json)
{
	static const struct host host = { .boot_id = "" };
	struct policy_state s = parse(debugfs);
	json_t *o = policy_show_json(&host, &s, 100, 0), *queues, *queue, *policies;

	same_keys(o, policy_keys, 4); /* schema, ts, boot_id, type */
	same_keys(json_object_get(o, "last"), policy_last_keys, 0);
	assert_true(json_is_null(json_object_get(json_object_get(o, "last"), "answer")));
	queues = json_object_get(o, "queues");
	assert_int_equal(json_array_size(queues), 2);
	queue = json_array_get(queues, 0);
	assert_int_equal(json_object_size(queue), nr_queue_figures + 1);
	for (size_t i = 0; i < nr_queue_figures; i++)
		assert_true(json_is_integer(json_object_get(queue, queue_figures[i].name)));
	policies = json_object_get(queue, "policies");
	assert_int_equal(json_array_size(policies), NR_CLASSES);
	assert_int_equal(json_object_size(json_array_get(policies, 0)), nr_policy_fields);
	/* threads that are not counted are none that are free */
	queue = json_array_get(queues, 1);
	assert_true(json_is_null(json_object_get(queue, "total")) &&
		    json_is_null(json_object_get(queue, "free")) &&
		    json_is_null(json_object_get(queue, "since_ns")));
	json_decref(o);
	s = parse("policy -\nqueue 0 total 2\n");
	o = policy_show_json(&host, &s, 100, 0);
	assert_true(json_is_null(json_object_get(o, "policy")) &&
		    json_is_null(json_object_get(o, "timeout_ms")) &&
		    json_is_null(json_object_get(o, "last")));
	queue = json_array_get(json_object_get(o, "queues"), 0);
	assert_int_equal(json_array_size(json_object_get(queue, "policies")), 0);
	json_decref(o);
}
