// SPDX-License-Identifier: GPL-2.0-only
/* The commands as help and manual show them. */
#include "command/commands.h"

#define ROW(name, args, help) { #name, args, help },

const struct command_help command_table[] = { COMMANDS(ROW) };
const size_t nr_commands = sizeof(command_table) / sizeof(command_table[0]);

const struct command_help policy_commands[] = { POLICY_COMMANDS(ROW) };
const size_t nr_policy_commands = sizeof(policy_commands) / sizeof(policy_commands[0]);
