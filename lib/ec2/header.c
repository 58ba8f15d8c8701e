/* SPDX-License-Identifier: Apache-2.0 */
/* Finding headers, RFC 9110 section 5. Reading HTTP itself is the host's. */
#include "ec2/header.h"

#include <string.h>

#include "base/bytes.h"

uint8_t s2_ec2_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool s2_ec2_name_equal(s2svpn_span a, s2svpn_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (s2_ec2_lower(a.p[i]) != s2_ec2_lower(b.p[i]))
            return false;
    }
    return true;
}

int s2_ec2_compare(s2svpn_span a, s2svpn_span b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

s2svpn_span s2_ec2_trim(s2svpn_span s)
{
    while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

const s2svpn_ec2_header *s2_ec2_header_find(const s2svpn_ec2_request_data *req, const char *name)
{
    const s2svpn_span wanted = s2_span(name, strlen(name));

    for (size_t i = 0; i < req->header_count; i++) {
        if (s2_ec2_name_equal(req->header[i].name, wanted))
            return &req->header[i];
    }
    return NULL;
}

bool s2_ec2_header_has(const s2svpn_ec2_request_data *req, s2svpn_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (s2_ec2_lower(name.p[i]) != name.p[i])
            return false;
    }
    for (size_t i = 0; i < req->header_count; i++) {
        if (s2_ec2_name_equal(req->header[i].name, name))
            return true;
    }
    return false;
}
