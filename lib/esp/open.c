/* SPDX-License-Identifier: Apache-2.0 */
/* Inbound: lengths, window, crypto and trailers for arrays of packets. Doesn't look
 * into the inner packets, nor cut off what is behind them (RFC 4303 section 2.7):
 * their reader knows where they end. RFC 4303 sections 2 and 3.4, appendix A3. */
#include "esp/esp.h"

#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"

#define TRAILER_LEN 2 /* pad length, next header */
#define PACKET_MAX 65535

enum next_header { NEXT_IPV4 = 4, NEXT_IPV6 = 41, NEXT_NONE = 59 };

static void drop(struct s2_esp_open *v, enum s2svpn_drop reason)
{
    v->inner = s2_span(NULL, 0);
    v->drop = (uint8_t)reason;
    s2_esp_count(&v->sa->counters.drops, 1);
}

static bool limit_reached(const struct s2_esp_sa *sa)
{
    return s2_esp_counted(&sa->counters.packets) >= sa->hard_packets ||
           s2_esp_counted(&sa->counters.bytes) >= sa->hard_bytes;
}

/* Take the packet apart and refuse what needs no crypto to be refused. */
static enum s2svpn_drop begin(s2svpn_esp_op *op, struct s2_esp_open *v)
{
    const struct s2_esp_sa *sa = v->sa;
    struct s2_reader r;

    if (v->len > PACKET_MAX)
        return S2SVPN_DROP_TOO_BIG;
    s2_reader_init(&r, v->p, v->len);
    const s2svpn_span head = s2_read_span(&r, S2_ESP_HEADER_LEN + sa->form.iv_len, "esp.header");
    if (r.rc != S2SVPN_OK || r.left < (size_t)TRAILER_LEN + sa->form.icv_len)
        return S2SVPN_DROP_ESP_SHORT;
    const s2svpn_span text = s2_read_span(&r, r.left - sa->form.icv_len, "esp.text");
    const s2svpn_span icv = s2_read_rest(&r);
    if ((text.len & (sa->form.block_len - 1U)) != 0) /* section 2.4 aligns the trailer */
        return S2SVPN_DROP_ESP_PADDING;
    if (limit_reached(sa))
        return S2SVPN_DROP_ESP_LIMIT;
    op->seq = s2_esp_replay_extend(sa, s2_get_u32(head.p + 4));
    if (!s2_esp_replay_ok(sa, op->seq))
        return S2SVPN_DROP_ESP_REPLAY;

    op->session = sa->session;
    op->spi = sa->spi;
    op->iv = (uint8_t *)(uintptr_t)(head.p + S2_ESP_HEADER_LEN); /* only read */
    op->icv = (uint8_t *)(uintptr_t)icv.p;
    op->in[0].p = text.p;
    op->in[0].len = (uint32_t)text.len;
    op->in[1].p = op->in[2].p = NULL;
    op->in[1].len = op->in[2].len = 0;
    op->out = v->out;
    op->result = S2SVPN_ESP_REFUSED;
    return S2SVPN_DROP_NONE;
}

/* Length of what stands before the padding; false if that isn't 1, 2, 3, … (section
 * 2.4). It is checked in full, though the ICV was right: a peer that sends other
 * bytes has another idea of the packet than we. */
static bool find_inner(const uint8_t *plain, size_t len, size_t *inner_len)
{
    const size_t pad_len = plain[len - 2];

    if (pad_len + TRAILER_LEN > len)
        return false;
    *inner_len = len - TRAILER_LEN - pad_len;
    for (size_t i = 0; i < pad_len; i++) {
        if (plain[*inner_len + i] != i + 1)
            return false;
    }
    return true;
}

/* A packet whose ICV was right. What is accepted in the window stays so even if the
 * packet then turns out to be of no use. */
static enum s2svpn_drop finish(const s2svpn_esp_op *op, struct s2_esp_open *v, uint64_t now_ns)
{
    struct s2_esp_sa *sa = v->sa;
    const size_t len = op->in[0].len;
    size_t inner_len = 0;

    if (!s2_esp_replay_ok(sa, op->seq)) /* its twin was in the same batch */
        return S2SVPN_DROP_ESP_REPLAY;
    if (limit_reached(sa))
        return S2SVPN_DROP_ESP_LIMIT;
    v->newest = op->seq > sa->seq;
    s2_esp_replay_accept(sa, op->seq);
    if (!find_inner(v->out, len, &inner_len))
        return S2SVPN_DROP_ESP_PADDING;
    v->next_header = v->out[len - 1];
    if (v->next_header == NEXT_NONE)
        return S2SVPN_DROP_ESP_DUMMY;
    if (v->next_header != NEXT_IPV4 && v->next_header != NEXT_IPV6)
        return S2SVPN_DROP_ESP_NEXT_HEADER;

