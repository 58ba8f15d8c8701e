/* SPDX-License-Identifier: Apache-2.0 */
/* The vendor IDs that mean something: which one a payload is, and ours to send. NAT-T's
 * and fragmentation's are MD5 of a text ("RFC 3947", "draft-ietf-ipsec-nat-t-ike-03",
 * "FRAGMENTATION"), DPD's stands in RFC 3706 section 5.1. RFC 2408 section 3.16. */
#include "ike/v1/message.h"

#include "base/bytes.h"

#define VERSION_MAX 4 /* bytes that may stand behind a known one */
#define VENDOR_MAX 32

static const struct {
    const char *bytes, *words;
} vendors[S2_IKE1_VENDOR_COUNT] = {
#define ROW(name, bytes, words) {bytes, words},
    S2_IKE1_VENDOR_LIST(ROW)
#undef ROW
};

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The bytes of a row; returns how many. */
static size_t bytes_of(size_t vendor, uint8_t out[VENDOR_MAX])
{
    const char *text = vendors[vendor].bytes;
    size_t len = 0;

    for (; text[2 * len] != '\0' && len < VENDOR_MAX; len++)
        out[len] = (uint8_t)(digit(text[2 * len]) << 4 | digit(text[2 * len + 1]));
    return len;
}

enum s2_ike1_vendor s2_ike1_vendor_of(s2svpn_span body)
{
    for (size_t i = 0; i < S2_IKE1_VENDOR_COUNT; i++) {
        uint8_t known[VENDOR_MAX];
        const size_t len = bytes_of(i, known);

        if (body.len >= len && body.len <= len + VERSION_MAX &&
            s2_span_equal(s2_span(body.p, len), s2_span(known, len)))
            return (enum s2_ike1_vendor)i;
    }
    return S2_IKE1_VENDOR_COUNT;
}

const char *s2_ike1_vendor_name(enum s2_ike1_vendor vendor)
{
    return (size_t)vendor < S2_IKE1_VENDOR_COUNT ? vendors[vendor].words : "?";
}

uint32_t s2_ike1_vendors(const struct s2_ike1_payloads *list)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].type != S2_IKE1_PAYLOAD_VENDOR)
            continue;
        const enum s2_ike1_vendor vendor = s2_ike1_vendor_of(list->item[i].body);
        if (vendor != S2_IKE1_VENDOR_COUNT)
            bits |= UINT32_C(1) << vendor;
    }
    return bits;
}

void s2_ike1_write_vendor(struct s2_ike1_chain *c, enum s2_ike1_vendor vendor)
{
    uint8_t bytes[VENDOR_MAX];
    const size_t len = bytes_of(vendor, bytes);

    s2_ike1_payload_begin(c, S2_IKE1_PAYLOAD_VENDOR);
    s2_write_bytes(c->w, bytes, len);
    if (vendor == S2_IKE1_VENDOR_DPD || vendor == S2_IKE1_VENDOR_UNITY)
        s2_write_u16(c->w, 0x0100); /* version 1.0 */
    if (vendor == S2_IKE1_VENDOR_FRAGMENTATION)
        s2_write_u32(c->w, UINT32_C(0x80000000)); /* main mode */
    s2_ike1_payload_end(c);
}

enum s2_ike1_vendor s2_ike1_natt_best(uint32_t theirs, bool *draft)
{
    for (size_t i = S2_IKE1_VENDOR_NATT_RFC; i <= S2_IKE1_VENDOR_NATT_02_BARE; i++) {
        if ((theirs & UINT32_C(1) << i) != 0) {
            *draft = i != S2_IKE1_VENDOR_NATT_RFC;
            return (enum s2_ike1_vendor)i;
        }
    }
    return S2_IKE1_VENDOR_COUNT;
}
