/* SPDX-License-Identifier: Apache-2.0 */
/* Diffie-Hellman exchanges as jobs, which may answer at once or later. RFC 7296
 * sections 1.3, 2.12, 3.4; RFC 6989's checks are the crypto backend's. */
#include "ike/v2/v2.h"

#include <string.h>

s2svpn_status s2_ike_kex_new(struct s2_ike_sa *sa, uint16_t group, struct s2_ike_kex **out)
{
    struct s2_ike *ike = sa->ike;
    const s2svpn_algorithm *row = s2_ike_algorithm(&ike->crypto, S2SVPN_TRANSFORM_KE, group, 0);

    if (row == NULL)
        return s2_fail(ike->env, S2SVPN_E_UNSUPPORTED, NULL, "group %u is not to be had", group);
    const size_t size =
        sizeof(struct s2_ike_kex) + row->private_len + 2 * (size_t)row->out_len + row->secret_len;
    struct s2_ike_kex *kex = s2_alloc(ike->env, size);
    if (kex == NULL)
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for a key exchange");
    kex->sa = sa;
    kex->row = row;
    kex->size = size;
    kex->private_key = kex->bytes;
    kex->public_value = kex->private_key + row->private_len;
    kex->peer_value = kex->public_value + row->out_len;
    kex->shared = kex->peer_value + row->out_len;
    s2svpn_status rc = s2_random(ike->env, kex->private_key, row->private_len);
    if (rc != S2SVPN_OK) {
        s2_free(ike->env, kex);
        return rc;
    }
    *out = kex;
    return S2SVPN_OK;
}

void s2_ike_kex_free(struct s2_ike_sa *sa, struct s2_ike_kex **kex)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike_kex *k = *kex;

    if (k == NULL)
        return;
    *kex = NULL;
    if (k->state == S2_IKE_KEX_PENDING)
        ike->ops.cancel_job(ike->user, &k->job);
    s2_wipe(k, k->size);
    s2_free(ike->env, k);
}

static void start(struct s2_ike_kex *kex, uint16_t kind, uint8_t *out, size_t out_len)
{
    struct s2_ike *ike = kex->sa->ike;
    s2svpn_status result = S2SVPN_E_CRYPTO;

    kex->job = (s2svpn_job){
        .size = sizeof(kex->job),
        .kind = kind,
        .ke = kex->row->id,
        .secret = s2_span(kex->private_key, kex->row->private_len),
        .out = out,
        .out_len = out_len,
        .owner = kex,
    };
    if (kind == S2SVPN_JOB_KE_SHARED)
        kex->job.in = s2_span(kex->peer_value, kex->row->out_len);
    kex->state = S2_IKE_KEX_PENDING; /* an answer may come inside the call */
    if (ike->ops.start_job(ike->user, &kex->job, &result) == S2SVPN_JOB_DONE) {
        kex->state = S2_IKE_KEX_DONE;
        kex->result = result;
        s2_ike_touch(kex->sa);
    }
}

void s2_ike_kex_start_public(struct s2_ike_kex *kex)
{
    start(kex, S2SVPN_JOB_KE_PUBLIC, kex->public_value, kex->row->out_len);
}

s2svpn_status s2_ike_kex_start_shared(struct s2_ike_kex *kex, s2svpn_span peer)
{
    if (peer.len != kex->row->out_len)
        return S2SVPN_E_ARGUMENT;
    if (peer.p != kex->peer_value) /* else it was kept there before */
        memcpy(kex->peer_value, peer.p, peer.len);
    start(kex, S2SVPN_JOB_KE_SHARED, kex->shared, kex->row->secret_len);
    return S2SVPN_OK;
}

s2svpn_span s2_ike_kex_shared(const struct s2_ike_kex *kex)
{
    return kex != NULL ? s2_span(kex->shared, kex->row->secret_len) : s2_span(NULL, 0);
}

static bool was_tried(const struct s2_ike_making *m, uint16_t group)
{
    for (size_t i = 0; i < m->tried_count; i++) {
        if (m->tried[i] == group)
            return true;
    }
    return false;
}

static bool can_use(const struct s2_ike_sa *sa, const struct s2_ike_making *m, uint16_t group)
{
    return m->tried_count < sizeof(m->tried) / sizeof(m->tried[0]) && !was_tried(m, group) &&
           s2_ike_algorithm(&sa->ike->crypto, S2SVPN_TRANSFORM_KE, group, 0) != NULL;
}

uint16_t s2_ike_first_group(const struct s2_ike_sa *sa, const struct s2_ike_choices *choices,
                            const struct s2_ike_making *m)
{
    for (size_t i = 0; i < choices->ke_count; i++) {
        if (can_use(sa, m, choices->ke[i]))
            return choices->ke[i];
    }
    return S2SVPN_KE_NONE;
}

bool s2_ike_may_try(const struct s2_ike_sa *sa, const struct s2_ike_choices *choices,
                    const struct s2_ike_making *m, uint16_t group)
{
    for (size_t i = 0; i < choices->ke_count; i++) {
        if (choices->ke[i] == group)
            return can_use(sa, m, group);
    }
    return false;
}