    v->inner = s2_span(v->out, inner_len);
    s2_esp_count(&sa->counters.packets, 1);
    s2_esp_count(&sa->counters.bytes, inner_len);
    atomic_store_explicit(&sa->counters.last_ns, now_ns, memory_order_relaxed);
    return S2SVPN_DROP_NONE;
}

/* ---- ESN: more than 2^32 packets have been lost, and the guess of the upper half is
 * wrong for ever. Appendix A3: after a row of packets with wrong ICVs one of them is
 * opened once more, with a higher upper half; if that is right the window moves there. A
 * forger pays with a row of packets for one more decryption, and no genuine packet is
 * lost by it: the second try works on a copy. */

/* A packet of the slice for a second try: its place among the operations, or count. Its
 * ciphertext is copied, since opening in place destroys it. */
static size_t prepare_retry(struct s2_esp_lane *lane, const struct s2_esp_open *v, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        const struct s2_esp_sa *sa = v[lane->index[k]].sa;
        const s2svpn_esp_op *op = &lane->op[k];

        if (!sa->esn || sa->strangers < S2_ESP_RETRY_AFTER || op->in[0].len > S2_ESP_RETRY_LEN)
            continue;
        memcpy(lane->retry, op->in[0].p, op->in[0].len);
        return k;
    }
    return count;
}

static void retry(struct s2_esp_lane *lane, const struct s2_esp_open *v, size_t k)
{
    struct s2_esp_sa *sa = v[lane->index[k]].sa;
    s2svpn_esp_op *op = &lane->op[k];
    const uint64_t high = (sa->seq >> 32) + 1 + sa->leap;

    if (op->result != S2SVPN_ESP_AUTH)
        return;
    sa->strangers = 0;
    sa->leap = (uint8_t)((sa->leap + 1) % S2_ESP_LEAPS);
    if (high > UINT32_MAX)
        return;
    op->seq = high << 32 | (uint32_t)op->seq;
    op->in[0].p = lane->retry;
    op->result = S2SVPN_ESP_REFUSED;
    lane->crypto->esp_open(lane->crypto_user, lane->crypto_worker, op, 1);
}

static void count_stranger(struct s2_esp_sa *sa, const s2svpn_esp_op *op)
{
    if (op->result == S2SVPN_ESP_AUTH && sa->strangers < S2_ESP_RETRY_AFTER)
        sa->strangers++;
    else if (op->result == S2SVPN_ESP_OK)
        sa->strangers = sa->leap = 0;
}

static enum s2svpn_drop reason_of(uint8_t result)
{
    return result == S2SVPN_ESP_AUTH ? S2SVPN_DROP_ESP_AUTHENTICATION : S2SVPN_DROP_ESP_BACKEND;
}

static void open_slice(struct s2_esp_lane *lane, struct s2_esp_open *v, size_t n, uint64_t now_ns)
{
    size_t count = 0, again;

    for (size_t i = 0; i < n; i++) {
        const enum s2svpn_drop reason = begin(&lane->op[count], &v[i]);

        v[i].drop = S2SVPN_DROP_NONE;
        if (reason != S2SVPN_DROP_NONE)
            drop(&v[i], reason);
        else
            lane->index[count++] = (uint16_t)i;
    }
    again = prepare_retry(lane, v, count);
    if (count > 0)
        lane->crypto->esp_open(lane->crypto_user, lane->crypto_worker, lane->op, count);
    for (size_t k = 0; k < count; k++) {
        if (k == again)
            retry(lane, v, k);
        count_stranger(v[lane->index[k]].sa, &lane->op[k]);
        struct s2_esp_open *packet = &v[lane->index[k]];
        const enum s2svpn_drop reason = lane->op[k].result == S2SVPN_ESP_OK
                                            ? finish(&lane->op[k], packet, now_ns)
                                            : reason_of(lane->op[k].result);

        if (reason != S2SVPN_DROP_NONE)
            drop(packet, reason);
    }
}

void s2_esp_open(struct s2_esp_lane *lane, struct s2_esp_open *v, size_t n, uint64_t now_ns)
{
    while (n > 0) {
        const size_t slice = n < S2_ESP_BATCH ? n : S2_ESP_BATCH;

        open_slice(lane, v, slice, now_ns);
        v += slice;
        n -= slice;
    }
}

bool s2_esp_peek_spi(const uint8_t *p, size_t len, uint32_t *spi)
{
    struct s2_reader r;

    s2_reader_init(&r, p, len);
    const s2svpn_span head = s2_read_span(&r, S2_ESP_HEADER_LEN, "esp.header");
    if (r.rc != S2SVPN_OK)
        return false;
    *spi = s2_get_u32(head.p);
    return true;
}
