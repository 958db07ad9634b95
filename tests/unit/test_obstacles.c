// SPDX-License-Identifier: GPL-2.0-only
/* What keeps the kernel from loading probes is read from where it says so. */
#include <string.h>
#include "unit.h"
#include "obstacles.h"

static void lockdown(void **state)
{
	(void)state;
	assert_int_equal(lockdown_of_file("[none] integrity confidentiality\n"), LOCKDOWN_NONE);
	assert_int_equal(lockdown_of_file("none [integrity] confidentiality\n"),
			 LOCKDOWN_INTEGRITY);
	assert_int_equal(lockdown_of_file("none integrity [confidentiality]\n"),
			 LOCKDOWN_CONFIDENTIALITY);
	assert_int_equal(lockdown_of_file("none integrity confidentiality\n"), LOCKDOWN_UNKNOWN);
	assert_int_equal(lockdown_of_file("none [integ"), LOCKDOWN_UNKNOWN);
	assert_int_equal(lockdown_of_file(""), LOCKDOWN_UNKNOWN);
}

static void command_line(void **state)
{
	(void)state;
	assert_int_equal(lockdown_of_command_line("root=/dev/sda quiet\n"), LOCKDOWN_UNKNOWN);
	assert_int_equal(lockdown_of_command_line("a lockdown=confidentiality\n"),
			 LOCKDOWN_CONFIDENTIALITY);
	assert_int_equal(lockdown_of_command_line("lockdown=confidentiality lockdown=integrity"),
			 LOCKDOWN_INTEGRITY);
	assert_int_equal(lockdown_of_command_line("xlockdown=integrity lockdown="),
			 LOCKDOWN_UNKNOWN);
}

UNIT_TESTS(lockdown, command_line)
