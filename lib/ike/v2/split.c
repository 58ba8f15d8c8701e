/* SPDX-License-Identifier: Apache-2.0 */
/* Our long messages as fragments that each fit into one IP packet. Path MTU is not
 * looked for: a size that passes everywhere is taken at once. RFC 7383 section 2.5. */
#include "ike/v2/v2.h"

#define FRAGMENT_HEADER_LEN 8 /* SKF's, with its numbers */
#define IPV4_HEADER_LEN 20
#define IPV6_HEADER_LEN 40
#define UDP_HEADER_LEN 8
#define MARKER_LEN 4 /* non-ESP marker, RFC 3948 section 2.2 */

/* An IKE message in one IP packet. The least size has room for any suite. */
static size_t longest(const struct s2_ike_sa *sa, const struct s2_ike_path *path)
{
    const bool ipv6 = path->remote.address.family == S2SVPN_FAMILY_IPV6;
    const size_t ip = ipv6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
    const size_t marker = path->local.role == S2SVPN_ROLE_NATT ? MARKER_LEN : 0;

    return sa->ike->options.fragment_size - ip - UDP_HEADER_LEN - marker;
}

static s2svpn_span plain_of(const struct s2_ike_sa *sa, const struct s2_ike_compose *c)
{
    const size_t at = c->sk.iv_at + sa->keys.encr->iv_len;

    return s2_span(c->bytes + at, c->w.len - at);
}

bool s2_ike_is_too_long(const struct s2_ike_sa *sa, const struct s2_ike_compose *c,
                        const struct s2_ike_path *path)
{
    if (!sa->fragmentation || c->w.overflow)
        return false;
    const size_t plain = plain_of(sa, c).len;

    return c->w.len - plain + s2_ike_sk_sealed_len(&sa->keys, plain) > longest(sa, path);
}

/* How a message is cut: all pieces but the last are full. */
struct cut {
    size_t header; /* of a fragment, before what is sealed */
    size_t piece, last;
    uint16_t total;
};

static s2svpn_status plan(const struct s2_ike_sa *sa, size_t plain, size_t most, struct cut *out)
{
    out->header = S2_IKE_HEADER_LEN + FRAGMENT_HEADER_LEN + sa->keys.encr->iv_len;
    out->piece = most > out->header ? s2_ike_sk_plain_room(&sa->keys, most - out->header) : 0;
    if (out->piece == 0 || plain == 0 || (plain - 1) / out->piece >= S2_IKE_FRAGMENTS_MAX)
        return S2SVPN_E_NO_ROOM;
    out->total = (uint16_t)((plain - 1) / out->piece + 1);
    out->last = plain - (out->total - 1u) * out->piece;
    return S2SVPN_OK;
}

static size_t sealed_len(const struct s2_ike_sa *sa, const struct cut *cut, size_t plain)
{
    return cut->header + s2_ike_sk_sealed_len(&sa->keys, plain);
}

/* One fragment into exactly its room. Its header is the message's. */
static s2svpn_status seal(struct s2_ike_sa *sa, const struct s2_ike_compose *c, uint16_t number,
                          uint16_t total, s2svpn_span plain, uint8_t *p, size_t size)
{
    struct s2_ike_sk_writer s;
    struct s2_writer w;

    s2_writer_init(&w, p, size);
    s2_write_bytes(&w, c->bytes, S2_IKE_HEADER_LEN);
    s2svpn_status rc =
        s2_ike_skf_begin(&s, &w, sa->ike->env, &sa->keys, number, total, c->bytes[c->sk.sk_at]);
    if (rc != S2SVPN_OK)
        return rc;
    s2_write_span(&w, plain);
    return s2_ike_sk_end(&s, &sa->ike->crypto, &sa->keys, sa->initiator, sa->aead_counter++);
}

static s2svpn_status seal_all(struct s2_ike_sa *sa, const struct s2_ike_compose *c,
                              const struct cut *cut, struct s2_ike_bytes *to)
{
    const s2svpn_span plain = plain_of(sa, c);
    size_t at = 0;

    for (uint16_t i = 0; i < cut->total; i++) {
        const size_t len = i + 1 < cut->total ? cut->piece : cut->last;
        const size_t size = sealed_len(sa, cut, len);
        const s2svpn_status rc = seal(sa, c, (uint16_t)(i + 1), cut->total,
                                      s2_span(plain.p + i * cut->piece, len), to->p + at, size);

        if (rc != S2SVPN_OK)
            return rc;
        at += size;
    }
    return S2SVPN_OK;
}

s2svpn_status s2_ike_split(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                           const struct s2_ike_path *path, struct s2_ike_bytes *out)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_bytes all = {0};
    struct cut cut;

    s2svpn_status rc = plan(sa, plain_of(sa, c).len, longest(sa, path), &cut);
    if (rc != S2SVPN_OK)
        goto done;
    all.len = (cut.total - 1u) * sealed_len(sa, &cut, cut.piece) + sealed_len(sa, &cut, cut.last);
    all.p = s2_alloc(ike->env, all.len);
    if (all.p == NULL)
        rc = s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKE message");
    else
        rc = seal_all(sa, c, &cut, &all);
done:
    s2_wipe(c->bytes, c->w.len); /* plain text */
    if (rc != S2SVPN_OK) {
        s2_ike_bytes_clear(ike, &all);
        return rc;
    }
    s2_ike_bytes_clear(ike, out);
    *out = all;
    return S2SVPN_OK;
}
