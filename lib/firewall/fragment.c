/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers the ports of first fragments, for those that come behind them. Puts nothing
 * together. RFC 791 section 3.2, 8200 section 4.5: what belongs together. */
#include <string.h>

#include "base/hash.h"
#include "firewall/flow.h"

#define BUCKETS 256
#define WAYS 4
#define KEEP_NS UINT64_C(30000000000) /* senders have done with a packet long before */

/* Hashed and compared as bytes. IPv6: without the protocol, which later fragments don't
 * know if another header comes first. */
struct fragment_key {
    uint64_t port;
    struct s2_firewall_words source, destination;
    uint32_t id;
    uint8_t protocol, family, direction, zero;
};

struct first {
    struct fragment_key key;
    uint64_t since_ns;
    uint16_t source_port, destination_port;
    uint8_t protocol;
    bool used;
};

struct s2_fragments {
    atomic_bool locked;
    struct first first[BUCKETS][WAYS];
};

s2svpn_status s2_fragments_new(const struct s2_env *env, struct s2_fragments **out)
{
    struct s2_fragments *f = s2_alloc(env, sizeof(*f));

    if (f == NULL)
        return S2SVPN_E_MEMORY;
    atomic_init(&f->locked, false);
    *out = f;
    return S2SVPN_OK;
}

void s2_fragments_free(const struct s2_env *env, struct s2_fragments *f)
{
    s2_free(env, f);
}

static struct fragment_key key_of(enum s2_firewall_direction direction,
                                  const struct s2_firewall_packet *p)
{
    return (struct fragment_key){
        .port = p->port->serial,
        .source = s2_firewall_words_of(p->source),
        .destination = s2_firewall_words_of(p->destination),
        .id = p->fragment_id,
        .protocol = p->source->family == S2SVPN_FAMILY_IPV4 ? p->protocol : 0,
        .family = p->source->family,
        .direction = (uint8_t)direction,
    };
}

static struct first *bucket_of(const struct s2_firewall *fw, const struct fragment_key *key)
{
    return fw->fragments->first[s2_siphash(fw->env->hash_key, key, sizeof(*key)) % BUCKETS];
}

static bool is_old(const struct first *f, uint64_t now_ns)
{
    return now_ns > f->since_ns && now_ns - f->since_ns >= KEEP_NS;
}

static struct first *find(struct first *bucket, const struct fragment_key *key)
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (bucket[i].used && memcmp(&bucket[i].key, key, sizeof(*key)) == 0)
            return &bucket[i];
    }
    return NULL;
}

bool s2_fragments_find(struct s2_firewall *fw, enum s2_firewall_direction direction,
                       const struct s2_firewall_packet *p, struct s2_flow_look *look,
                       uint64_t now_ns)
{
    const struct fragment_key key = key_of(direction, p);
    struct first *bucket = bucket_of(fw, &key);
    bool found;

    s2_firewall_lock(&fw->fragments->locked);
    const struct first *f = find(bucket, &key);
    found = f != NULL && !is_old(f, now_ns);
    if (found) {
        look->protocol = f->protocol;
        look->source_port = f->source_port;
        look->destination_port = f->destination_port;
    }
    s2_firewall_unlock(&fw->fragments->locked);
    return found;
}

void s2_fragments_keep(struct s2_firewall *fw, enum s2_firewall_direction direction,
                       const struct s2_firewall_packet *p, uint64_t now_ns)
{
    const struct fragment_key key = key_of(direction, p);
    struct first *bucket = bucket_of(fw, &key);

    s2_firewall_lock(&fw->fragments->locked);
    struct first *f = find(bucket, &key);
    for (unsigned i = 0; f == NULL && i < WAYS; i++) {
        if (!bucket[i].used)
            f = &bucket[i];
    }
    if (f == NULL) {
        f = &bucket[0];
        for (unsigned i = 1; i < WAYS; i++) {
            if (bucket[i].since_ns < f->since_ns)
                f = &bucket[i];
        }
    }
    *f = (struct first){
        .key = key,
        .since_ns = now_ns,
        .source_port = p->source_port,
        .destination_port = p->destination_port,
        .protocol = p->protocol,
        .used = true,
    };
    s2_firewall_unlock(&fw->fragments->locked);
}
