/* SPDX-License-Identifier: Apache-2.0 */
/* Payload chains for the fuzz targets: whatever parses and is written parses to the
 * same, and what is chosen or narrowed lies within what was offered. */
#include "tests/fuzz/ike_chain.h"

#include <string.h>

#define ROOM 70000 /* more than any message */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void s2_fuzz_demand(bool property)
{
    if (!property)
        __builtin_trap();
}

/* ---- SA: choice and check agree */

static const s2svpn_algorithm rows[] = {
    {.type = 1, .use = 3, .id = 12, .key_bits = 128, .block_len = 16},
    {.type = 1, .use = 3, .id = 20, .key_bits = 256, .block_len = 1, .out_len = 16},
    {.type = 2, .use = 1, .id = 5},
    {.type = 3, .use = 3, .id = 12},
    {.type = 4, .use = 1, .id = 14},
    {.type = 4, .use = 1, .id = 19},
    {.type = 0},
};
static const s2svpn_crypto_ops crypto = {.size = sizeof(crypto), .algorithms = rows};
static const struct s2_ike_choices ours = {.encr = {{20, 256}, {12, 128}},
                                           .integ = {12},
                                           .prf = {5},
                                           .ke = {19, 14},
                                           .encr_count = 2,
                                           .integ_count = 1,
                                           .prf_count = 1,
                                           .ke_count = 2};

/* An answer of ours is one that the peer's check must accept, as the same suite. */
static void choose(const struct s2_ike_sa_payload *offer, uint8_t protocol, bool with_ke,
                   uint8_t esn)
{
    const struct s2_ike_terms terms = {&crypto, &ours, protocol, with_ke, esn};
    struct s2_ike_sa_payload answer = {.count = 1};
    struct s2_ike_suite chosen, checked;

    if (s2_ike_choose(&terms, offer, &chosen, &answer.proposal[0]) != S2SVPN_OK)
        return;
    s2_fuzz_demand(s2_ike_check_answer(offer, &answer, with_ke, &checked) == S2SVPN_OK);
    s2_fuzz_demand(chosen.encr == checked.encr && chosen.key_bits == checked.key_bits);
    s2_fuzz_demand(chosen.integ == checked.integ && chosen.prf == checked.prf);
    s2_fuzz_demand(chosen.ke == checked.ke && chosen.esn == checked.esn);
    s2_fuzz_demand(esn == 1 || chosen.esn == (protocol == S2_IKE_PROTO_ESP && esn == 2));
}

static bool rewrite_sa(struct s2_reader *r, struct s2_writer *w)
{
    const struct s2_ike_terms terms = {&crypto, &ours, S2_IKE_PROTO_IKE, true, 0};
    struct s2_ike_sa_payload sa, offer;
    struct s2_ike_suite suite;

    if (s2_ike_parse_sa(r, &sa) != S2SVPN_OK) {
        s2_fuzz_demand(sa.count == 0);
        return false;
    }
    for (uint8_t esn = 0; esn < 3; esn++) {
        choose(&sa, S2_IKE_PROTO_IKE, true, esn);
        choose(&sa, S2_IKE_PROTO_ESP, true, esn);
        choose(&sa, S2_IKE_PROTO_ESP, false, esn);
    }
    if (s2_ike_offer(&terms, s2_span(NULL, 0), &offer) == S2SVPN_OK)
        (void)!s2_ike_check_answer(&offer, &sa, true, &suite);
    s2_ike_write_sa(w, &sa);
    return sa.count > 0;
}

/* ---- the other bodies */

static bool rewrite_ke(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_ke_payload ke;

    if (s2_ike_parse_ke(r, &ke) != S2SVPN_OK)
        return false;
    s2_ike_write_ke(w, ke.group, ke.value);
    return true;
}

static bool rewrite_nonce(struct s2_reader *r, struct s2_writer *w)
{
    s2svpn_span nonce;

    if (s2_ike_parse_nonce(r, &nonce) != S2SVPN_OK)
        return false;
    s2_write_span(w, nonce);
    return true;
}

