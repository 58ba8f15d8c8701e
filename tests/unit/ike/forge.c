/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that no honest engine sends, with the keys of one that is: for tests in
 * which end 0 of a pair misbehaves and end 1 is looked at. */
#include "ike/forge.h"

#include <CUnit/CUnit.h>
#include <string.h>

/* ---- looking at answers */

uint8_t s2_forge_last_answer[4096];
size_t s2_forge_last_len;

bool s2_forge_keep_last(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->to == 0 && d->len <= sizeof(s2_forge_last_answer)) {
        memcpy(s2_forge_last_answer, d->p, d->len);
        s2_forge_last_len = d->len;
    }
    return true;
}

/* The payloads of the last answer, decrypted with the SA's keys if it has any. */
bool s2_forge_open_last(struct s2_ike_sa *sa, struct s2_ike_payloads *list)
{
    struct s2_ike_header h;
    struct s2_reader r;
    s2svpn_span inner;

    s2_reader_init(&r, s2_forge_last_answer, s2_forge_last_len);
    if (s2_forge_last_len == 0 || s2_ike_parse_header(&r, &h) != S2SVPN_OK ||
        s2_ike_parse_payloads(&r, h.next_payload, list) != S2SVPN_OK)
        return false;
    const struct s2_ike_payload *sk = s2_ike_find(list, S2_IKE_PAYLOAD_SK);
    if (sk == NULL)
        return true;
    const struct s2_ike_payload seal = *sk;
    return s2_ike_sk_open(&sa->ike->crypto, &sa->keys, sa->initiator, s2_forge_last_answer,
                          s2_forge_last_len, &seal, &inner) == S2SVPN_OK &&
           s2_ike_read_chain(inner, seal.next, list) == S2SVPN_OK;
}

/* The error that the last answer tells; 0: none; 65535: it can't be read. */
uint16_t s2_forge_told(struct s2_ike_sa *sa)
{
    struct s2_ike_payloads list;
    struct s2_ike_notifies says;

    if (!s2_forge_open_last(sa, &list) || s2_ike_read_notifies(&list, &says) != S2SVPN_OK)
        return 65535;
    return says.error;
}

/* ---- sending what no honest engine would */

bool s2_forge_connect(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init(p, seed);
    p->filter = s2_forge_keep_last;
    s2_forge_last_len = 0;
    return s2_pair_connect(p);
}

struct s2_ike_sa *s2_forge_sa(struct s2_pair *p, unsigned number)
{
    return s2_ike_find_up(p->end[number].ike, &p->end[number]);
}

struct s2_ike_compose s2_forge_compose;

struct s2_ike_compose *s2_forge_begin(struct s2_ike_sa *sa, uint8_t exchange)
{
    CU_ASSERT_EQUAL_FATAL(s2_ike_compose_request(&s2_forge_compose, sa, exchange), S2SVPN_OK);
    return &s2_forge_compose;
}

void s2_forge_send(struct s2_pair *p, struct s2_ike_sa *sa, uint8_t exchange)
{
    s2_ike_enter(sa->ike, p->now_ns);
    CU_ASSERT_EQUAL(s2_ike_send_request(sa, &s2_forge_compose, exchange), S2SVPN_OK);
    s2_ike_leave(sa->ike);
}

void s2_forge_add_delete(struct s2_ike_compose *c, uint8_t protocol, const uint32_t *spi,
                         uint16_t n)
{
    struct s2_ike_delete_payload d = {.protocol = protocol, .count = n};

    for (uint16_t i = 0; i < n; i++)
        d.spi[i] = spi[i];
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_DELETE);
    s2_ike_write_delete(&c->w, &d);
    s2_ike_payload_end(c->chain);
}

void s2_forge_add_rekey(struct s2_ike_compose *c, uint8_t protocol, s2svpn_span spi)
{
    const struct s2_ike_notify_payload n = {
        .protocol = protocol, .type = S2_IKE_N_REKEY_SA, .spi = spi};

    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_NOTIFY);
    s2_ike_write_notify(&c->w, &n);
    s2_ike_payload_end(c->chain);
}

