/* SPDX-License-Identifier: Apache-2.0 */
/* Main mode, what both sides do alike: vendor IDs, public values with NAT detection,
 * identities with their hashes, and coming up. RFC 2409 section 5.4, RFC 3947 section 3,
 * RFC 3706 section 5.1. */
#include "ike/v1/v1.h"

#include <string.h>

/* ---- the first two messages */

void s2_ike1_add_vendors(const struct s2_ike_sa *sa, struct s2_ike1_chain *chain)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;

    if (s2_ike_nat_wanted(sa) && sa->initiator) {
        s2_ike1_write_vendor(chain, S2_IKE1_VENDOR_NATT_RFC);
        s2_ike1_write_vendor(chain, S2_IKE1_VENDOR_NATT_03);
        s2_ike1_write_vendor(chain, S2_IKE1_VENDOR_NATT_02);
        s2_ike1_write_vendor(chain, S2_IKE1_VENDOR_NATT_02_BARE);
    } else if (h->natt != S2_IKE1_VENDOR_COUNT) {
        s2_ike1_write_vendor(chain, h->natt); /* the one that it is going to be */
    }
    s2_ike1_write_vendor(chain, S2_IKE1_VENDOR_DPD);
    if (!sa->ike->options.no_fragmentation)
        s2_ike1_write_vendor(chain, S2_IKE1_VENDOR_FRAGMENTATION);
}

void s2_ike1_note_vendors(struct s2_ike_sa *sa, const struct s2_ike1_payloads *list)
{
    const uint32_t theirs = s2_ike1_vendors(list);
    struct s2_ike1 *v1 = sa->v1;

    v1->draft = false;
    v1->handshake->natt = S2_IKE1_VENDOR_COUNT;
    if (s2_ike_nat_wanted(sa))
        v1->handshake->natt = s2_ike1_natt_best(theirs, &v1->draft);
    v1->dpd.known = (theirs & (1u << S2_IKE1_VENDOR_DPD)) != 0;
    sa->fragmentation =
        !sa->ike->options.no_fragmentation && (theirs & (1u << S2_IKE1_VENDOR_FRAGMENTATION)) != 0;
}

/* Some tell the rest with their public value. */
static void note_late_vendors(struct s2_ike_sa *sa, const struct s2_ike1_payloads *list)
{
    const uint32_t theirs = s2_ike1_vendors(list);

    if ((theirs & (1u << S2_IKE1_VENDOR_DPD)) != 0)
        sa->v1->dpd.known = true;
    if ((theirs & (1u << S2_IKE1_VENDOR_FRAGMENTATION)) != 0)
        sa->fragmentation = !sa->ike->options.no_fragmentation;
}

/* ---- the third and the fourth */

static uint8_t nat_d_type(const struct s2_ike_sa *sa)
{
    return sa->v1->draft ? S2_IKE1_PAYLOAD_NAT_D_DRAFT : S2_IKE1_PAYLOAD_NAT_D;
}

static s2svpn_status add_nat_d(struct s2_ike_sa *sa, struct s2_ike1_chain *chain,
                               const s2svpn_endpoint *e)
{
    uint8_t hash[S2_IKE1_HASH_MAX];
    size_t len;
    s2svpn_status rc = s2_ike1_nat_hash(&sa->ike->crypto, &sa->v1->handshake->suite,
                                        s2_ike_spi_i(sa), s2_ike_spi_r(sa), e, hash, &len);

    if (rc == S2SVPN_OK)
        s2_ike1_write_payload(chain, nat_d_type(sa), s2_span(hash, len));
    return rc;
}

/* The destination first, RFC 3947 section 3.2. With force_udp the source is one that
 * nobody has, so that the peer finds a NAT and encapsulates. */
s2svpn_status s2_ike1_add_nat(struct s2_ike_sa *sa, struct s2_ike1_chain *chain,
                              const struct s2_ike_path *path)
{
    const s2svpn_endpoint nowhere = {.address = {.family = path->local.address.family}};

    if (sa->v1->handshake->natt == S2_IKE1_VENDOR_COUNT)
        return S2SVPN_OK;
    s2svpn_status rc = add_nat_d(sa, chain, &path->remote);
    if (rc == S2SVPN_OK)
        rc = add_nat_d(sa, chain, sa->config->force_udp ? &nowhere : &path->local);
    return rc;
}

