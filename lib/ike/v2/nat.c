/* SPDX-License-Identifier: Apache-2.0 */
/* NAT detection and what follows from it: which endpoints IKE talks from and to,
 * and whether a child's packets go in UDP. RFC 7296 section 2.23, RFC 3948. */
#include "ike/v2/v2.h"

#include "base/address.h"

/* A peer may move ten times a second: after the first few a line each ten seconds will do. */
#define MOVED_NOTE_GAP_NS (10 * S2_SECOND)
#define MOVED_NOTES 5

bool s2_ike_nat_wanted(const struct s2_ike_sa *sa)
{
    return sa->config->local_natt.address.family != S2SVPN_FAMILY_NONE || sa->config->force_udp;
}

/* Where we send from and to. With force_udp the source is one that nobody has, so
 * that the peer finds a NAT and encapsulates. */
s2svpn_status s2_ike_nat_add(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                             const struct s2_ike_path *path, uint64_t spi_r)
{
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const uint64_t spi_i = s2_ike_spi_i(sa);
    const s2svpn_endpoint nowhere = {.address = {.family = path->local.address.family}};
    uint8_t source[20], destination[20];

    if (!s2_ike_nat_wanted(sa))
        return S2SVPN_OK;
    s2svpn_status rc = s2_ike_nat_hash(crypto, spi_i, spi_r,
                                       sa->config->force_udp ? &nowhere : &path->local, source);
    if (rc == S2SVPN_OK)
        rc = s2_ike_nat_hash(crypto, spi_i, spi_r, &path->remote, destination);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_add_notify(c, S2_IKE_N_NAT_DETECTION_SOURCE_IP, s2_span(source, sizeof(source)));
    s2_ike_add_notify(c, S2_IKE_N_NAT_DETECTION_DESTINATION_IP,
                      s2_span(destination, sizeof(destination)));
    return S2SVPN_OK;
}

/* Does any notify of that type hold this hash? A peer may send several sources. */
static bool has_hash(const struct s2_ike_payloads *list, uint16_t type, const uint8_t hash[20])
{
    for (size_t i = 0; i < list->count; i++) {
        struct s2_ike_notify_payload n;
        struct s2_reader r;

        if (list->item[i].type != S2_IKE_PAYLOAD_NOTIFY)
            continue;
        s2_reader_init(&r, list->item[i].body.p, list->item[i].body.len);
        if (s2_ike_parse_notify(&r, &n) == S2SVPN_OK && n.type == type &&
            s2_span_equal(n.data, s2_span(hash, 20)))
            return true;
    }
    return false;
}

s2svpn_status s2_ike_nat_detect(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                                bool *nat_local, bool *nat_remote)
{
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const struct s2_ike_header *h = &packet->h;
    uint8_t theirs[20], ours[20];

    s2svpn_status rc = s2_ike_nat_hash(crypto, h->spi_i, h->spi_r, &packet->path.remote, theirs);
    if (rc == S2SVPN_OK)
        rc = s2_ike_nat_hash(crypto, h->spi_i, h->spi_r, &packet->path.local, ours);
    if (rc != S2SVPN_OK)
        return rc;
    *nat_remote = !has_hash(&packet->list, S2_IKE_N_NAT_DETECTION_SOURCE_IP, theirs);
    *nat_local = !has_hash(&packet->list, S2_IKE_N_NAT_DETECTION_DESTINATION_IP, ours);
    return S2SVPN_OK;
}

void s2_ike_nat_switch(struct s2_ike_sa *sa)
{
    const struct s2_ike_config *config = sa->config;

    if (!sa->udp || sa->path.local.role == S2SVPN_ROLE_NATT ||
        config->local_natt.address.family == S2SVPN_FAMILY_NONE)
        return;
    sa->path.local = config->local_natt;
    sa->path.remote.port = config->remote_natt_port;
    sa->path.remote.role = S2SVPN_ROLE_NATT;
}

/* Section 2.23: who is behind a NAT himself doesn't follow, since somebody on the way could
 * lead him anywhere; unless he must: see the config. */
static bool follows(const struct s2_ike_sa *sa)
{
    return sa->nat_remote && (!sa->nat_local || sa->config->follow);
}

void s2_ike_nat_follow(struct s2_ike_sa *sa, const struct s2_ike_path *path)
{
    struct s2_ike *ike = sa->ike;

    if (!follows(sa) || path->local.role != sa->path.local.role)
        return;
    if (s2_address_equal(&path->remote.address, &sa->path.remote.address) &&
        path->remote.port == sa->path.remote.port)
        return;
    sa->path = *path;
    if (s2_ike_pace(&sa->moved_note_at_ns, ike->now_ns, MOVED_NOTE_GAP_NS, MOVED_NOTES))
        s2_ike_note(sa, "the peer's address behind its NAT has changed");
    s2_ike_request_again(sa); /* what is under way went to where nobody is */
    if (ike->ops.peer_moved != NULL && sa->announced && sa->state != S2_IKE_STATE_DEAD)
        ike->ops.peer_moved(ike->user, sa->config->owner, &sa->path.remote, ike->now_ns);
}

void s2_ike_nat_heard(struct s2_ike_sa *sa, const s2svpn_endpoint *remote)
{
    const struct s2_ike_path path = {.local = sa->path.local, .remote = *remote};

    if (sa->udp && sa->path.local.role == S2SVPN_ROLE_NATT)
        s2_ike_nat_follow(sa, &path);
}

void s2_ike_nat_child_path(const struct s2_ike_sa *sa, struct s2_ike_path *out)
{
    *out = sa->path;
    if (!sa->udp) {
        out->local.role = out->remote.role = S2SVPN_ROLE_RAW;
        out->local.port = out->remote.port = 0;
    } else if (sa->path.local.role != S2SVPN_ROLE_NATT) {
        /* The peer stayed on the IKE port; ESP can't. */
        out->local = sa->config->local_natt;
        out->remote.port = sa->config->remote_natt_port;
        out->remote.role = S2SVPN_ROLE_NATT;
    }
}