void s2_forge_add_parts(struct s2_ike_compose *c, struct s2_ike_sa *sa, unsigned parts,
                        uint32_t spi)
{
    struct s2_ike_making m = {.spi_in = spi};
    uint8_t value[256] = {5};

    s2_ike_child_want_ts(sa, &m);
    if (parts & S2_PART_SA)
        CU_ASSERT_EQUAL(s2_ike_child_add_offer(sa, c, &m, true), S2SVPN_OK);
    if (parts & S2_PART_NONCE)
        s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span("twenty or more bytes", 20));
    if (parts & S2_PART_KE) {
        s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_KE);
        s2_ike_write_ke(&c->w, S2SVPN_KE_MODP_2048, s2_span(value, sizeof(value)));
        s2_ike_payload_end(c->chain);
    }
    for (unsigned t = 0; t < 2; t++) {
        if (!(parts & (S2_PART_TSI << t)))
            continue;
        s2_ike_payload_begin(c->chain, (uint8_t)(S2_IKE_PAYLOAD_TSI + t));
        s2_ike_write_ts(&c->w, t == 0 ? &m.local_ts : &m.remote_ts);
        s2_ike_payload_end(c->chain);
    }
}

/* ---- IKE_SA_INIT, not authenticated yet */

/* Writes IKE_SA_INIT requests by hand: any proposal, any parts. */
enum s2svpn_drop s2_forge_init_request(struct s2_pair *p, const struct s2_ike_proposal *proposal,
                                       unsigned parts, uint16_t group, size_t value_len)
{
    const struct s2_ike_header h = {.spi_i = UINT64_C(0x0102030405060708) + parts,
                                    .version = 0x20,
                                    .exchange = S2_IKE_SA_INIT,
                                    .flags = S2_IKE_FLAG_INITIATOR};
    const struct s2_ike_sa_payload offer = {.count = 1, .proposal = {*proposal}};
    static const uint8_t value[2048] = {1};

    s2_ike_compose_plain(&s2_forge_compose, &h);
    if (parts & S2_PART_SA)
        s2_ike_add_sa(&s2_forge_compose, &offer);
    if (parts & S2_PART_KE) {
        s2_ike_payload_begin(s2_forge_compose.chain, S2_IKE_PAYLOAD_KE);
        s2_ike_write_ke(&s2_forge_compose.w, group, s2_span(value, value_len));
        s2_ike_payload_end(s2_forge_compose.chain);
    }
    if (parts & S2_PART_NONCE)
        s2_ike_add_bytes(&s2_forge_compose, S2_IKE_PAYLOAD_NONCE,
                         s2_span("twenty or more bytes", 20));
    CU_ASSERT_EQUAL(s2_ike_write_end(&s2_forge_compose.w), S2SVPN_OK);
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local,
                          s2_forge_compose.bytes, s2_forge_compose.w.len, p->now_ns);
}

const struct s2_ike_proposal s2_forge_good_proposal = {
    .number = 1,
    .protocol = S2_IKE_PROTO_IKE,
    .count = 4,
    .transform = {{S2SVPN_TRANSFORM_ENCR, 12, 128},
                  {S2SVPN_TRANSFORM_INTEG, 2, 0},
                  {S2SVPN_TRANSFORM_PRF, 2, 0},
                  {S2SVPN_TRANSFORM_KE, 14, 0}},
};

/* ---- IKE_AUTH, with keys but not authenticated */

/* An initiator up to IKE_AUTH, whose own request is held back. */
struct s2_ike_sa *s2_forge_half_open(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init(p, seed);
    p->filter = s2_forge_keep_last;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    p->manual = true;
    CU_ASSERT_TRUE(s2_pair_deliver(p, 1));
    CU_ASSERT_TRUE(s2_pair_deliver(p, 0));
    const struct s2_ike_owner *owner = s2_ike_find_owner(p->end[0].ike, &p->end[0]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(owner);
    struct s2_ike_sa *sa = S2_CONTAINER(owner->sas.next, struct s2_ike_sa, owner_link);
    CU_ASSERT_EQUAL_FATAL(sa->state, S2_IKE_STATE_AUTH_SENT);
    s2_forge_last_len = 0;
    return sa;
}

/* Take the datagram that waits for end 1 out of the queue, and give it a sealed
 * message made with the initiator's keys instead. */
enum s2svpn_drop s2_forge_give_sealed(struct s2_pair *p, struct s2_ike_sa *sa)
{
    const s2svpn_status rc = s2_ike_sk_end(&s2_forge_compose.sk, &sa->ike->crypto, &sa->keys, true,
                                           1000 + p->end[1].received++);

    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local,
                          s2_forge_compose.bytes, s2_forge_compose.w.len, p->now_ns);
}