s2svpn_status s2_ike1_add_ke(struct s2_ike_sa *sa, struct s2_ike1_chain *chain,
                             const struct s2_ike_path *path)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;

    s2_ike1_write_payload(chain, S2_IKE1_PAYLOAD_KE,
                          s2_span(h->kex->public_value, h->kex->row->out_len));
    s2_ike1_write_payload(chain, S2_IKE1_PAYLOAD_NONCE, s2_span(h->nonce, sizeof(h->nonce)));
    return s2_ike1_add_nat(sa, chain, path);
}

/* Is one of the peer's NAT-D payloads, from the first-th on, this endpoint's? */
static s2svpn_status find_nat_d(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                                size_t first, size_t last, const s2svpn_endpoint *e, bool *found)
{
    uint8_t hash[S2_IKE1_HASH_MAX];
    size_t len;
    s2svpn_status rc = s2_ike1_nat_hash(&sa->ike->crypto, &sa->v1->handshake->suite,
                                        packet->h.cookie_i, packet->h.cookie_r, e, hash, &len);

    *found = false;
    for (size_t i = first; rc == S2SVPN_OK && i < last; i++) {
        const struct s2_ike1_payload *p = s2_ike1_find_nth(&packet->list, nat_d_type(sa), i);

        *found = *found || s2_span_equal(p->body, s2_span(hash, len));
    }
    return rc;
}

s2svpn_status s2_ike1_read_ke(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                              struct s2_ike1_ke_words *out)
{
    const struct s2_ike1_payload *ke = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_KE);
    const struct s2_ike1_payload *nonce = s2_ike1_find(&packet->list, S2_IKE1_PAYLOAD_NONCE);
    const struct s2_ike1_handshake *h = sa->v1->handshake;
    const size_t hashes = s2_ike1_count(&packet->list, nat_d_type(sa));
    bool local, remote;
    struct s2_reader r;

    *out = (struct s2_ike1_ke_words){0};
    if (ke == NULL || nonce == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, ke->body.p, ke->body.len);
    s2svpn_status rc = s2_ike1_parse_ke(&r, &out->value);
    if (rc != S2SVPN_OK)
        return rc;
    s2_reader_init(&r, nonce->body.p, nonce->body.len);
    rc = s2_ike1_parse_nonce(&r, &out->nonce);
    if (rc != S2SVPN_OK || h->natt == S2_IKE1_VENDOR_COUNT || hashes < 2)
        return rc;
    rc = find_nat_d(sa, packet, 0, 1, &packet->path.local, &local);
    if (rc == S2SVPN_OK)
        rc = find_nat_d(sa, packet, 1, hashes, &packet->path.remote, &remote);
    if (rc != S2SVPN_OK)
        return rc;
    out->nat_local = !local;
    out->nat_remote = !remote;
    return S2SVPN_OK;
}

void s2_ike1_keep_ke(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                     const struct s2_ike1_ke_words *words)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;

    note_late_vendors(sa, &packet->list);
    memcpy(h->peer_nonce, words->nonce.p, words->nonce.len);
    h->peer_nonce_len = (uint16_t)words->nonce.len;
    sa->nat_local = words->nat_local;
    sa->nat_remote = words->nat_remote;
    sa->udp = h->natt != S2_IKE1_VENDOR_COUNT &&
              (sa->nat_local || sa->nat_remote || sa->config->force_udp);
}

/* ---- the fifth and the sixth */

static s2svpn_span public_of(const struct s2_ike_sa *sa, bool initiator)
{
    const struct s2_ike_kex *kex = sa->v1->handshake->kex;

    return s2_span(initiator == sa->initiator ? kex->public_value : kex->peer_value,
                   kex->row->out_len);
}

s2svpn_status s2_ike1_derive(struct s2_ike_sa *sa, const struct s2_ike_config *config,
                             struct s2_ike1_keys *keys, struct s2_ike1_iv *iv)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const s2svpn_span ours = s2_span(h->nonce, sizeof(h->nonce));
    const s2svpn_span theirs = s2_span(h->peer_nonce, h->peer_nonce_len);

    s2svpn_status rc = s2_ike1_derive_keys(crypto, &h->suite, s2_secret_span(&config->psk),
                                           s2_ike_kex_shared(h->kex), sa->initiator ? ours : theirs,
                                           sa->initiator ? theirs : ours, s2_ike_spi_i(sa),
                                           s2_ike_spi_r(sa), keys);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_iv_first(crypto, keys, public_of(sa, true), public_of(sa, false), iv);
    return rc;
}

