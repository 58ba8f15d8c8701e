/* SPDX-License-Identifier: Apache-2.0 */
/* Outbound: numbers, trailers and crypto for arrays of packets. Adds no outside
 * header. RFC 4303 sections 2 and 3.3. */
#include "esp/esp.h"

#include <string.h>

#include "base/bytes.h"

#define TRAILER_LEN 2 /* pad length, next header */
#define PACKET_MAX 65535
#define GATHER_MIN 512 /* bytes; see set_input() */

/* RFC 4303 section 2.4; blocks have at most 16 bytes. */
static const uint8_t padding[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void drop(struct s2_esp_seal *v, enum s2svpn_drop reason)
{
    v->len = 0;
    v->drop = (uint8_t)reason;
    s2_esp_count(&v->sa->counters.drops, 1);
}

/* May the SA carry len more bytes in one more packet? */
static enum s2svpn_drop check_limits(const struct s2_esp_sa *sa, size_t len)
{
    const uint64_t last = sa->esn ? UINT64_MAX : UINT32_MAX;

    if (sa->seq >= last) /* the counter must not wrap: section 3.3.3 */
        return S2SVPN_DROP_ESP_SEQUENCE;
    if (sa->seq >= sa->hard_packets || sa->begun > sa->hard_bytes ||
        len > sa->hard_bytes - sa->begun)
        return S2SVPN_DROP_ESP_LIMIT;
    return S2SVPN_DROP_NONE;
}

/* What the backend reads. Pieces are gathered by the backend where that is cheaper
 * than a copy: each costs it a call into its cipher and work on parts of blocks, 50
 * to 80 ns with OpenSSL, and a copied packet is still in the nearest cache when the
 * cipher comes to it. So only a long piece that is alone is read where it stands,
 * and one that stands in its place in out anyway. */
static void set_input(const struct s2_esp_lane *lane, s2svpn_esp_op *op,
                      const struct s2_esp_seal *v, uint8_t *trailer, size_t trailer_len)
{
    const s2svpn_span head = v->piece[0], tail = v->piece[1];
    const size_t len = head.len + tail.len;
    const s2svpn_span alone = tail.len == 0 ? head : head.len == 0 ? tail : s2_span(NULL, 0);

    op->in[1].p = NULL;
    op->in[1].len = 0;
    if (lane->crypto->esp_gather && alone.len >= GATHER_MIN && alone.p != op->out) {
        op->in[0].p = alone.p;
        op->in[0].len = (uint32_t)len;
        op->in[2].p = trailer;
        op->in[2].len = (uint32_t)trailer_len;
        return;
    }
    if (len > 0 && alone.p != op->out) {
        if (head.len > 0)
            memcpy(op->out, head.p, head.len);
        if (tail.len > 0)
            memcpy(op->out + head.len, tail.p, tail.len);
    }
    memcpy(op->out + len, trailer, trailer_len);
    op->in[0].p = op->out;
    op->in[0].len = (uint32_t)(len + trailer_len);
    op->in[2].p = NULL;
    op->in[2].len = 0;
}

/* Everything but the crypto. False if the packet is dropped; no number is used up
 * then. */
static bool begin(struct s2_esp_lane *lane, s2svpn_esp_op *op, struct s2_esp_seal *v,
                  uint8_t *trailer)
{
    struct s2_esp_sa *sa = v->sa;
    const size_t mask = sa->form.block_len - 1U;

    if (v->piece[0].len > PACKET_MAX || v->piece[1].len > PACKET_MAX - v->piece[0].len) {
        drop(v, S2SVPN_DROP_TOO_BIG);
        return false;
    }
    const size_t len = v->piece[0].len + v->piece[1].len;
    const size_t plain_len = (len + TRAILER_LEN + mask) & ~mask;
    const size_t sealed_len = S2_ESP_HEADER_LEN + sa->form.iv_len + plain_len + sa->form.icv_len;
    if (sealed_len > v->room) {
        drop(v, S2SVPN_DROP_NO_ROOM);
        return false;
    }
    const enum s2svpn_drop reason = check_limits(sa, len);
    if (reason != S2SVPN_DROP_NONE) {
        drop(v, reason);
        return false;
    }

    const size_t pad_len = plain_len - len - TRAILER_LEN;
    memcpy(trailer, padding, sizeof(padding));
    trailer[pad_len] = (uint8_t)pad_len;
    trailer[pad_len + 1] = v->next_header;

    sa->seq++;
    sa->begun += len;
    s2_put_u32(v->out, sa->spi);
    s2_put_u32(v->out + 4, (uint32_t)sa->seq);
    op->session = sa->session;
    op->iv = v->out + S2_ESP_HEADER_LEN;
    op->out = op->iv + sa->form.iv_len;
    op->icv = op->out + plain_len;
    op->seq = sa->seq;
    op->spi = sa->spi;
    op->result = S2SVPN_ESP_REFUSED;
    set_input(lane, op, v, trailer, pad_len + TRAILER_LEN);
    v->len = sealed_len;
    v->drop = S2SVPN_DROP_NONE;
    return true;
}

static void seal_slice(struct s2_esp_lane *lane, struct s2_esp_seal *v, size_t n, uint64_t now_ns)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (begin(lane, &lane->op[count], &v[i], lane->trailer[count]))
            lane->index[count++] = (uint16_t)i;
    }
    if (count > 0)
        lane->crypto->esp_seal(lane->crypto_user, lane->crypto_worker, lane->op, count);
    for (size_t k = 0; k < count; k++) {
        struct s2_esp_seal *packet = &v[lane->index[k]];
        struct s2_esp_counters *c = &packet->sa->counters;

        if (lane->op[k].result != S2SVPN_ESP_OK) {
            drop(packet, S2SVPN_DROP_ESP_BACKEND);
            continue;
        }
        s2_esp_count(&c->packets, 1);
        s2_esp_count(&c->bytes, packet->piece[0].len + packet->piece[1].len);
        atomic_store_explicit(&c->last_ns, now_ns, memory_order_relaxed);
    }
}

void s2_esp_seal(struct s2_esp_lane *lane, struct s2_esp_seal *v, size_t n, uint64_t now_ns)
{
    while (n > 0) {
        const size_t slice = n < S2_ESP_BATCH ? n : S2_ESP_BATCH;

        seal_slice(lane, v, slice, now_ns);
        v += slice;
        n -= slice;
    }
}
