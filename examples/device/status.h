/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be seen of the device, for people and as JSON. */
#ifndef S2_DEVICE_STATUS_H
#define S2_DEVICE_STATUS_H

#include <stdbool.h>

#include "control/text.h"

struct device;

void status_print(struct device *d, bool json, struct text *out);
/* What was learned, and what of it is in the host's table: routes_print.c. */
void routes_print(struct device *d, bool json, struct text *out);
/* What each tunnel's peer announced: routes_bgp.c. */
void routes_print_bgp(const struct device *d, bool json, struct text *out);

#endif
