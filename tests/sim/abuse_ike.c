/* SPDX-License-Identifier: Apache-2.0 */
/* Storms of IKE: first messages, pieces, plain errors, replays, noise. */
#include <string.h>

#include "abuse.h"

#define V2 0x20
#define V1 0x10
#define MAIN 2
#define INFO_1 5
#define AUTH 35
#define FROM_INITIATOR 8
#define NOTIFY 41
#define NOTIFY_1 11
#define SKF 53
#define HEADER 28

static uint64_t own_spi(struct abuse *a)
{
    return a->mine << 32 | abuse_roll(a, 1, UINT32_MAX);
}

static size_t any_tunnel(struct abuse *a)
{
    return abuse_roll(a, 0, 1);
}

/* ---- first messages of IKEv2 */

/* RFC 7296 section 3.3: AES_CBC_128, HMAC_SHA2_256, ECP_256, which an endpoint takes; then
 * KE with a value that is any bytes, and a nonce. */
static void write_init(struct abuse *a, struct abuse_message *m, uint64_t spi,
                       const uint8_t *cookie, size_t cookie_len)
{
    static const uint8_t offer[] = {
        0, 0, 0, 44, 1, 1, 0, 4,                   /* one proposal of four transforms */
        3, 0, 0, 12, 1, 0, 0, 12, 128, 14, 0, 128, /* ENCR */
        3, 0, 0, 8,  2, 0, 0, 5,                   /* PRF */
        3, 0, 0, 8,  3, 0, 0, 12,                  /* INTEG */
        0, 0, 0, 8,  4, 0, 0, 19,                  /* KE */
    };
    uint8_t ke[68] = {0, 19}, nonce[32], notify[4 + 64] = {0, 0};

    abuse_header(m, spi, 0, V2, 34, FROM_INITIATOR, 0);
    if (cookie_len > 0 && cookie_len <= 64) {
        abuse_put16(notify + 2, 16390);
        memcpy(notify + 4, cookie, cookie_len);
        abuse_payload(m, NOTIFY, notify, 4 + cookie_len);
    }
    /* With a cookie it is the same message again. */
    for (size_t i = 0; i < 64; i++)
        ke[4 + i] = (uint8_t)(spi >> i % 32);
    for (size_t i = 0; i < sizeof(nonce); i++)
        nonce[i] = (uint8_t)(spi >> i % 24);
    abuse_payload(m, 33, offer, sizeof(offer));
    abuse_payload(m, 34, ke, sizeof(ke));
    abuse_payload(m, 40, nonce, sizeof(nonce));
    (void)a;
}

static void send_init(struct abuse *a, const s2svpn_endpoint *from)
{
    const s2svpn_endpoint to = abuse_gateway(any_tunnel(a), S2SVPN_ROLE_IKE);
    struct abuse_message m;

    write_init(a, &m, own_spi(a), NULL, 0);
    abuse_message_send(a, &m, from, &to);
}

void abuse_init_strangers(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_stranger(a);

    send_init(a, &from);
}

void abuse_init_customer(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_customer(a);

    send_init(a, &from);
}

/* He sits at the customer's uplink and returns every cookie. */
void abuse_init_with_cookies(struct abuse *a)
{
    const struct abuse_kept *k;
    struct abuse_message m;

    abuse_init_customer(a);
    while ((k = abuse_answer(a)) != NULL) {
        if (k->len <= HEADER + 8 || k->data[16] != NOTIFY ||
            abuse_get16(k->data + HEADER + 6) != 16390)
            continue;
        write_init(a, &m, abuse_get64(k->data), k->data + HEADER + 8, k->len - HEADER - 8);
        abuse_message_send(a, &m, &k->remote, &k->local);
    }
}

