/* SPDX-License-Identifier: Apache-2.0 */
/* Children: installed, published, moved over, taken away. */
#include "vpn/sa.h"

#include <string.h>

#include "vpn/vpn.h"

#define LINGER_NS (5 * S2_SECOND) /* at least; the delete's own exchange comes before */

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

/* ---- SPIs: the low half is a slot's number, so that a look-up is an index; the high
 * half is the context's prefix and random bits. */

uint32_t s2_spi_take(s2svpn_context *ctx)
{
    const unsigned free_bits = 16u - ctx->options.spi_prefix_bits;
    uint32_t number, high = 0;

    if (s2_slots_take(&ctx->spis, &number) != S2SVPN_OK)
        return 0;
    if (s2_random(&ctx->env, &high, sizeof(high)) != S2SVPN_OK) {
        s2_slots_give_back(&ctx->spis, number);
        return 0;
    }
    high &= (UINT32_C(1) << free_bits) - 1;
    high |= (uint32_t)ctx->options.spi_prefix << free_bits;
    if (high == 0)
        high = 1; /* 0 to 255 are reserved, RFC 4303 section 2.1 */
    return high << 16 | number;
}

void s2_spi_give_back(s2svpn_context *ctx, uint32_t spi)
{
    s2_slots_give_back(&ctx->spis, spi & 0xffff);
}

struct s2_sa_in *s2_spi_find(s2svpn_context *ctx, uint32_t spi)
{
    struct s2_sa_in *in = s2_slots_get(&ctx->spis, spi & 0xffff);

    return in && in->esp->spi == spi ? in : NULL;
}

/* ---- freeing, once no worker can hold it */

static void free_in(void *arg, struct s2_retired *node)
{
    const s2svpn_context *ctx = arg;
    struct s2_sa_in *in = S2_CONTAINER(node, struct s2_sa_in, retired);

    s2_esp_sa_free(&ctx->env, in->esp);
    s2_free(&ctx->env, in);
}

static void free_way(void *arg, struct s2_retired *node)
{
    const s2svpn_context *ctx = arg;

    s2_free(&ctx->env, S2_CONTAINER(node, struct s2_way, retired));
}

static void free_out(void *arg, struct s2_retired *node)
{
    const s2svpn_context *ctx = arg;
    struct s2_sa_out *out = S2_CONTAINER(node, struct s2_sa_out, retired);

    s2_free(&ctx->env, (void *)(uintptr_t)atomic_load_explicit(&out->way, memory_order_relaxed));
    s2_esp_sa_free(&ctx->env, out->esp);
    s2_free(&ctx->env, out);
}

static void free_child(void *arg, struct s2_retired *node)
{
    const s2svpn_context *ctx = arg;

    s2_free(&ctx->env, S2_CONTAINER(node, struct s2_child, retired));
}

/* ---- making */

/* An eighth before the hard one, and up to an eighth more by the tunnel's fuzz, so that
 * the two ends rarely meet. 0 stays 0: none. */
static uint64_t soft_limit(s2svpn_tunnel *t, uint64_t hard)
{
    const uint64_t margin = hard / 8;
    uint16_t fuzz = 0;

    if (hard == 0 || s2_random(&ctx_of(t)->env, &fuzz, sizeof(fuzz)) != S2SVPN_OK)
        fuzz = 0;
    const uint64_t more = margin / 100 * (t->options.rekey_fuzz_percent - 1);

    return hard - margin - more / 65536 * fuzz - more % 65536 * fuzz / 65536;
}

static s2svpn_status make_esp(s2svpn_tunnel *t, const struct s2_ike_child *k, bool outbound,
                              struct s2_esp_sa **sa)
{
    s2svpn_context *ctx = ctx_of(t);
    const struct s2_esp_spec spec = {
        .suite = {.encr = k->encr, .key_bits = k->key_bits, .integ = k->integ},
        .spi = outbound ? k->spi_out : k->spi_in,
        .outbound = outbound,
        .esn = k->esn,
        .window = outbound ? 0 : t->options.replay_window,
        .soft_packets = soft_limit(t, t->options.phase2_lifetime_packets),
        .hard_packets = t->options.phase2_lifetime_packets,
        .soft_bytes = soft_limit(t, t->options.phase2_lifetime_bytes),
        .hard_bytes = t->options.phase2_lifetime_bytes,
        .encr_key = outbound ? k->encr_key_out : k->encr_key_in,
        .integ_key = outbound ? k->integ_key_out : k->integ_key_in,
    };

    return s2_esp_sa_new(&ctx->env, ctx->options.esp_crypto, ctx->options.esp_crypto_user, &spec,
                         sa);
}

