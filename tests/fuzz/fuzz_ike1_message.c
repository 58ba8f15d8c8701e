/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: a whole IKEv1 message: header, chain, bodies. An encrypted one is opened by
 * crypto that leaves the text as it is, so that what is inside is reached as well; pieces
 * are put together, and the whole is a message again. Whatever parses and is written parses
 * to the same; what is chosen was offered. */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "ike/v1/fragment.h"
#include "ike/v1/keys.h"

#define ROOM 70000 /* more than any message */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WHOLE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property does not hold: end here, so that the fuzzer keeps the input. */
static void demand(bool property)
{
    if (!property)
        __builtin_trap();
}

/* ---- crypto that does nothing */

static s2svpn_status ike_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                             const uint8_t *iv, uint8_t *data, size_t len)
{
    (void)user;
    (void)encr;
    (void)encrypt;
    (void)key;
    (void)iv;
    (void)data;
    return len % 16 == 0 ? S2SVPN_OK : S2SVPN_E_CRYPTO;
}

static s2svpn_status prf(void *user, uint16_t id, s2svpn_span key, const s2svpn_span *in, size_t n,
                         uint8_t *out)
{
    volatile uint8_t sum = 0;

    (void)user;
    (void)id;
    (void)key;
    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; at < in[i].len; at++)
            sum = (uint8_t)(sum + in[i].p[at]); /* every byte is there to be read */
    }
    memset(out, 0, 20);
    return S2SVPN_OK;
}

static const s2svpn_algorithm rows[] = {
    {.type = 1, .use = 3, .id = 12, .key_bits = 128, .key_len = 16, .iv_len = 16, .block_len = 16},
    {.type = 1, .use = 3, .id = 20, .key_bits = 256, .block_len = 1, .out_len = 16},
    {.type = 2, .use = 1, .id = 2, .out_len = 20},
    {.type = 2, .use = 1, .id = 5, .out_len = 32},
    {.type = 3, .use = 3, .id = 2, .key_len = 20, .out_len = 12},
    {.type = 4, .use = 1, .id = 2},
    {.type = 4, .use = 1, .id = 14},
    {.type = 0},
};
static const s2svpn_crypto_ops ops = {
    .size = sizeof(ops), .algorithms = rows, .prf = prf, .ike_cbc = ike_cbc};
static const struct s2_ike_choices ours = {.encr = {{20, 256}, {12, 128}},
                                           .integ = {2},
                                           .prf = {5, 2},
                                           .ke = {14, 2},
                                           .encr_count = 2,
                                           .integ_count = 1,
                                           .prf_count = 2,
                                           .ke_count = 2};

/* ---- bodies: parsed and written again; false: not understood */

/* An answer of ours is one that the peer's check must accept, as the same suite. */
static void choose(const struct s2_ike1_sa_payload *offer, uint8_t protocol, bool udp)
{
    static struct s2_ike1_sa_payload answer, one;
    const struct s2_ike1_terms terms = {
        .crypto = &ops, .choices = &ours, .protocol = protocol, .udp = udp};
    struct s2_ike1_suite chosen, checked;

    if (s2_ike1_choose(&terms, offer, &chosen, &answer) != S2SVPN_OK)
        return;
    demand(chosen.encr == 12 || (protocol == S2_IKE1_PROTO_ESP && chosen.encr == 20));
    demand(chosen.ke == 14 || chosen.ke == 2);
    one = answer;
    demand(s2_ike1_check_answer(&one, &answer, &checked) == S2SVPN_OK);
    demand(chosen.encr == checked.encr && chosen.key_bits == checked.key_bits);
    demand(chosen.integ == checked.integ && chosen.prf == checked.prf && chosen.ke == checked.ke);
}

static bool rewrite_sa(struct s2_reader *r, struct s2_writer *w)
{
    static struct s2_ike1_sa_payload sa, offer;
    const struct s2_ike1_terms terms = {
        .crypto = &ops, .choices = &ours, .protocol = S2_IKE1_PROTO_ISAKMP};
    struct s2_ike1_suite suite;

    if (s2_ike1_parse_sa(r, &sa) != S2SVPN_OK) {
        demand(sa.count == 0 && sa.transforms == 0);
        return false;
    }
    demand(sa.transforms <= S2_IKE1_TRANSFORMS_MAX);
    choose(&sa, S2_IKE1_PROTO_ISAKMP, false);
    choose(&sa, S2_IKE1_PROTO_ESP, false);
    choose(&sa, S2_IKE1_PROTO_ESP, true);
    demand(s2_ike1_offer(&terms, s2_span(NULL, 0), &offer, NULL) == S2SVPN_OK);
    if (s2_ike1_check_answer(&offer, &sa, &suite) == S2SVPN_OK)
        demand(suite.encr == 12 && (suite.prf == 5 || suite.prf == 2));
    s2_ike1_write_sa(w, &sa);
    return true;
}

