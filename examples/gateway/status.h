/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway says of itself. */
#ifndef S2_GATEWAY_STATUS_H
#define S2_GATEWAY_STATUS_H

#include "gateway/play.h"

/* The connection and its tunnels. */
void status_print(const struct gateway *g, bool json, struct text *out);
/* The VPC's main route table, and what each tunnel's device announced. */
void status_print_routes(const struct gateway *g, bool json, struct text *out);

#endif
