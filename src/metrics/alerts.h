/* SPDX-License-Identifier: GPL-2.0-only */
/* The alert rules for Prometheus, from the tables: 'optee-top help alerts'. */
#ifndef OPTEE_TOP_ALERTS_H
#define OPTEE_TOP_ALERTS_H

void alerts_print(void); /* help alerts */

#endif