static bool rewrite_value(struct s2_reader *r, struct s2_writer *w,
                          s2svpn_status (*parse)(struct s2_reader *r, s2svpn_span *out))
{
    s2svpn_span value;

    if (parse(r, &value) != S2SVPN_OK)
        return false;
    s2_write_span(w, value);
    return true;
}

static bool rewrite_ke(struct s2_reader *r, struct s2_writer *w)
{
    return rewrite_value(r, w, s2_ike1_parse_ke);
}

static bool rewrite_nonce(struct s2_reader *r, struct s2_writer *w)
{
    return rewrite_value(r, w, s2_ike1_parse_nonce);
}

static bool rewrite_hash(struct s2_reader *r, struct s2_writer *w)
{
    return rewrite_value(r, w, s2_ike1_parse_hash);
}

static bool rewrite_id(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike1_id id, back;
    struct s2_ike_id peer;
    struct s2_ike_ts ts, again;

    if (s2_ike1_parse_id(r, &id) != S2SVPN_OK)
        return false;
    if (s2_ike1_id_to_peer(&id, &peer))
        demand(peer.len == id.len && peer.len <= S2_IKE_ID_MAX);
    if (s2_ike1_id_to_ts(&id, &ts)) {
        demand(memcmp(ts.first, ts.last, sizeof(ts.first)) <= 0);
        demand(s2_ike1_id_of_ts(&ts, &back) && s2_ike1_id_to_ts(&back, &again));
        demand(memcmp(&ts, &again, sizeof(ts)) == 0);
    }
    (void)s2_ike1_id_port_fits(&id);
    s2_ike1_write_id(w, &id);
    return true;
}

static bool rewrite_notify(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike1_notify_payload n;
    struct s2_ike1_lifetime life;
    struct s2_reader data;
    uint32_t sequence;

    if (s2_ike1_parse_notify(r, &n) != S2SVPN_OK)
        return false;
    demand(s2_ike1_notify_name(n.type) != NULL);
    if (s2_ike1_notify_dpd(&n, 1, 2, &sequence))
        demand(n.spi.len == 16 && n.data.len == 4);
    s2_reader_init(&data, n.data.p, n.data.len);
    (void)!s2_ike1_parse_lifetime(&data, n.protocol == S2_IKE1_PROTO_ISAKMP, &life);
    s2_ike1_write_notify(w, &n);
    return true;
}

static bool rewrite_delete(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike1_delete_payload d;

    if (s2_ike1_parse_delete(r, &d) != S2SVPN_OK)
        return false;
    demand(d.count <= S2_IKE1_DELETE_MAX);
    s2_ike1_write_delete(w, &d);
    return true;
}

static bool rewrite_vendor(struct s2_reader *r, struct s2_writer *w)
{
    const s2svpn_span body = s2_read_rest(r);

    demand(s2_ike1_vendor_name(s2_ike1_vendor_of(body)) != NULL);
    s2_write_span(w, body);
    return true;
}

static bool rewrite_nat_oa(struct s2_reader *r, struct s2_writer *w)
{
    s2svpn_address a;

    if (s2_ike1_parse_nat_oa(r, &a) != S2SVPN_OK)
        return false;
    demand(s2_address_len(&a) > 0);
    s2_ike1_write_nat_oa(w, &a);
    return true;
}

static bool rewrite_fragment(struct s2_reader *r, struct s2_writer *w)
{
    struct s2_ike1_fragment f;

    if (s2_ike1_parse_fragment(r, &f) != S2SVPN_OK)
        return false;
    demand(f.number > 0 && f.piece.len > 0);
    s2_ike1_write_fragment(w, &f);
    return true;
}

static const struct {
    uint8_t type;
    bool (*rewrite)(struct s2_reader *r, struct s2_writer *w);
} bodies[] = {
    {S2_IKE1_PAYLOAD_SA, rewrite_sa},
    {S2_IKE1_PAYLOAD_KE, rewrite_ke},
    {S2_IKE1_PAYLOAD_ID, rewrite_id},
    {S2_IKE1_PAYLOAD_HASH, rewrite_hash},
    {S2_IKE1_PAYLOAD_NONCE, rewrite_nonce},
    {S2_IKE1_PAYLOAD_NOTIFY, rewrite_notify},
    {S2_IKE1_PAYLOAD_DELETE, rewrite_delete},
    {S2_IKE1_PAYLOAD_VENDOR, rewrite_vendor},
    {S2_IKE1_PAYLOAD_NAT_OA, rewrite_nat_oa},
    {S2_IKE1_PAYLOAD_NAT_OA_DRAFT, rewrite_nat_oa},
    {S2_IKE1_PAYLOAD_FRAGMENT, rewrite_fragment},
};

