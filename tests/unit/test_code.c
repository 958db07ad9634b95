// SPDX-License-Identifier: GPL-2.0-only
/* probe/code: where an instruction of arm64 calls to, as its architecture's manual has it. */
#include "unit.h"
#include "probe/code.h"

UNIT_TEST(code_calls_are_told_from_jumps)
{
	assert_int_equal(code_call_target(0x1000, 0x94000002), 0x1008); /* bl +8 */
	assert_int_equal(code_call_target(0x1000, 0x97ffffff), 0xffc);  /* bl -4 */
	assert_int_equal(code_call_target(0xffff800080000000, 0x95ffffff), 0xffff800087fffffc);
	assert_int_equal(code_call_target(0xffff800080000000, 0x96000000), 0xffff800078000000);
	assert_int_equal(code_call_target(0x1000, 0x14000002), 0); /* b +8 */
	assert_int_equal(code_call_target(0x1000, 0xd65f03c0), 0); /* ret */
}