void abuse_init_many_payloads(struct abuse *a)
{
    static const uint8_t types[] = {43, 41, 37, 38, 33, 200, 40};
    const s2svpn_endpoint from = abuse_customer(a),
                          to = abuse_gateway(any_tunnel(a), S2SVPN_ROLE_IKE);
    const uint8_t type = types[abuse_roll(a, 0, sizeof(types) - 1)];
    const size_t n = abuse_roll(a, 29, 600);
    uint8_t body[64];
    struct abuse_message m;

    write_init(a, &m, own_spi(a), NULL, 0);
    abuse_random(a, body, sizeof(body));
    for (size_t i = 0; i < n; i++)
        abuse_payload(&m, type, body, abuse_roll(a, 0, 8));
    abuse_message_send(a, &m, &from, &to);
}

/* As many transforms as a length can hold, of which none, or only the last, is known. */
void abuse_init_huge_proposals(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_customer(a),
                          to = abuse_gateway(any_tunnel(a), S2SVPN_ROLE_IKE);
    uint8_t body[8200] = {0};
    const size_t n = abuse_roll(a, 65, 1000);
    const size_t each = abuse_roll(a, 1, 255);
    size_t len = 0, transforms = 0;
    struct abuse_message m;

    for (size_t number = 1; transforms < n; number++) {
        const size_t count = n - transforms < each ? n - transforms : each;
        uint8_t *p = body + len;

        if (len + 8 + 8 * count > sizeof(body))
            break;
        transforms += count;
        p[0] = transforms < n && len + 2 * (8 + 8 * each) <= sizeof(body) ? 2 : 0;
        abuse_put16(p + 2, (uint16_t)(8 + 8 * count));
        p[4] = (uint8_t)number;
        p[5] = 1;
        p[7] = (uint8_t)count;
        for (size_t i = 0; i < count; i++) {
            uint8_t *t = p + 8 + 8 * i;

            t[0] = i + 1 < count ? 3 : 0;
            abuse_put16(t + 2, 8);
            t[4] = (uint8_t)abuse_roll(a, 1, 6);
            abuse_put16(t + 6, (uint16_t)abuse_roll(a, 1024, 65535));
        }
        len += 8 + 8 * count;
        if (p[0] == 0)
            break;
    }
    abuse_header(&m, own_spi(a), 0, V2, 34, FROM_INITIATOR, 0);
    abuse_payload(&m, 33, body, len);
    abuse_message_send(a, &m, &from, &to);
}

/* ---- main mode */

/* RFC 2409 appendix A: AES-CBC-128, SHA2-256, pre-shared key, group 14. */
static void send_v1_first(struct abuse *a, const s2svpn_endpoint *from)
{
    static const uint8_t sa[] = {
        0,   0, 0, 1,  0,   0,  0, 1,   /* IPsec, identity only */
        0,   0, 0, 44, 1,   1,  0, 1,   /* a proposal */
        0,   0, 0, 36, 1,   1,  0, 0,   /* a transform, KEY_IKE */
        128, 1, 0, 7,  128, 14, 0, 128, /* cipher and key length */
        128, 2, 0, 4,  128, 3,  0, 1,   /* hash, method */
        128, 4, 0, 14, 128, 11, 0, 1,   128, 12, 112, 128,
    };
    const s2svpn_endpoint to = abuse_gateway(any_tunnel(a), S2SVPN_ROLE_IKE);
    struct abuse_message m;

    abuse_header(&m, own_spi(a), 0, V1, MAIN, 0, 0);
    abuse_payload(&m, 1, sa, sizeof(sa));
    abuse_message_send(a, &m, from, &to);
}

void abuse_v1_first(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_customer(a);

    send_v1_first(a, &from);
}

void abuse_v1_strangers(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_stranger(a);

    send_v1_first(a, &from);
}

