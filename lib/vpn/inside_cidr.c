/* SPDX-License-Identifier: Apache-2.0 */
/* Inside addresses: a /30 for every tunnel, a /126 as well for those with IPv6 inside. What
 * the caller gives is checked by AWS's rules, the rest is drawn. */
#include "vpn/vpn.h"

#define INSIDE_LENGTH 30
#define INSIDE_LENGTH_IPV6 126
#define INSIDE_TRIES 64 /* random picks before we give up: the block has 16,384 */

struct inside {
    const char *field, *rule, *none;
    bool (*allowed)(const s2svpn_prefix *cidr);
    s2svpn_status (*draw)(const struct s2_env *env, s2svpn_prefix *cidr);
    size_t offset; /* in s2svpn_tunnel_options */
};

static const s2svpn_prefix *inside_of(const struct inside *kind, const s2svpn_tunnel_options *o)
{
    return (const s2svpn_prefix *)(const void *)((const char *)o + kind->offset);
}

/* Now, or by options that are to come into force. */
static bool tunnel_uses(const struct inside *kind, const s2svpn_tunnel *t,
                        const s2svpn_prefix *cidr)
{
    const s2svpn_tunnel_options *waiting = s2_tunnel_waiting(t);

    return s2_prefix_overlaps(inside_of(kind, &t->options), cidr) ||
           (waiting && s2_prefix_overlaps(inside_of(kind, waiting), cidr));
}

/* By any tunnel but the one that t is to take the place of. */
static bool inside_in_use(const struct inside *kind, const s2svpn_virtual_gateway *vgw,
                          const s2svpn_tunnel *t, const s2svpn_prefix *cidr)
{
    S2_LIST_EACH(&vgw->router.connections, l) {
        const s2svpn_connection *c = S2_CONTAINER(l, s2svpn_connection, in_router);

        for (size_t i = 0; i < c->tunnel_count; i++) {
            if ((c != t->connection || i != t->index) && tunnel_uses(kind, &c->tunnel[i], cidr))
                return true;
        }
    }
    return false;
}

static bool allowed_ipv4(const s2svpn_prefix *cidr)
{
    const uint32_t a = s2_address_ipv4_value(&cidr->address);

    if (cidr->address.family != S2SVPN_FAMILY_IPV4 || cidr->length != INSIDE_LENGTH ||
        s2_prefix_has_host_bits(cidr) || a >> 16 != 0xa9fe)
        return false;
    /* AWS's reserved blocks: 169.254.0.0 to 5.0, each /30, and 169.254.169.252/30 */
    if ((a & 0xff) == 0 && (a >> 8 & 0xff) <= 5)
        return false;
    return (a & 0xffff) != 0xa9fc;
}

static s2svpn_status draw_ipv4(const struct s2_env *env, s2svpn_prefix *cidr)
{
    uint16_t block;
    const s2svpn_status rc = s2_random(env, &block, sizeof(block));

    cidr->address = s2_address_ipv4(UINT32_C(0xa9fe0000) | (uint32_t)(block & 0xfffc));
    cidr->length = INSIDE_LENGTH;
    return rc;
}

static bool allowed_ipv6(const s2svpn_prefix *cidr)
{
    return cidr->address.family == S2SVPN_FAMILY_IPV6 && cidr->length == INSIDE_LENGTH_IPV6 &&
           !s2_prefix_has_host_bits(cidr) && cidr->address.bytes[0] == 0xfd;
}

static s2svpn_status draw_ipv6(const struct s2_env *env, s2svpn_prefix *cidr)
{
    uint8_t bytes[16];
    const s2svpn_status rc = s2_random(env, bytes, sizeof(bytes));

    bytes[0] = 0xfd; /* locally assigned, RFC 4193 section 3.1 */
    const s2svpn_address a = s2_address_from(S2SVPN_FAMILY_IPV6, bytes);

    *cidr = s2_prefix_make(&a, INSIDE_LENGTH_IPV6);
    return rc;
}

static const struct inside inside_ipv4 = {
    .field = "inside_cidr",
    .rule = "a /30 of 169.254.0.0/16 that AWS doesn't reserve",
    .none = "no free /30 was found",
    .allowed = allowed_ipv4,
    .draw = draw_ipv4,
    .offset = offsetof(s2svpn_tunnel_options, inside_cidr),
};
static const struct inside inside_ipv6 = {
    .field = "inside_ipv6_cidr",
    .rule = "a /126 of fd00::/8",
    .none = "no free /126 was found",
    .allowed = allowed_ipv6,
    .draw = draw_ipv6,
    .offset = offsetof(s2svpn_tunnel_options, inside_ipv6_cidr),
};

static s2svpn_status choose(const struct inside *kind, s2svpn_connection *c, s2svpn_tunnel *t,
                            const char *path)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_prefix *given = (s2svpn_prefix *)(void *)((char *)&t->options + kind->offset);
    const s2svpn_prefix *others = inside_of(kind, &c->tunnel[1 - t->index].options);
    char field[S2SVPN_FIELD_SIZE];

    s2_print(field, sizeof(field), "%s.%s", path, kind->field);
    if (given->address.family != S2SVPN_FAMILY_NONE) {
        if (!kind->allowed(given))
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "%s", kind->rule);
        if (inside_in_use(kind, c->router->vgw, t, given) ||
            (t->index == 1 && s2_prefix_overlaps(given, others)))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, field, "in use by another tunnel");
        return S2SVPN_OK;
    }
    for (int i = 0; i < INSIDE_TRIES; i++) {
        s2svpn_prefix cidr = {{0}, 0, {0}};

        if (kind->draw(&ctx->env, &cidr) != S2SVPN_OK)
            return s2_fail(&ctx->env, S2SVPN_E_RANDOM, field, "no randomness to be had");
        if (!kind->allowed(&cidr) || inside_in_use(kind, c->router->vgw, t, &cidr) ||
            s2_prefix_overlaps(&cidr, others))
            continue;
        *given = cidr;
        return S2SVPN_OK;
    }
    return s2_fail(&ctx->env, S2SVPN_E_LIMIT, field, "%s", kind->none);
}

s2svpn_status s2_inside_choose(s2svpn_tunnel *t, const char *path)
{
    s2svpn_connection *c = t->connection;
    char field[S2SVPN_FIELD_SIZE];
    s2svpn_status rc = choose(&inside_ipv4, c, t, path);

    if (rc != S2SVPN_OK)
        return rc;
    if (c->inside_version == 6)
        return choose(&inside_ipv6, c, t, path);
    if (t->options.inside_ipv6_cidr.address.family == S2SVPN_FAMILY_NONE)
        return S2SVPN_OK;
    s2_print(field, sizeof(field), "%s.%s", path, inside_ipv6.field);
    return s2_fail(&c->object.ctx->env, S2SVPN_E_ARGUMENT, field, "the inside IP version is 4");
}