static s2svpn_status compute_hash(struct s2_ike_sa *sa, const struct s2_ike1_keys *keys,
                                  bool initiator, s2svpn_span id, uint8_t *out)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;
    const struct s2_ike1_phase1 p = {
        .gxi = public_of(sa, true),
        .gxr = public_of(sa, false),
        .sa = s2_span(h->offer.p, h->offer.len),
        .id = id,
    };

    return s2_ike1_hash_phase1(&sa->ike->crypto, keys, initiator, &p, out);
}

struct id_body {
    uint8_t p[S2_IKE_ID_MAX + 8];
    size_t len;
};

static s2svpn_status write_our_id(struct s2_ike_sa *sa, struct id_body *out)
{
    const struct s2_ike_config *config = sa->config;
    struct s2_ike1_handshake *h = sa->v1->handshake;
    struct s2_writer w;

    h->our_id = config->local_id.type != S2_IKE_ID_NONE ? config->local_id
                                                        : s2_ike_id_of(&config->local.address);
    const struct s2_ike1_id id = s2_ike1_id_of_peer(&h->our_id);

    s2_writer_init(&w, out->p, sizeof(out->p));
    s2_ike1_write_id(&w, &id);
    out->len = w.len;
    return s2_writer_finish(&w);
}

s2svpn_status s2_ike1_add_id_alone(struct s2_ike_sa *sa, struct s2_ike1_chain *chain)
{
    struct id_body id;
    s2svpn_status rc = write_our_id(sa, &id);

    if (rc == S2SVPN_OK)
        s2_ike1_write_payload(chain, S2_IKE1_PAYLOAD_ID, s2_span(id.p, id.len));
    return rc;
}

s2svpn_status s2_ike1_add_hash_alone(struct s2_ike_sa *sa, struct s2_ike1_chain *chain)
{
    uint8_t hash[S2_IKE1_HASH_MAX];
    struct id_body id;

    s2svpn_status rc = write_our_id(sa, &id);
    if (rc == S2SVPN_OK)
        rc = compute_hash(sa, &sa->v1->keys, sa->initiator, s2_span(id.p, id.len), hash);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike1_write_payload(chain, S2_IKE1_PAYLOAD_HASH,
                          s2_span(hash, s2_ike1_hash_len(&sa->v1->keys)));
    s2_wipe(hash, sizeof(hash));
    return S2SVPN_OK;
}

s2svpn_status s2_ike1_add_id(struct s2_ike_sa *sa, struct s2_ike1_chain *chain)
{
    s2svpn_status rc = s2_ike1_add_id_alone(sa, chain);

    return rc == S2SVPN_OK ? s2_ike1_add_hash_alone(sa, chain) : rc;
}

s2svpn_status s2_ike1_check_id(struct s2_ike_sa *sa, const struct s2_ike1_keys *keys,
                               const struct s2_ike1_payloads *list, struct s2_ike_id *id)
{
    const struct s2_ike1_payload *id_payload = s2_ike1_find(list, S2_IKE1_PAYLOAD_ID);
    const struct s2_ike1_payload *hash_payload = s2_ike1_find(list, S2_IKE1_PAYLOAD_HASH);
    uint8_t expected[S2_IKE1_HASH_MAX];
    struct s2_ike1_id wire;
    s2svpn_span hash;
    struct s2_reader r;

    if (id_payload == NULL || hash_payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, id_payload->body.p, id_payload->body.len);
    if (s2_ike1_parse_id(&r, &wire) != S2SVPN_OK || !s2_ike1_id_port_fits(&wire) ||
        !s2_ike1_id_to_peer(&wire, id))
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, hash_payload->body.p, hash_payload->body.len);
    if (s2_ike1_parse_hash(&r, &hash) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    s2svpn_status rc = compute_hash(sa, keys, !sa->initiator, id_payload->body, expected);
    if (rc == S2SVPN_OK && !s2_ike1_hash_equal(keys, expected, hash))
        rc = S2SVPN_E_AUTHENTICATION;
    s2_wipe(expected, sizeof(expected));
    return rc;
}

/* Nor one that may be up at the peer's end alone, since our proof has gone out. */
static bool is_only(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->owner->sas, it) {
        const struct s2_ike_sa *other = S2_CONTAINER(it, struct s2_ike_sa, owner_link);

        if (other != sa &&
            (s2_ike_state_is_up(other->state) || other->state == S2_IKE_STATE_AUTH_SENT))
            return false;
    }
    return true;
}