/* What was written parses, and is written as the same bytes. */
static void visit(const struct s2_ike1_payload *p)
{
    static uint8_t wire[ROOM], again[ROOM];
    struct s2_reader r;
    struct s2_writer w, v;

    for (size_t i = 0; i < COUNT(bodies); i++) {
        if (bodies[i].type != p->type)
            continue;
        s2_reader_init(&r, p->body.p, p->body.len);
        s2_writer_init(&w, wire, sizeof(wire));
        if (!bodies[i].rewrite(&r, &w))
            continue;
        demand(s2_writer_finish(&w) == S2SVPN_OK);
        s2_reader_init(&r, wire, w.len);
        s2_writer_init(&v, again, sizeof(again));
        demand(bodies[i].rewrite(&r, &v));
        demand(s2_span_equal(s2_span(wire, w.len), s2_span(again, v.len)));
    }
}

/* ---- messages */

static bool parse_chain(uint8_t first, s2svpn_span bytes, bool encrypted,
                        struct s2_ike1_payloads *list)
{
    struct s2_reader r;

    s2_reader_init(&r, bytes.p, bytes.len);
    if (s2_ike1_parse_payloads(&r, first, encrypted, list) != S2SVPN_OK) {
        demand(list->count == 0 && list->chain.len == 0);
        return false;
    }
    demand(list->chain.len <= bytes.len);
    for (size_t i = 0; i < list->count; i++) {
        const struct s2_ike1_payload *p = &list->item[i];

        demand(p->whole.p >= list->chain.p &&
               p->whole.p + p->whole.len <= list->chain.p + list->chain.len);
        demand(p->whole.len == p->body.len + 4);
        visit(p);
    }
    (void)s2_ike1_vendors(list);
    return true;
}

static void open_message(const uint8_t *data, size_t size, const struct s2_ike1_header *h)
{
    const struct s2_ike_crypto c = {&ops, NULL};
    const struct s2_ike1_keys k = {
        .suite = {.encr = 12, .key_bits = 128, .prf = 2}, .encr = &rows[0], .prf = &rows[2]};
    const struct s2_ike1_iv iv = {{0}};
    struct s2_ike1_payloads list;
    struct s2_ike1_iv next;
    s2svpn_span plain;
    uint8_t *copy = malloc(size);

    demand(copy != NULL);
    memcpy(copy, data, size);
    if (s2_ike1_open(&c, &k, &iv, copy, size, &plain, &next) == S2SVPN_OK &&
        parse_chain(h->next_payload, plain, true, &list))
        (void)!s2_ike1_hashed_check(&c, &k, h->message_id, s2_span(NULL, 0), &list);
    free(copy);
}

static void message(const uint8_t *data, size_t size, bool piece);

/* All fragments of the chain, as if each had come alone; a whole may hold no more. */
static void gather(const struct s2_ike1_payloads *list, uint32_t message_id)
{
    const struct s2_env env = {.memory = s2_memory_default()};
    struct s2_ike1_fragments *set = NULL;
    uint8_t *whole;
    size_t len;

    for (size_t i = 0; i < list->count; i++) {
        struct s2_ike1_fragment f;
        struct s2_reader r;

        s2_reader_init(&r, list->item[i].body.p, list->item[i].body.len);
        if (list->item[i].type != S2_IKE1_PAYLOAD_FRAGMENT ||
            s2_ike1_parse_fragment(&r, &f) != S2SVPN_OK)
            continue;
        f.message_id = message_id;
        (void)!s2_ike1_fragments_add(&env, &set, &f, WHOLE_MAX);
        demand(set == NULL || set->len <= WHOLE_MAX);
    }
    if (s2_ike1_fragments_complete(set)) {
        demand(s2_ike1_fragments_take(&env, &set, &whole, &len) == S2SVPN_OK && len <= WHOLE_MAX);
        message(whole, len, true);
        s2_free(&env, whole);
    }
    s2_ike1_fragments_free(&env, &set);
}

static void message(const uint8_t *data, size_t size, bool piece)
{
    uint8_t wire[S2_IKE1_HEADER_LEN];
    struct s2_ike1_payloads list;
    struct s2_ike1_header h;
    struct s2_reader r;
    struct s2_writer w;

    s2_reader_init(&r, data, size);
    if (s2_ike1_parse_header(&r, &h) != S2SVPN_OK)
        return;
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike1_write_header(&w, &h);
    demand(s2_writer_finish(&w) == S2SVPN_OK && memcmp(wire, data, sizeof(wire)) == 0);
    if ((h.flags & S2_IKE1_FLAG_ENCRYPTED) != 0 && h.next_payload != S2_IKE1_PAYLOAD_FRAGMENT)
        open_message(data, size, &h);
    else if (parse_chain(h.next_payload, s2_read_rest(&r), false, &list) && !piece)
        gather(&list, h.message_id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= S2_IKE1_MESSAGE_MAX)
        message(data, size, false);
    return 0;
}
