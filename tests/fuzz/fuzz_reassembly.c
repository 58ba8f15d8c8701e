/* SPDX-License-Identifier: Apache-2.0 */
/* IP fragments from anyone, put together. The input is a list of packets: two bytes of
 * length (their highest bit: a second passes), then the packet, of which IPv4's header
 * checksum is made right first. What comes out must be a packet, and no fragment. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "inet/reassembly.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void fix_ip(uint8_t *p, size_t len)
{
    const size_t header_len = len > 0 ? (p[0] & 15U) * 4 : 0;

    if (header_len < 20 || header_len > len || p[0] >> 4 != 4)
        return;
    s2_put_u16(p + 10, 0);
    s2_put_u16(p + 10, s2_checksum_finish(s2_checksum_add(0, p, header_len)));
}

static void one(struct s2_reassembly *r, const uint8_t *data, size_t len, uint64_t now_ns)
{
    uint8_t *p = malloc(len > 0 ? len : 1); /* of the exact size: a read behind it is seen */
    struct s2_inet_view v, again;
    s2svpn_span whole;

    check(p != NULL);
    if (len > 0)
        memcpy(p, data, len);
    fix_ip(p, len);
    if (s2_inet_view(p, len, &v) && v.fragment) {
        const enum s2svpn_drop drop = s2_reassembly_input(r, p, &v, now_ns, &whole);

        check(drop == S2SVPN_DROP_NONE || whole.len == 0);
        check(whole.len <= S2_REASSEMBLY_LEN);
        check(s2_reassembly_count(r) <= S2_REASSEMBLY_PACKETS);
        if (whole.len > 0 && s2_inet_view(whole.p, whole.len, &again))
            check(again.total_len == whole.len);
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct s2_env env = {.memory = s2_memory_default()};
    struct s2_reassembly *r;
    uint64_t now_ns = 0;

    if (s2_reassembly_new(&env, &r) != S2SVPN_OK)
        return 0;
    while (size >= 2) {
        const uint16_t word = s2_get_u16(data);
        const size_t left = size - 2, len = (word & 0x7fff) < left ? word & 0x7fff : left;

        now_ns += word > 0x7fff ? UINT64_C(1000000000) : 0;
        one(r, data + 2, len, now_ns);
        data += 2 + len;
        size -= 2 + len;
    }
    s2_reassembly_free(r);
    return 0;
}