static bool rewrite_id(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_id id;
    char text[80];

    if (s2_ike_parse_id(r, &id) != S2SVPN_OK)
        return false;
    s2_ike_id_print(&id, text, sizeof(text));
    for (const char *c = text; *c != '\0'; c++)
        s2_fuzz_demand(*c >= ' ' && *c < 0x7f);
    s2_fuzz_demand(s2_ike_id_equal(&id, &id));
    s2_ike_write_id(w, &id);
    return true;
}

/* Of another encoding it is written as X.509, which is another body: not at all. */
static bool rewrite_cert(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_cert_payload cert;

    if (s2_ike_parse_cert(r, &cert) != S2SVPN_OK || cert.encoding != S2_IKE_CERT_X509)
        return false;
    s2_ike_write_cert(w, cert.data);
    return true;
}

static bool rewrite_certreq(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_certreq_payload certreq;

    if (s2_ike_parse_certreq(r, &certreq) != S2SVPN_OK || certreq.encoding != S2_IKE_CERT_X509)
        return false;
    s2_fuzz_demand(certreq.authorities.len % S2_IKE_KEY_HASH_LEN == 0);
    s2_ike_write_certreq(w, certreq.authorities);
    return true;
}

static bool rewrite_auth(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_auth_payload auth;

    if (s2_ike_parse_auth(r, &auth) != S2SVPN_OK)
        return false;
    s2_ike_write_auth(w, auth.method, auth.data);
    return true;
}

static bool rewrite_notify(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_notify_payload n;

    if (s2_ike_parse_notify(r, &n) != S2SVPN_OK)
        return false;
    s2_fuzz_demand(s2_ike_notify_name(n.type) != NULL);
    s2_fuzz_demand(n.data.len % 2 == 0 || s2_ike_read_hashes(n.data) == 0);
    s2_ike_write_notify(w, &n);
    return true;
}

static bool rewrite_delete(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_delete_payload d;

    if (s2_ike_parse_delete(r, &d) != S2SVPN_OK)
        return false;
    s2_fuzz_demand(d.count <= S2_IKE_DELETE_MAX);
    s2_ike_write_delete(w, &d);
    return true;
}

/* What is left of theirs lies inside ours, and inside one of theirs. */
static void narrow(const struct s2_ike_ts_list *theirs)
{
    const s2svpn_prefix net = {.address = {.family = S2SVPN_FAMILY_IPV4, .bytes = {10}},
                               .length = 8};
    const struct s2_ike_ts mine = s2_ike_ts_of(&net);
    struct s2_ike_ts_list got;

    if (!s2_ike_ts_narrow(theirs, &mine, &got))
        return;
    s2_fuzz_demand(got.count > 0 && got.count <= theirs->count);
    for (size_t i = 0; i < got.count; i++) {
        bool inside = false;

        for (size_t k = 0; k < theirs->count; k++)
            inside |= s2_ike_ts_inside(&theirs->item[k], &got.item[i]);
        s2_fuzz_demand(inside && s2_ike_ts_inside(&mine, &got.item[i]));
    }
}

static bool rewrite_ts(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike_ts_list list;

    if (s2_ike_parse_ts(r, &list) != S2SVPN_OK) {
        s2_fuzz_demand(list.count == 0);
        return false;
    }
    narrow(&list);
    s2_ike_write_ts(w, &list);
    return true;
}

static const struct {
    uint8_t type;
    bool (*rewrite)(struct s2_reader *r, struct s2_writer *w);
} bodies[] = {
    {S2_IKE_PAYLOAD_SA, rewrite_sa},         {S2_IKE_PAYLOAD_KE, rewrite_ke},
    {S2_IKE_PAYLOAD_IDI, rewrite_id},        {S2_IKE_PAYLOAD_IDR, rewrite_id},
    {S2_IKE_PAYLOAD_AUTH, rewrite_auth},     {S2_IKE_PAYLOAD_NONCE, rewrite_nonce},
    {S2_IKE_PAYLOAD_NOTIFY, rewrite_notify}, {S2_IKE_PAYLOAD_DELETE, rewrite_delete},
    {S2_IKE_PAYLOAD_TSI, rewrite_ts},        {S2_IKE_PAYLOAD_TSR, rewrite_ts},
    {S2_IKE_PAYLOAD_CERT, rewrite_cert},     {S2_IKE_PAYLOAD_CERTREQ, rewrite_certreq},
};