/* The responder says it, too: who has lost everything may well be the one that is asked,
 * and the peer would give the new SA children that only it has. */
void s2_ike1_add_initial_contact(const struct s2_ike_sa *sa, struct s2_ike1_compose *c)
{
    uint8_t cookies[S2_IKE1_COOKIES_LEN] = {0};
    const struct s2_ike1_notify_payload n = {
        .doi = S2_IKE1_DOI_IPSEC,
        .protocol = S2_IKE1_PROTO_ISAKMP,
        .type = S2_IKE1_N_INITIAL_CONTACT,
        .spi = s2_span(cookies, sizeof(cookies)),
    };

    if (!is_only(sa))
        return;
    s2_put_u64(cookies, s2_ike_spi_i(sa));
    s2_put_u64(cookies + 8, s2_ike_spi_r(sa));
    s2_ike1_payload_begin(&c->chain, S2_IKE1_PAYLOAD_NOTIFY);
    s2_ike1_write_notify(&c->w, &n);
    s2_ike1_payload_end(&c->chain);
}

/* INITIAL-CONTACT, and RESPONDER-LIFETIME of phase 1: RFC 2407 section 4.6.3. */
void s2_ike1_read_last(struct s2_ike_sa *sa, const struct s2_ike1_payloads *list)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;

    for (size_t i = 0; i < list->count; i++) {
        struct s2_ike1_notify_payload n;
        struct s2_ike1_lifetime l;
        struct s2_reader r;

        if (list->item[i].type != S2_IKE1_PAYLOAD_NOTIFY)
            continue;
        s2_reader_init(&r, list->item[i].body.p, list->item[i].body.len);
        if (s2_ike1_parse_notify(&r, &n) != S2SVPN_OK)
            continue;
        if (n.type == S2_IKE1_N_INITIAL_CONTACT)
            sa->v1->initial_contact = true;
        if (n.type != S2_IKE1_N_RESPONDER_LIFETIME || n.protocol != S2_IKE1_PROTO_ISAKMP)
            continue;
        s2_reader_init(&r, n.data.p, n.data.len);
        if (s2_ike1_parse_lifetime(&r, true, &l) == S2SVPN_OK)
            h->life_s = s2_ike1_shorter(h->life_s, l.life_s);
    }
}

/* ---- up */

/* Of the two nonces the lower, its beginning. */
static void keep_low(s2svpn_span a, s2svpn_span b, uint8_t out[S2_IKE_LOW_LEN])
{
    const s2svpn_span low = s2_ike_nonce_compare(a, b) < 0 ? a : b;

    memset(out, 0, S2_IKE_LOW_LEN);
    memcpy(out, low.p, low.len < S2_IKE_LOW_LEN ? low.len : S2_IKE_LOW_LEN);
}

/* What s2_ike_sa_get_info reads. */
static void fill_info(struct s2_ike_sa *sa)
{
    const struct s2_ike1_keys *k = &sa->v1->keys;

    sa->keys.suite = (struct s2_ike_suite){
        .encr = k->suite.encr,
        .key_bits = k->suite.key_bits,
        .prf = k->suite.prf,
        .ke = k->suite.ke,
    };
    sa->keys.encr = k->encr;
    sa->keys.prf = k->prf;
    memcpy(sa->keys.sk_ei, k->key, sizeof(k->key));
    sa->keyed = true;
}

void s2_ike1_enter_up(struct s2_ike_sa *sa)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;
    const uint32_t life_s = s2_ike1_shorter(sa->config->ike_lifetime_s, h->life_s);

    keep_low(s2_span(h->nonce, sizeof(h->nonce)), s2_span(h->peer_nonce, h->peer_nonce_len),
             sa->low);
    fill_info(sa);
    s2_ike1_handshake_free(sa);
    sa->established_ns = sa->last_in_ns = sa->ike->now_ns;
    sa->rekey_at_ns = s2_ike_rekey_at(sa, life_s);
    sa->expire_at_ns = s2_ike_expire_at(sa, life_s);
    sa->proved = true;
    sa->ike->counters.handshakes++;
    s2_ike_sa_announce(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    if (sa->v1->initial_contact)
        s2_ike_twins_initial_contact(sa);
    if (sa->state != S2_IKE_STATE_DEAD)
        s2_ike1_siblings_review(sa);
}
