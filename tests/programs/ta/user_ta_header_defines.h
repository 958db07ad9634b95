/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#define TA_UUID                                                                                    \
	{                                                                                          \
		0x5b9e0e40, 0x2636, 0x11e1,                                                        \
		{                                                                                  \
			0xad, 0x9e, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b                             \
		}                                                                                  \
	}
#define TA_FLAGS      TA_FLAG_EXEC_DDR /* an instance for each session */
#define TA_STACK_SIZE (4 * 1024)
#define TA_DATA_SIZE  (16 * 1024)
#define TA_VERSION    "1.0"

#endif
