// SPDX-License-Identifier: GPL-2.0-only
/*
 * The manual page: man/optee-top.8.in, whose @names@ are filled in here from the tables
 * that the program itself works with. The page has the prose, this file the rows.
 */
#include <stdio.h>
#include <string.h>
#include "check/rule_table.h"
#include "check/rules.h"
#include "command/commands.h"
#include "command/help.h"
#include "command/man.h"
#include "daemon/daemon_server.h"
#include "metrics/daemon_stats.h"
#include "model/call_fields.h"
#include "model/condition_table.h"
#include "model/figures.h"
#include "options/opts.h"
#include "policy/policy_state_fields.h"
#include "view/keys.h"

/* Hidden, as in bpf_object.c. */
extern const char man_page[] __attribute__((visibility("hidden")));

__asm__(".pushsection .rodata\n"
	"man_page: .incbin \"man/optee-top.8.in\"\n"
	".byte 0\n"
	".popsection\n");

/* troff takes a leading quote or dot, and every backslash, for its own. */
static void troff(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

static void put_line(const char *text)
{
	troff(text);
	putchar('\n');
}

/* A paragraph under "name args", both in bold. */
static void put_row(const char *name, const char *args, const char *text)
{
	printf(".TP\n.B \"");
	troff(name);
	if (*args)
		putchar(' ');
	troff(args);
	printf("\"\n");
	put_line(text);
}

static void put_field(const char *name, const char *head, enum field_unit unit, const char *help,
		      const char *metric)
{
	printf(".TP\n.B %s\n(%s%s%s%s%s) ", name, unit_words[unit].name, head ? ", column " : "",
	       head ?: "", metric ? ", metric " : "", metric ?: "");
	put_line(help);
}

static void put_figures(struct figures f)
{
	while (figures_next(&f))
		put_field(f.name, NULL, f.unit, f.help, f.metric);
}

static void put_keys(const struct key_help *keys)
{
	for (; keys->key; keys++)
		put_row(keys->key, "", keys->help);
}

static void put_command_rows(const char *group, const struct command_help *table, size_t n)
{
	char name[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s%s", group, table[i].name);
		put_row(name, table[i].args, table[i].help);
	}
}

static void put_commands(void)
{
	put_command_rows("", command_table, nr_commands);
}

static void put_policy_commands(void)
{
	put_command_rows("policy ", policy_commands, nr_policy_commands);
}

static void put_option(const struct option_help *o)
{
	printf(".TP\n");
	if (o->letter)
		printf("\\fB\\-%c\\fR, ", o->letter);
	printf("\\fB\\-\\-");
	troff(o->name);
	printf("\\fR%s%s\n", o->arg ? " " : "", o->arg ?: "");
	put_line(o->help);
}

/* Those of several commands, which it names; then those of one command each. */
static void put_options(void)
{
	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *o = &option_table[i];

		if (o->commands && !strchr(o->commands, ' '))
			continue;
		put_option(o);
		if (o->commands)
			printf(".br\nCommands: %s.\n", o->commands);
	}
	for (size_t c = 0; c < nr_commands; c++) {
		bool first = true;

		for (size_t i = 0; i < nr_options; i++) {
			const struct option_help *o = &option_table[i];

			if (!o->commands || strcmp(o->commands, command_table[c].name) != 0)
				continue;
			if (first)
				printf(".SS Options of %s\n", command_table[c].name);
			first = false;
			put_option(o);
		}
	}
}

static void put_config_options(void)
{
	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *o = &option_table[i];

		if (!o->config)
			continue;
		troff(o->name);
		printf("%s%s\n", o->arg ? " " : "", o->arg ?: "");
	}
}

static void put_statuses(void)
{
	for (size_t i = 0; i < nr_statuses; i++) {
		printf(".TP\n.B %d\n", status_table[i].status);
		put_line(status_table[i].help);
	}
}

static void put_conditions(void)
{
	for (int i = 0; i < NR_CONDS; i++) {
		const struct condition_row *row = &condition_table[i];

		printf(".SS %s%s\n", row->name, row->alarm ? "" : " (may be ordinary load)");
		put_line(row->means);
		put_line(row->so);
		printf(".PP\n");
		put_line(row->remedy);
	}
}

static void put_condition_names(void)
{
	for (int i = 0; i < NR_CONDS; i++)
		printf("%s%s\n", condition_table[i].key, i + 1 < NR_CONDS ? "," : ".");
}

static void put_condition_fields(void)
{
	put_figures(condition_figures(NULL));
}

static void put_event_keys(void)
{
	put_keys(event_keys);
}

static void put_why_keys(void)
{
	put_keys(why_keys);
}

static void put_who_keys(void)
{
	put_keys(who_keys);
}

static void put_host_keys(void)
{
	put_keys(host_keys);
}

static void put_call_records_keys(void)
{
	put_keys(call_records_keys);
}

static void put_policy_keys(void)
{
	put_keys(policy_keys);
}

static void put_view_keys(void)
{
#define KEY_ROW(name, help, ...) { name, help },
	static const struct key_help keys[] = { VIEW_KEYS(KEY_ROW){} };

	put_keys(keys);
}

static void put_policy_last_keys(void)
{
	put_keys(policy_last_keys);
}

static void put_rules_file(void)
{
	put_line(rules_text[0]);
}

static void put_rules_default(void)
{
	put_line(rules_text[1]);
}

static void put_rules(void)
{
	const struct rule_kind *k;

	for (size_t i = 0; (k = rule_kind_at(i)); i++)
		put_row(k->name, rule_arg_help(k->arg), k->help);
}

