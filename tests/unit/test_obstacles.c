// SPDX-License-Identifier: GPL-2.0-only
/* What keeps the kernel from loading probes is read from where it says so. */
#include <string.h>
#include "unit.h"
#include "probe/obstacles.h"

UNIT_TEST(lockdown)
{
	assert_int_equal(lockdown_of_file("[none] integrity confidentiality\n"), LOCKDOWN_NONE);
	assert_int_equal(lockdown_of_file("none [integrity] confidentiality\n"),
			 LOCKDOWN_INTEGRITY);
	assert_int_equal(lockdown_of_file("none integrity [confidentiality]\n"),
			 LOCKDOWN_CONFIDENTIALITY);
	assert_int_equal(lockdown_of_file("none integrity confidentiality\n"), LOCKDOWN_UNKNOWN);
	assert_int_equal(lockdown_of_file("none [integ"), LOCKDOWN_UNKNOWN);
	assert_int_equal(lockdown_of_file(""), LOCKDOWN_UNKNOWN);
}

UNIT_TEST(command_line)
{
	assert_int_equal(lockdown_of_command_line("root=/dev/sda quiet\n"), LOCKDOWN_UNKNOWN);
	assert_int_equal(lockdown_of_command_line("a lockdown=confidentiality\n"),
			 LOCKDOWN_CONFIDENTIALITY);
	assert_int_equal(lockdown_of_command_line("lockdown=confidentiality lockdown=integrity"),
			 LOCKDOWN_INTEGRITY);
	assert_int_equal(lockdown_of_command_line("xlockdown=integrity lockdown="),
			 LOCKDOWN_UNKNOWN);
}

/* A likely cause is not shown as the cause, and the kernel's own words are always there. */
UNIT_TEST(causes)
{
	char why[512];

	assert_string_equal(obstacle_text(why, sizeof(why), LOCKDOWN_NONE, "CONFIG_KPROBES", "No"),
			    "No; this kernel was built without CONFIG_KPROBES, which may be why");
	assert_string_equal(obstacle_text(why, sizeof(why), LOCKDOWN_UNKNOWN, "", "No"),
			    "No; OPTEE_TOP_DEBUG=1 shows what the kernel says, for a bug report");
	assert_string_equal(obstacle_text(why, sizeof(why), LOCKDOWN_INTEGRITY, "?", "No"),
			    "No; OPTEE_TOP_DEBUG=1 shows what the kernel says, for a bug report");
	assert_string_equal(
		obstacle_text(why, sizeof(why), LOCKDOWN_CONFIDENTIALITY, "CONFIG_KPROBES", "No"),
		"the kernel is locked down (confidentiality), and lets no BPF program read its "
		"memory (No); boot it with lockdown=integrity, or without lockdown=");
}