/* Twice: the first writing may drop what the parser leaves out, the second not. */
static void body_goes_around(bool (*rewrite)(struct s2_reader *, struct s2_writer *),
                             s2svpn_span body)
{
    static uint8_t once[ROOM], twice[ROOM];
    struct s2_reader r;
    struct s2_writer w, again;

    s2_reader_init(&r, body.p, body.len);
    s2_writer_init(&w, once, sizeof(once));
    if (!rewrite(&r, &w))
        return;
    s2_fuzz_demand(s2_writer_finish(&w) == S2SVPN_OK && w.len <= body.len);
    s2_reader_init(&r, once, w.len);
    s2_writer_init(&again, twice, sizeof(twice));
    s2_fuzz_demand(rewrite(&r, &again));
    s2_fuzz_demand(s2_span_equal(s2_span(once, w.len), s2_span(twice, again.len)));
}

static void chain_goes_around(const struct s2_ike_payloads *list)
{
    static uint8_t wire[ROOM];
    struct s2_ike_payloads got;
    struct s2_ike_chain c;
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_write_u8(&w, S2_IKE_PAYLOAD_NONE);
    s2_ike_chain_begin(&c, &w, 0);
    for (size_t i = 0; i < list->count; i++) {
        s2_ike_payload_begin(&c, list->item[i].type);
        s2_write_span(&w, list->item[i].body);
        s2_ike_payload_end(&c);
        if (list->item[i].type == S2_IKE_PAYLOAD_SK || list->item[i].type == S2_IKE_PAYLOAD_SKF)
            s2_write_patch_u8(&w, c.next_at, list->item[i].next);
    }
    s2_fuzz_demand(s2_writer_finish(&w) == S2SVPN_OK);
    s2_reader_init(&r, wire + 1, w.len - 1);
    s2_fuzz_demand(s2_ike_parse_payloads(&r, wire[0], &got) == S2SVPN_OK);
    s2_fuzz_demand(got.count == list->count);
    for (size_t i = 0; i < got.count; i++) {
        s2_fuzz_demand(got.item[i].type == list->item[i].type);
        s2_fuzz_demand(s2_span_equal(got.item[i].body, list->item[i].body));
    }
}

static void certificates_are_bounded(const struct s2_ike_payloads *list)
{
    const size_t payloads = s2_ike_count(list, S2_IKE_PAYLOAD_CERT);
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    size_t count;

    const s2svpn_status rc = s2_ike_read_certificates(list, chain, &count);
    s2_fuzz_demand(count <= payloads && count <= S2SVPN_CHAIN_MAX);
    s2_fuzz_demand((rc == S2SVPN_E_LIMIT) == (payloads > S2SVPN_CHAIN_MAX));
    for (size_t i = 0; i < count; i++)
        s2_fuzz_demand(chain[i].len > 0);
}

bool s2_fuzz_ike_chain(uint8_t first, s2svpn_span chain, struct s2_ike_payloads *out)
{
    struct s2_reader r;

    s2_reader_init(&r, chain.p, chain.len);
    if (s2_ike_parse_payloads(&r, first, out) != S2SVPN_OK) {
        s2_fuzz_demand(out->count == 0 && r.field != NULL);
        return false;
    }
    certificates_are_bounded(out);
    for (size_t i = 0; i < out->count; i++) {
        s2_fuzz_demand(strcmp(s2_ike_payload_name(out->item[i].type), "?") != 0);
        for (size_t k = 0; k < COUNT(bodies); k++) {
            if (bodies[k].type == out->item[i].type)
                body_goes_around(bodies[k].rewrite, out->item[i].body);
        }
    }
    chain_goes_around(out);
    return true;
}