static bool covers_all(const struct s2_ike_ts *ts)
{
    static const uint8_t zeros[16],
        ones[16] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    const size_t len = ts->family == S2SVPN_FAMILY_IPV6 ? 16 : 4;

    return ts->protocol == 0 && ts->first_port == 0 && ts->last_port == 65535 &&
           memcmp(ts->first, zeros, len) == 0 && memcmp(ts->last, ones, len) == 0;
}

static void take_selectors(struct s2_selectors *s, const struct s2_ike_child *k)
{
    s->local_count = k->local_ts_count;
    s->remote_count = k->remote_ts_count;
    memcpy(s->local, k->local_ts, sizeof(s->local));
    memcpy(s->remote, k->remote_ts, sizeof(s->remote));
    s->any = 0;
    if (s->local_count == 1 && s->remote_count == 1 && covers_all(&s->local[0]) &&
        covers_all(&s->remote[0]) && s->local[0].family == s->remote[0].family)
        s->any = s->local[0].family == S2SVPN_FAMILY_IPV6 ? 6 : 4;
}

static void discard(s2svpn_context *ctx, struct s2_child *c)
{
    if (c == NULL)
        return;
    if (c->in)
        free_in(ctx, &c->in->retired);
    if (c->out)
        free_out(ctx, &c->out->retired);
    s2_free(&ctx->env, c);
}

static void on_linger(void *arg, uint64_t now_ns);

static struct s2_child *make(s2svpn_tunnel *t, const struct s2_ike_child *k)
{
    s2svpn_context *ctx = ctx_of(t);
    struct s2_child *c = s2_alloc(&ctx->env, sizeof(*c));
    struct s2_way *way;

    if (c == NULL)
        return NULL;
    c->tunnel = t;
    c->spi_in = k->spi_in;
    c->spi_out = k->spi_out;
    c->lost = k->lost;
    s2_list_init(&c->in_tunnel);
    s2_timer_init(&c->linger, on_linger, c);
    take_selectors(&c->selectors, k);
    c->in = s2_alloc(&ctx->env, sizeof(*c->in));
    c->out = s2_alloc(&ctx->env, sizeof(*c->out));
    way = s2_alloc(&ctx->env, sizeof(*way));
    if (c->out)
        atomic_init(&c->out->way, way);
    else
        s2_free(&ctx->env, way);
    if (c->in == NULL || c->out == NULL || way == NULL ||
        make_esp(t, k, false, &c->in->esp) != S2SVPN_OK ||
        make_esp(t, k, true, &c->out->esp) != S2SVPN_OK) {
        discard(ctx, c);
        return NULL;
    }
    way->local = k->local;
    way->remote = k->remote;
    way->remote.role = k->local.role;
    c->in->tunnel = t;
    c->in->selectors = &c->selectors;
    c->out->spi_in = k->spi_in;
    c->out->selectors = &c->selectors;
    return c;
}

/* ---- moving over */

struct s2_child *s2_child_current(const s2svpn_tunnel *t)
{
    S2_LIST_EACH(&t->children, l) {
        struct s2_child *c = S2_CONTAINER(l, struct s2_child, in_tunnel);

        if (c->outbound)
            return c;
    }
    return NULL;
}

static void use_outbound(struct s2_child *c)
{
    s2svpn_tunnel *t = c->tunnel;
    struct s2_child *old = s2_child_current(t);

    if (old == c)
        return;
    if (old)
        old->outbound = false;
    c->outbound = true;
    atomic_store_explicit(&t->out, c->out, memory_order_release);
    s2_tunnel_update_mtu(t);
}

static void take_away(struct s2_child *c)
{
    s2svpn_tunnel *t = c->tunnel;
    s2svpn_context *ctx = ctx_of(t);

    s2_timer_cancel(&ctx->timers, &c->linger);
    s2_list_remove(&c->in_tunnel);
    if (c->outbound)
        atomic_store_explicit(&t->out, NULL, memory_order_release);
    s2_spi_give_back(ctx, c->spi_in);
    s2_epoch_retire(&ctx->epochs, &c->in->retired, free_in, ctx);
    s2_epoch_retire(&ctx->epochs, &c->out->retired, free_out, ctx);
    s2_epoch_retire(&ctx->epochs, &c->retired, free_child, ctx);
}

static void on_linger(void *arg, uint64_t now_ns)
{
    (void)now_ns;
    take_away(arg);
}

s2svpn_status s2_child_install(s2svpn_tunnel *t, const struct s2_ike_child *k, uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);
    struct s2_child *c = make(t, k);
    const bool first = s2_child_current(t) == NULL;

    (void)now_ns;
    if (c == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "an ESP SA couldn't be made");
    s2_list_append(&t->children, &c->in_tunnel);
    s2_slots_set(&ctx->spis, k->spi_in & 0xffff, c->in);
    c->proved = k->initiator;
    if (first || k->initiator)
        use_outbound(c);
    return S2SVPN_OK;
}