static void put_usual_rules(void)
{
	char rule[RULE_TEXT];

	for (size_t i = 0; usual_rule(i, rule); i++)
		put_line(rule);
}

static void put_call_fields(void)
{
	char key[64];

	for (size_t i = 0; i < nr_call_fields; i++)
		put_row(field_json_key(call_fields[i].name, call_fields[i].unit, key, sizeof(key)),
			"", call_fields[i].help);
}

static void put_queue_figures(void)
{
	for (size_t i = 0; i < nr_queue_figures; i++)
		put_row(queue_figures[i].name, "", queue_figures[i].help);
}

static void put_session_fields(void)
{
	for (size_t i = 0; i < nr_session_fields; i++)
		put_field(session_fields[i].name, session_fields[i].head, session_fields[i].unit,
			  session_fields[i].help, NULL);
}

static void put_pool_fields(void)
{
	put_figures(pool_figures(NULL, NULL));
}

static void put_policy_fields(void)
{
	put_figures(policy_figures(NULL, CLASS_NORMAL));
}

static void put_ta_fields(void)
{
	put_figures(ta_figures(NULL, NULL));
}

static void put_rpc_fields(void)
{
	for (size_t i = 0; i < nr_rpc_fields; i++)
		put_field(rpc_fields[i].name, NULL, rpc_fields[i].unit, rpc_fields[i].help,
			  rpc_fields[i].metric);
}

static void put_scmi_fields(void)
{
	put_figures(scmi_figures(NULL));
}

static void put_losses(void)
{
	put_figures(loss_figures(NULL));
}

/* Rows of one metric follow each other. */
static void put_daemon_stat_fields(void)
{
	for (int i = 0; i < NR_DAEMON_STATS; i++)
		if (!i ||
		    strcmp(daemon_stat_fields[i].metric, daemon_stat_fields[i - 1].metric) != 0)
			put_row(daemon_stat_fields[i].metric, "", daemon_stat_fields[i].help);
}

static void put_socket(void)
{
	troff(SOCKET_PATH);
}

static void put_config(void)
{
	troff(CONFIG_PATH);
}

static void put_loss_metric(void)
{
	troff(LOSS_METRIC);
}

static void put_exhausted_ms(void)
{
	printf("%d", (int)(condition_table[COND_EXHAUSTED].report_ns / 1000000));
}

static void put_stranded_ms(void)
{
	printf("%d", (int)(condition_table[COND_STRANDED].report_ns / 1000000));
}

static void put_incomplete(void)
{
	printf("%d", STATUS_INCOMPLETE);
}

static void put_max_clients(void)
{
	printf("%d", MAX_CLIENTS);
}

static void put_max_of_user(void)
{
	printf("%d", MAX_OF_USER);
}

static void put_for_root(void)
{
	printf("%d", FOR_ROOT);
}

#define NAME(name)                                                                                 \
	{                                                                                          \
#name, put_##name                                                                  \
	}

static const struct {
	const char *name;
	void (*put)(void);
} names[] = {
	NAME(commands),
	NAME(options),
	NAME(config_options),
	NAME(statuses),
	NAME(conditions),
	NAME(condition_names),
	NAME(condition_fields),
	NAME(event_keys),
	NAME(why_keys),
	NAME(who_keys),
	NAME(host_keys),
	NAME(rules_file),
	NAME(rules),
	NAME(rules_default),
	NAME(usual_rules),
	NAME(call_fields),
	NAME(policy_commands),
	NAME(policy_keys),
	NAME(policy_last_keys),
	NAME(view_keys),
	NAME(policy_fields),
	NAME(queue_figures),
	NAME(session_fields),
	NAME(pool_fields),
	NAME(ta_fields),
	NAME(rpc_fields),
	NAME(scmi_fields),
	NAME(losses),
	NAME(loss_metric),
	NAME(daemon_stat_fields),
	NAME(call_records_keys),
	NAME(socket),
	NAME(config),
	NAME(exhausted_ms),
	NAME(stranded_ms),
	NAME(incomplete),
	NAME(max_clients),
	NAME(max_of_user),
	NAME(for_root),
};

static bool put_named(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i].name) == len && !strncmp(names[i].name, name, len)) {
			names[i].put();
			return true;
		}
	return false;
}

/*
 * One line of the page; a table brings the line breaks of its rows. Returns what of the
 * line no name could be found for, or NULL.
 */
static const char *put_page_line(const char *line, size_t len)
{
	const char *end = line + len, *at, *close;

	while ((at = memchr(line, '@', (size_t)(end - line)))) {
		printf("%.*s", (int)(at - line), line);
		close = memchr(at + 1, '@', (size_t)(end - at) - 1);
		if (!close || !put_named(at + 1, (size_t)(close - at) - 1))
			return at;
		if (at == line && close == end - 1 && len == (size_t)(end - line))
			return NULL;
		line = close + 1;
	}
	printf("%.*s\n", (int)(end - line), line);
	return NULL;
}

enum status man_print(void)
{
	const char *unknown;
	size_t len;

	for (const char *line = man_page; *line; line += len + 1) {
		len = strcspn(line, "\n");
		if (!strncmp(line, ".\\\"", 3))
			continue;
		unknown = put_page_line(line, len);
		if (unknown)
			return fail(STATUS_FAILURE,
				    "cannot write the manual: nothing is called '%.*s'",
				    (int)(line + len - unknown), unknown);
	}
	return STATUS_OK;
}
