/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables that an export as CSV can write. */
#ifndef OPTEE_TOP_EXPORT_CSV_H
#define OPTEE_TOP_EXPORT_CSV_H

#include <stdbool.h>

/* Is there such a table of CSV? NULL, the default: yes. */
bool export_csv_has(const char *what);

#endif
