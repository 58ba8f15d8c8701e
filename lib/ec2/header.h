/* SPDX-License-Identifier: Apache-2.0 */
/* A request's headers: names in any case, values without the blanks around them. */
#ifndef S2_EC2_HEADER_H
#define S2_EC2_HEADER_H

#include "s2svpn/ec2.h"

/* The first of this name (in lower case), or NULL. */
const s2svpn_ec2_header *s2_ec2_header_find(const s2svpn_ec2_request_data *req, const char *name);
/* Was one sent whose name in lower case is this? */
bool s2_ec2_header_has(const s2svpn_ec2_request_data *req, s2svpn_span name);
/* Equal in any case. */
bool s2_ec2_name_equal(s2svpn_span a, s2svpn_span b);
uint8_t s2_ec2_lower(uint8_t c);
s2svpn_span s2_ec2_trim(s2svpn_span s); /* blanks and tabs */
int s2_ec2_compare(s2svpn_span a, s2svpn_span b);

#endif