/* He sees the answers, and sends a third message to each. */
void abuse_v1_third(struct abuse *a)
{
    const struct abuse_kept *k;
    uint8_t ke[256], nonce[20];
    struct abuse_message m;

    abuse_v1_first(a);
    while ((k = abuse_answer(a)) != NULL) {
        if (k->data[17] != V1 || k->data[18] != MAIN || k->data[16] != 1)
            continue;
        abuse_random(a, ke, sizeof(ke));
        ke[0] = 1; /* below the prime */
        abuse_random(a, nonce, sizeof(nonce));
        abuse_header(&m, abuse_get64(k->data), abuse_get64(k->data + 8), V1, MAIN, 0, 0);
        abuse_payload(&m, 4, ke, sizeof(ke));
        abuse_payload(&m, 10, nonce, sizeof(nonce));
        abuse_message_send(a, &m, &k->remote, &k->local);
    }
}

/* ---- behind an answered first message of his own */

static void answer_with(struct abuse *a, bool pieces)
{
    const struct abuse_kept *k;
    uint8_t body[600];
    struct abuse_message m;

    abuse_init_customer(a);
    while ((k = abuse_answer(a)) != NULL) {
        if (k->data[17] != V2 || abuse_get64(k->data + 8) == 0)
            continue; /* a cookie */
        for (size_t n = 0; n < (pieces ? 20 : 1); n++) {
            abuse_random(a, body, 32);
            memset(body + 32, 0, sizeof(body) - 32);
            abuse_header(&m, abuse_get64(k->data), abuse_get64(k->data + 8), V2, AUTH,
                         FROM_INITIATOR, 1);
            if (pieces) {
                abuse_put16(body, (uint16_t)(n < 2 ? 1 : abuse_roll(a, 0, 65535)));
                abuse_put16(body + 2,
                            (uint16_t)(abuse_roll(a, 0, 1) ? 64 : abuse_roll(a, 0, 65535)));
            }
            abuse_payload(&m, pieces ? SKF : 46, body, sizeof(body));
            m.p[HEADER] = 35; /* the first payload inside */
            abuse_message_send(a, &m, &k->remote, &k->local);
        }
    }
}

void abuse_auth_noise(struct abuse *a)
{
    answer_with(a, false);
}

void abuse_pieces_never_whole(struct abuse *a)
{
    answer_with(a, true);
}

/* ---- pieces */

static void send_piece(struct abuse *a, uint64_t spi_i, uint64_t spi_r, uint8_t flags, uint32_t id,
                       const s2svpn_endpoint *from, const s2svpn_endpoint *to)
{
    uint8_t body[400];
    struct abuse_message m;

    abuse_random(a, body, 40);
    memset(body + 40, 0, sizeof(body) - 40);
    abuse_put16(body, (uint16_t)abuse_roll(a, 0, abuse_roll(a, 0, 1) ? 3 : 65535));
    abuse_put16(body + 2, (uint16_t)abuse_roll(a, 0, abuse_roll(a, 0, 1) ? 3 : 65535));
    abuse_header(&m, spi_i, spi_r, V2, (uint8_t)abuse_roll(a, 35, 37), flags, id);
    abuse_payload(&m, SKF, body, abuse_roll(a, 0, sizeof(body)));
    abuse_message_send(a, &m, from, to);
}

void abuse_pieces_unknown(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_customer(a),
                          to = abuse_gateway(any_tunnel(a), S2SVPN_ROLE_IKE);

    send_piece(a, own_spi(a), own_spi(a), FROM_INITIATOR, (uint32_t)abuse_roll(a, 0, 3), &from,
               &to);
}

/* Of a recorded message; NULL: he has seen none of that version. */
static const uint8_t *ike_of(const struct abuse_kept *k)
{
    return k ? k->data + (k->local.role == S2SVPN_ROLE_NATT ? 4 : 0) : NULL;
}

static bool is_from_gateway(const struct abuse_kept *k)
{
    return k->local.address.bytes[0] == 198;
}

/* Where the gateway has it: from whom, and to whom. */
static void ends_of(const struct abuse_kept *k, s2svpn_endpoint *from, s2svpn_endpoint *to)
{
    *from = is_from_gateway(k) ? k->remote : k->local;
    *to = is_from_gateway(k) ? k->local : k->remote;
}

