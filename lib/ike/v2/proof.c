/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures as jobs, made and checked, which may answer at once or later: what the two
 * sides sign, and the memory that a job borrows. Whether a certificate is good and which
 * method a key has, is the crypto backend's business. RFC 7296 section 2.15, RFC 7427. */
#include "ike/v2/v2.h"

#include <string.h>

/* With the octets that the AUTH payload of that side is over. */
static s2svpn_status proof_new(struct s2_ike_sa *sa, bool of_initiator, const struct s2_ike_id *id,
                               struct s2_ike_proof **out)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_proof *proof = s2_alloc(ike->env, sizeof(*proof));

    if (proof == NULL)
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for a signature");
    s2svpn_status rc = s2_ike_auth_id(&ike->crypto, &sa->keys, of_initiator, id, proof->id_mac);
    if (rc != S2SVPN_OK) {
        s2_free(ike->env, proof);
        return rc;
    }
    proof->sa = sa;
    proof->id = *id;
    s2_ike_auth_octets(sa, of_initiator, &proof->octets[0], &proof->octets[1]);
    proof->octets[2] = s2_span(proof->id_mac, sa->keys.prf->out_len);
    *out = proof;
    return S2SVPN_OK;
}

static void start(struct s2_ike_proof *proof)
{
    struct s2_ike_sa *sa = proof->sa;
    struct s2_ike *ike = sa->ike;
    s2svpn_status result = S2SVPN_E_CRYPTO;

    s2_ike_proof_free(sa);
    sa->handshake->proof = proof;
    proof->state = S2_IKE_KEX_PENDING; /* an answer may come inside the call */
    if (ike->ops.start_job(ike->user, &proof->job, &result) == S2SVPN_JOB_DONE)
        s2_ike_proof_done(proof, result);
}

s2svpn_status s2_ike_proof_sign(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_proof *proof;

    if (h->credentials == NULL)
        return s2_fail(sa->ike->env, S2SVPN_E_STATE, "certificates", "there are none");
    s2svpn_status rc = proof_new(sa, sa->initiator, &h->our_id, &proof);

    if (rc != S2SVPN_OK)
        return rc;
    proof->sign = (s2svpn_sign){
        .size = sizeof(proof->sign),
        .identity = h->credentials->identity,
        .peer_hashes = h->peer_hashes,
        .in = proof->octets,
        .in_count = 3,
    };
    proof->job = (s2svpn_job){
        .size = sizeof(proof->job),
        .kind = S2SVPN_JOB_SIGN,
        .out = proof->auth,
        .out_len = sizeof(proof->auth),
        .owner = proof,
        .sign = &proof->sign,
    };
    start(proof);
    return S2SVPN_OK;
}

s2svpn_status s2_ike_proof_verify(struct s2_ike_sa *sa, const struct s2_ike_auth_payload *auth,
                                  const s2svpn_span *chain, size_t count,
                                  const struct s2_ike_id *id)
{
    struct s2_ike_proof *proof;
    s2svpn_status rc = proof_new(sa, !sa->initiator, id, &proof);

    if (rc != S2SVPN_OK)
        return rc;
    memcpy(proof->chain, chain, count * sizeof(*chain));
    proof->verify = (s2svpn_verify){
        .size = sizeof(proof->verify),
        .trust = sa->handshake->credentials->trust,
        .chain = proof->chain,
        .chain_count = (uint32_t)count,
        .in = proof->octets,
        .in_count = 3,
        .id = s2_span(proof->id.data, proof->id.len),
        .id_type = proof->id.type,
        .subject = sa->config->remote_subject,
        .auth = auth->data,
        .method = auth->method,
    };
    proof->job = (s2svpn_job){
        .size = sizeof(proof->job),
        .kind = S2SVPN_JOB_VERIFY,
        .owner = proof,
        .verify = &proof->verify,
    };
    start(proof);
    return S2SVPN_OK;
}

/* A signature that can't be one is none. */
static bool is_signature(const struct s2_ike_proof *proof)
{
    return proof->sign.method != S2SVPN_AUTH_SHARED_KEY && proof->sign.method != 0 &&
           proof->job.out_len > 0 && proof->job.out_len <= sizeof(proof->auth);
}

void s2_ike_proof_done(struct s2_ike_proof *proof, s2svpn_status result)
{
    if (proof->state != S2_IKE_KEX_PENDING)
        return;
    if (result == S2SVPN_OK && proof->job.kind == S2SVPN_JOB_SIGN && !is_signature(proof))
        result = S2SVPN_E_CRYPTO;
    proof->state = S2_IKE_KEX_DONE;
    proof->result = result;
    s2_ike_touch(proof->sa);
}

bool s2_ike_proof_take(struct s2_ike_proof *proof)
{
    if (proof == NULL || proof->state != S2_IKE_KEX_DONE)
        return false;
    proof->state = S2_IKE_KEX_IDLE;
    return true;
}

void s2_ike_proof_stop(struct s2_ike_sa *sa)
{
    struct s2_ike_proof *proof = sa->handshake->proof;

    if (proof == NULL || proof->state != S2_IKE_KEX_PENDING)
        return;
    proof->state = S2_IKE_KEX_IDLE;
    sa->ike->ops.cancel_job(sa->ike->user, &proof->job);
}

void s2_ike_proof_free(struct s2_ike_sa *sa)
{
    struct s2_ike_proof *proof = sa->handshake->proof;

    if (proof == NULL)
        return;
    s2_ike_proof_stop(sa);
    sa->handshake->proof = NULL;
    s2_wipe(proof, sizeof(*proof));
    s2_free(sa->ike->env, proof);
}
