/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 messages that no honest engine sends, with the keys of one that is. */
#include "ike/v1_forge.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "harness.h"

/* ---- forging: end 0 misbehaves, end 1 is looked at */

struct s2_ike1_compose s2_v1_forged;

struct s2_ike_sa *s2_v1_sa_of(struct s2_pair *p, unsigned number)
{
    return s2_ike_find_up(p->end[number].ike, &p->end[number]);
}

enum s2svpn_drop s2_v1_give(struct s2_pair *p, unsigned to, const uint8_t *bytes, size_t len)
{
    static uint8_t copy[S2_IKE1_COMPOSE_MAX];
    const s2svpn_endpoint remote = {
        .address = p->end[1 - to].config.local.address, .port = 500, .role = S2SVPN_ROLE_IKE};

    memcpy(copy, bytes, len);
    return s2_ike_receive(p->end[to].ike, &p->end[to].config.local, &remote, copy, len, p->now_ns);
}

enum s2svpn_drop s2_v1_give_forged(struct s2_pair *p)
{
    return s2_v1_give(p, 1, s2_v1_forged.bytes, s2_v1_forged.w.len);
}

void s2_v1_add(uint8_t type, const void *body, size_t len)
{
    s2_ike1_write_payload(&s2_v1_forged.chain, type, s2_span(body, len));
}

void s2_v1_add_notify(uint16_t type, s2svpn_span spi, s2svpn_span data)
{
    const struct s2_ike1_notify_payload n = {.doi = S2_IKE1_DOI_IPSEC,
                                             .protocol = S2_IKE1_PROTO_ISAKMP,
                                             .type = type,
                                             .spi = spi,
                                             .data = data};

    s2_ike1_payload_begin(&s2_v1_forged.chain, S2_IKE1_PAYLOAD_NOTIFY);
    s2_ike1_write_notify(&s2_v1_forged.w, &n);
    s2_ike1_payload_end(&s2_v1_forged.chain);
}

void s2_v1_add_delete(const struct s2_ike_sa *sa, uint32_t spi)
{
    struct s2_ike1_delete_payload d = {.protocol = S2_IKE1_PROTO_ESP, .count = 1, .spi = {spi}};

    if (spi == 0) {
        d.protocol = S2_IKE1_PROTO_ISAKMP;
        d.cookies[0].i = s2_ike_spi_i(sa);
        d.cookies[0].r = s2_ike_spi_r(sa);
    }
    s2_ike1_payload_begin(&s2_v1_forged.chain, S2_IKE1_PAYLOAD_DELETE);
    s2_ike1_write_delete(&s2_v1_forged.w, &d);
    s2_ike1_payload_end(&s2_v1_forged.chain);
}

void s2_v1_begin_sealed(const struct s2_ike_sa *sa, uint8_t exchange, uint32_t id)
{
    s2_ike1_compose(&s2_v1_forged, sa, exchange, id);
    s2_ike1_hashed_begin(&s2_v1_forged.chain, &s2_v1_forged.w, &sa->v1->keys);
}

enum s2svpn_drop s2_v1_give_sealed(struct s2_pair *p, const struct s2_ike_sa *sa, uint32_t id)
{
    struct s2_ike1_iv iv;

    CU_ASSERT_EQUAL(s2_ike1_iv_message(&sa->ike->crypto, &sa->v1->keys, &sa->v1->iv, id, &iv),
                    S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_ike1_hashed_end(&s2_v1_forged.w, &sa->ike->crypto, &sa->v1->keys, id,
                                       s2_span(NULL, 0), &iv),
                    S2SVPN_OK);
    return s2_v1_give_forged(p);
}

void s2_v1_up(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init_v1(p, seed);
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(p));
}

/* Nothing has happened to the tunnel, and it can still do all it could. */
void s2_v1_unharmed(struct s2_pair *p, const char *row)
{
    CHECK_ROW(row, s2_pair_is_settled(p));
    CHECK_ROW(row, p->end[1].sa_downs + p->end[1].children_down == 0);
    (void)!s2_ike_rekey_child(p->end[0].ike, &p->end[0], p->end[0].child[0].spi_in, p->now_ns);
    s2_pair_run_for(p, S2_V1_SETTLE_NS);
    CHECK_ROW(row, s2_pair_is_settled(p) && p->end[1].children == 2);
    s2_pair_close(p);
    CHECK_ROW(row, p->end[0].fake.live + p->end[1].fake.live == 0);
}

uint8_t s2_v1_heard[2][16][S2_IKE1_COMPOSE_MAX];
size_t s2_v1_heard_len[2][16], s2_v1_heard_count[2];

bool s2_v1_hear(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (s2_v1_heard_count[d->to] < 16) {
        memcpy(s2_v1_heard[d->to][s2_v1_heard_count[d->to]], d->p, d->len);
        s2_v1_heard_len[d->to][s2_v1_heard_count[d->to]++] = d->len;
    }
    return true;
}
