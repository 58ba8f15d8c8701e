/* SPDX-License-Identifier: Apache-2.0 */
/* What certificates add to IKE_SA_INIT and IKE_AUTH: the payloads of ours, and the checks
 * of the peer's that cost no public-key operation. The states: machine.c; who is refused
 * how: auth_ask.c, auth_answer.c. RFC 7296 sections 2.15, 3.6, 3.7, RFC 4754, RFC 7427
 * section 4, RFC 4945. */
#include "ike/v2/v2.h"

#define CERT_OVERHEAD 5    /* generic header and encoding */
#define AUTHORITIES_MAX 32 /* named in a CERTREQ: IKE_SA_INIT has no fragments */

/* ---- what we send */

/* Those that verification accepts; SHA-1 isn't among them, RFC 8247 section 3.2. */
static const uint16_t our_hashes[] = {S2SVPN_HASH_SHA2_256, S2SVPN_HASH_SHA2_384,
                                      S2SVPN_HASH_SHA2_512};
#define OUR_HASHES (sizeof(our_hashes) / sizeof(our_hashes[0]))

void s2_ike_add_hashes(struct s2_ike_compose *c)
{
    uint8_t data[2 * OUR_HASHES] = {0};

    for (size_t i = 0; i < OUR_HASHES; i++)
        s2_put_u16(data + 2 * i, our_hashes[i]);
    s2_ike_add_notify(c, S2_IKE_N_SIGNATURE_HASH_ALGORITHMS, s2_span(data, sizeof(data)));
}

/* The first ones, if they are many: a peer that knows none of them may still show what
 * it has. */
void s2_ike_add_certreq(struct s2_ike_compose *c, const struct s2_ike_credentials *credentials)
{
    const size_t most = AUTHORITIES_MAX * S2_IKE_KEY_HASH_LEN;
    const s2svpn_span all = credentials->authorities;

    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_CERTREQ);
    s2_ike_write_certreq(&c->w, s2_span(all.p, all.len < most ? all.len : most));
    s2_ike_payload_end(c->chain);
}

/* Asked for or not: whether the peer has them already isn't known here. */
void s2_ike_add_certificates(struct s2_ike_compose *c, const struct s2_ike_credentials *credentials)
{
    for (size_t i = 0; i < credentials->chain_count; i++) {
        s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_CERT);
        s2_ike_write_cert(&c->w, credentials->chain[i]);
        s2_ike_payload_end(c->chain);
    }
}

s2svpn_status s2_ike_certificate_room(struct s2_ike_sa *sa)
{
    const struct s2_ike_credentials *credentials = sa->handshake->credentials;
    struct s2_ike_bytes room = {.len = S2_IKE_COMPOSE_MAX + S2SVPN_AUTH_MAX};

    for (size_t i = 0; i < credentials->chain_count; i++)
        room.len += CERT_OVERHEAD + credentials->chain[i].len;
    room.p = s2_alloc(sa->ike->env, room.len);
    if (room.p == NULL)
        return s2_fail(sa->ike->env, S2SVPN_E_MEMORY, NULL, "no memory for our certificates");
    s2_ike_bytes_clear(sa->ike, &sa->handshake->room);
    sa->handshake->room = room;
    return S2SVPN_OK;
}

/* ---- what the peer sent */

static bool is_known(uint8_t method)
{
    return method == S2SVPN_AUTH_RSA || method == S2SVPN_AUTH_ECDSA_256 ||
           method == S2SVPN_AUTH_ECDSA_384 || method == S2SVPN_AUTH_ECDSA_521 ||
           method == S2SVPN_AUTH_SIGNATURE;
}

static const char *words_of(enum s2svpn_certificate_result result)
{
    static const char *const words[] = {
#define WORDS(name, text) [S2SVPN_CERTIFICATE_##name] = (text),
        S2SVPN_CERTIFICATE_RESULT_LIST(WORDS)
#undef WORDS
    };

    return words[result];
}

/* What is wrong with it before any arithmetic; NULL: nothing. */
static const char *objection(const struct s2_ike_sa *sa, const struct s2_ike_auth_payload *auth,
                             size_t certificates)
{
    if (sa->handshake->credentials == NULL)
        return "this tunnel has no certificate";
    if (auth->method == S2SVPN_AUTH_SHARED_KEY)
        return "the peer uses a pre-shared key, this tunnel certificates";
    if (!is_known(auth->method))
        return words_of(S2SVPN_CERTIFICATE_METHOD);
    if (auth->data.len > S2SVPN_AUTH_MAX)
        return words_of(S2SVPN_CERTIFICATE_MALFORMED);
    if (certificates == 0)
        return "the peer has sent no certificate";
    return NULL;
}

s2svpn_status s2_ike_certificate_check(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                       const struct s2_ike_id *peer_id, const char **why)
{
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    struct s2_ike_auth_payload auth;
    size_t count;

    s2svpn_status rc = s2_ike_auth_read(list, &auth);
    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_ike_read_certificates(list, chain, &count);
    if (rc == S2SVPN_E_MALFORMED)
        return rc;
    *why = rc == S2SVPN_E_LIMIT ? "the peer has sent too many certificates"
                                : objection(sa, &auth, count);
    if (*why != NULL)
        return S2SVPN_E_AUTHENTICATION;
    return s2_ike_proof_verify(sa, &auth, chain, count, peer_id);
}

const char *s2_ike_certificate_why(const struct s2_ike_proof *proof)
{
    const uint8_t why = proof->verify.why;

    if (proof->result != S2SVPN_E_AUTHENTICATION)
        return s2svpn_status_text(proof->result);
    return words_of(why > S2SVPN_CERTIFICATE_OK && why < S2SVPN_CERTIFICATE_RESULTS
                        ? (enum s2svpn_certificate_result)why
                        : S2SVPN_CERTIFICATE_SIGNATURE);
}