static struct s2_child *find(const s2svpn_tunnel *t, uint32_t spi_in)
{
    S2_LIST_EACH(&t->children, l) {
        struct s2_child *c = S2_CONTAINER(l, struct s2_child, in_tunnel);

        if (c->spi_in == spi_in)
            return c;
    }
    return NULL;
}

/* One that lost a collision may be the newest, but the peer forgets it when its delete
 * arrives, and the agreement to that can be long in coming. And one whose exchange isn't
 * complete may never be: a first message of IKEv1 that was late, or came twice. */
static unsigned worth(const struct s2_child *c)
{
    return c->lost ? 0 : c->proved ? 2 : 1;
}

/* To send on. */
static struct s2_child *newest_other(const s2svpn_tunnel *t, const struct s2_child *than)
{
    struct s2_child *best = NULL;

    S2_LIST_EACH(&t->children, l) {
        struct s2_child *c = S2_CONTAINER(l, struct s2_child, in_tunnel);

        if (c != than && !c->leaving && (best == NULL || worth(c) >= worth(best)))
            best = c;
    }
    return best;
}

void s2_child_leave(s2svpn_tunnel *t, uint32_t spi_in, bool at_once, uint64_t now_ns)
{
    struct s2_child *c = find(t, spi_in);
    struct s2_child *other;

    if (c == NULL)
        return;
    other = newest_other(t, c);
    c->leaving = true;
    if (other && c->outbound)
        use_outbound(other);
    if (at_once || other == NULL)
        take_away(c);
    else
        s2_timer_set(&ctx_of(t)->timers, &c->linger, s2_after(now_ns, LINGER_NS));
}

void s2_child_first_packet(s2svpn_context *ctx, uint32_t spi_in, uint64_t now_ns)
{
    struct s2_sa_in *in = s2_spi_find(ctx, spi_in);
    struct s2_child *c = in ? find(in->tunnel, spi_in) : NULL;

    if (c == NULL || c->leaving)
        return;
    s2_tunnel_settle(c->tunnel, now_ns);
    c->proved = true;
    if (newest_other(c->tunnel, NULL) == c)
        use_outbound(c);
}

void s2_child_worn_out(s2svpn_context *ctx, uint32_t spi_in, bool hard)
{
    struct s2_sa_in *in = s2_spi_find(ctx, spi_in);
    struct s2_child *c = in ? find(in->tunnel, spi_in) : NULL;

    if (c == NULL || c->leaving)
        return; /* its successor is there */
    if (hard) {
        const s2svpn_event event = {
            .kind = S2SVPN_EVENT_NOTE, .tunnel = c->tunnel->index, .reason = "hard limit"};

        s2_emit(ctx, &event, &c->tunnel->connection->object,
                "tunnel %u: child SA %08x has reached its hard limit and carries nothing more",
                c->tunnel->index + 1, spi_in);
    }
    if (c->worn_out && !hard)
        return; /* the other direction's limit came first */
    c->worn_out = true;
    if (s2_ike_rekey_child(ctx->ike, c->tunnel, spi_in, ctx->now_ns) != S2SVPN_OK)
        s2_log(&ctx->env, S2_LOG_INFO, "%s: child SA %08x is worn out and isn't rekeyed now",
               c->tunnel->name, spi_in);
}

void s2_children_move(s2svpn_tunnel *t, const s2svpn_endpoint *remote)
{
    s2svpn_context *ctx = ctx_of(t);

    s2_path_begin(t, ctx->now_ns);
    S2_LIST_EACH(&t->children, l) {
        struct s2_child *c = S2_CONTAINER(l, struct s2_child, in_tunnel);
        const struct s2_way *old = atomic_load_explicit(&c->out->way, memory_order_relaxed);
        struct s2_way *way = s2_alloc(&ctx->env, sizeof(*way));

        if (way == NULL)
            continue; /* the peer will be heard again */
        way->local = old->local;
        way->remote = *remote;
        way->remote.role = old->local.role;
        atomic_store_explicit(&c->out->way, way, memory_order_release);
        s2_epoch_retire(&ctx->epochs, &((struct s2_way *)(uintptr_t)old)->retired, free_way, ctx);
    }
    s2_tunnel_update_mtu(t);
}

void s2_children_clear(s2svpn_tunnel *t)
{
    while (!s2_list_empty(&t->children))
        take_away(S2_CONTAINER(t->children.next, struct s2_child, in_tunnel));
}