void abuse_pieces_known(struct abuse *a)
{
    const struct abuse_kept *k = abuse_pick(a, &a->ike);
    s2svpn_endpoint from, to;

    if (!k)
        return;
    ends_of(k, &from, &to);
    send_piece(a, abuse_get64(ike_of(k)), abuse_get64(ike_of(k) + 8),
               (uint8_t)(abuse_roll(a, 0, 7) << 3), (uint32_t)abuse_roll(a, 0, 6), &from, &to);
}

/* ---- errors and deletes that nothing vouches for */

void abuse_plain_errors(struct abuse *a)
{
    /* INVALID_IKE_SPI, INVALID_SYNTAX, AUTHENTICATION_FAILED, TEMPORARY_FAILURE,
     * CHILD_SA_NOT_FOUND, NO_PROPOSAL_CHOSEN; INVALID-COOKIE is 4 in both */
    static const uint8_t types[] = {4, 7, 24, 43, 44, 14, 11, 16, 30};
    const struct abuse_kept *k = abuse_pick(a, &a->ike);
    const bool is_delete = abuse_roll(a, 0, 2) == 0;
    uint8_t body[24] = {0};
    s2svpn_endpoint from, to;
    struct abuse_message m;

    if (!k)
        return;
    const bool v1 = ike_of(k)[17] == V1;
    ends_of(k, &from, &to);
    abuse_header(&m, abuse_get64(ike_of(k)), abuse_get64(ike_of(k) + 8), v1 ? V1 : V2,
                 v1 ? INFO_1 : (uint8_t)abuse_roll(a, 34, 37),
                 v1 ? 0 : (uint8_t)(abuse_roll(a, 0, 7) << 3), (uint32_t)abuse_roll(a, 0, 4));
    if (is_delete && v1) { /* of phase 1 */
        abuse_put32(body, 1);
        body[4] = 1;
        body[5] = 16;
        body[7] = 1;
        memcpy(body + 8, ike_of(k), 16);
        abuse_payload(&m, 12, body, 24);
    } else if (is_delete) {
        body[0] = 1;
        abuse_payload(&m, 42, body, 4);
    } else if (v1) {
        abuse_put32(body, 1);
        body[4] = 1;
        body[7] = types[abuse_roll(a, 0, sizeof(types) - 1)];
        abuse_payload(&m, NOTIFY_1, body, 8);
    } else {
        body[3] = types[abuse_roll(a, 0, sizeof(types) - 1)];
        abuse_payload(&m, NOTIFY, body, 4);
    }
    abuse_message_send(a, &m, &from, &to);
}

/* ---- what others have said */

void abuse_replays_ike(struct abuse *a)
{
    const struct abuse_kept *k = abuse_pick(a, &a->ike);
    s2svpn_endpoint from;

    if (!k || is_from_gateway(k))
        return;
    from = k->local;
    if (abuse_roll(a, 0, 1)) /* or from another port */
        from.port = (uint16_t)abuse_roll(a, 1024, 65535);
    abuse_send(a, &from, &k->remote, k->data, k->len);
}

/* To whom has said it. */
void abuse_reflects(struct abuse *a)
{
    const struct abuse_kept *k = abuse_pick(a, abuse_roll(a, 0, 1) ? &a->ike : &a->esp);

    if (k && is_from_gateway(k))
        abuse_send(a, &k->remote, &k->local, k->data, k->len);
}

void abuse_garbage(struct abuse *a)
{
    const s2svpn_endpoint from = abuse_roll(a, 0, 1) ? abuse_customer(a) : abuse_stranger(a),
                          to = abuse_gateway(any_tunnel(a), abuse_roll(a, 0, 1) ? S2SVPN_ROLE_IKE
                                                                                : S2SVPN_ROLE_NATT);
    uint8_t p[200];
    const size_t len = abuse_roll(a, 0, sizeof(p));

    abuse_random(a, p, len);
    if (len > 28 && abuse_roll(a, 0, 1)) /* at least the length is right */
        abuse_put32(p + 24, (uint32_t)len);
    abuse_send(a, &from, &to, p, len);
}
