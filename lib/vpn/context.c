/* SPDX-License-Identifier: Apache-2.0 */
/* The context: made from options, ended with all that it owns. */
#include <string.h>

#include "vpn/vpn.h"

#define DEFAULT(value, otherwise) ((value) ? (value) : (otherwise))

static s2svpn_status backend_random(void *user, uint8_t *out, size_t len)
{
    const s2svpn_context *ctx = user;

    return ctx->options.crypto->random(ctx->options.crypto_user, out, len);
}

static void forward_log(void *user, enum s2_log_level level, const char *text)
{
    const s2svpn_context *ctx = user;

    ctx->options.log(ctx->options.log_user, (s2svpn_log_level)level, text);
}

/* Members that an older caller's struct lacks stay zero. */
static void copy_sized(void *to, size_t to_size, const void *from, size_t from_size)
{
    memcpy(to, from, from_size < to_size ? from_size : to_size);
}

/* Does a table of the caller's reach to the end of this member? What it lacks is NULL. */
#define HAS(table, type, member)                                                                   \
    ((table)->size >= offsetof(type, member) + sizeof(((type *)0)->member))

static s2svpn_status check_crypto(const s2svpn_options *o, s2svpn_error *why)
{
    const s2svpn_crypto_ops *c = o->crypto;
    const s2svpn_crypto_ops *esp = o->esp_crypto;

    if (c == NULL)
        return s2_error_set(why, S2SVPN_E_UNSUPPORTED, "crypto",
                            "this build has no crypto backend of its own: bring one");
    if (!HAS(c, s2svpn_crypto_ops, cancel_job) || !c->algorithms || !c->hash || !c->prf ||
        !c->integ || !c->ike_cbc || !c->ike_aead || !c->start_job)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "crypto", "a required member is missing");
    if (!c->random && !o->random)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "random",
                            "neither the backend nor the options bring randomness");
    if (!HAS(esp, s2svpn_crypto_ops, esp_open) || !esp->algorithms || !esp->esp_session_new ||
        !esp->esp_session_free || !esp->esp_seal || !esp->esp_open)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "esp_crypto", "a required member is missing");
    return S2SVPN_OK;
}

static s2svpn_status check_local(const s2svpn_options *o, s2svpn_error *why)
{
    bool speaks_ike = false;
    char field[S2SVPN_FIELD_SIZE];

    if (o->local_count > S2_LOCAL_MAX || (o->local_count > 0 && o->local == NULL))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "local", "at most %d endpoints", S2_LOCAL_MAX);
    for (size_t i = 0; i < o->local_count; i++) {
        const s2svpn_endpoint *e = &o->local[i];

        s2_print(field, sizeof(field), "local[%zu]", i);
        if ((e->address.family != S2SVPN_FAMILY_IPV4 && e->address.family != S2SVPN_FAMILY_IPV6) ||
            e->role < S2SVPN_ROLE_IKE || e->role > S2SVPN_ROLE_RAW)
            return s2_error_set(why, S2SVPN_E_ARGUMENT, field, "an address and a role are needed");
        if ((e->role == S2SVPN_ROLE_RAW) != (e->port == 0))
            return s2_error_set(why, S2SVPN_E_ARGUMENT, field,
                                "role RAW has no port, the others have one");
        speaks_ike |= e->role != S2SVPN_ROLE_RAW;
    }
    if (!speaks_ike)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "local",
                            "an endpoint of role IKE or NATT is needed");
    return S2SVPN_OK;
}

static s2svpn_status check_io(const s2svpn_options *o, s2svpn_error *why)
{
    const s2svpn_io_ops *io = o->io_ops;

    if (!io || !HAS(io, s2svpn_io_ops, deadline) || !io->send_outside || !io->send_inside ||
        !io->deadline)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "io_ops", "a required member is missing");
    if (o->workers > S2_WORKERS_MAX)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "workers", "at most %d", S2_WORKERS_MAX);
    if (o->workers > 0 && (!HAS(io, s2svpn_io_ops, wake) || !io->wake))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "io_ops.wake",
                            "workers on threads of their own need it");
    return S2SVPN_OK;
}

static s2svpn_status check_options(const s2svpn_options *o, s2svpn_error *why)
{
    s2svpn_status rc;

    if (o->role != S2SVPN_ROLE_GATEWAY && o->role != S2SVPN_ROLE_DEVICE)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "role", "gateway or device");
    if ((unsigned)o->profile > S2SVPN_PROFILE_HARDENED)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "profile", "no such profile");
    /* SPIs 0 to 255 are reserved, so 16 zeros can't stand before all of them */
    if (o->spi_prefix_bits > 16 || (uint32_t)o->spi_prefix >> o->spi_prefix_bits ||
        (o->spi_prefix_bits == 16 && o->spi_prefix == 0))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "spi_prefix", "at most 16 bits, as counted");
    if (o->store &&
        (!HAS(o->store, s2svpn_store_ops, cancel) || !o->store->submit || !o->store->load))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "store", "a required member is missing");
    if (o->memory &&
        (!HAS(o->memory, s2svpn_memory, release) || !o->memory->allocate || !o->memory->release))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "memory", "a required member is missing");
    rc = check_io(o, why);
    if (rc == S2SVPN_OK)
        rc = check_crypto(o, why);
    return rc == S2SVPN_OK ? check_local(o, why) : rc;
}

static void take_limits(s2svpn_context *ctx, const s2svpn_limits *given)
{
    s2svpn_limits *l = &ctx->limits;

    if (given)
        copy_sized(l, sizeof(*l), given, given->size);
    l->size = sizeof(*l);
    l->objects = DEFAULT(l->objects, 100000);
    l->ike_sas = DEFAULT(l->ike_sas, 20000);
    l->half_open = DEFAULT(l->half_open, 1000);
    l->cookie_threshold = DEFAULT(l->cookie_threshold, 100);
    l->prefixes_from_peer = DEFAULT(l->prefixes_from_peer, 100);
    l->static_routes = DEFAULT(l->static_routes, 100);
    l->ring_packets = DEFAULT(l->ring_packets, 256);
    l->vpc_cidrs = DEFAULT(l->vpc_cidrs, 5);
    if (l->vpc_cidrs > S2_VPC_CIDRS_MAX)
        l->vpc_cidrs = S2_VPC_CIDRS_MAX;
}

static void on_stop_deadline(void *arg, uint64_t now_ns)
{
    s2svpn_context *ctx = arg;
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_STOPPED, .tunnel = UINT32_MAX, .reason = "stopped"};

    (void)now_ns;
    if (ctx->stopped)
        return;
    ctx->stopped = true;
    s2_emit(ctx, &event, NULL, "stopped");
}

/* What can't fail: after it s2svpn_context_free can take the context. */
static void init_parts(s2svpn_context *ctx)
{
    s2_timers_init(&ctx->timers);
    s2_timer_init(&ctx->stop_timer, on_stop_deadline, ctx);
    s2_pace_init(ctx);
    s2_list_init(&ctx->changes);
    s2_list_init(&ctx->ghosts);
    s2_list_init(&ctx->log_lines);
    s2_list_init(&ctx->messages);
    s2_events_init(&ctx->events);
    for (size_t i = 0; i < S2_KINDS; i++)
        s2_list_init(&ctx->kind[i]);
    s2_table_init(&ctx->by_id, &ctx->env, (size_t)ctx->limits.objects * S2_KINDS);
    s2_table_init(&ctx->by_outside, &ctx->env, (size_t)ctx->limits.objects * 2);
    s2_certificates_init(ctx);
    s2_slots_init(&ctx->spis, &ctx->env, 0);
    s2_slots_init(&ctx->ports, &ctx->env, 1);
    /* the control thread is a reader too: inline workers, and look-ups of its own */
    s2_epochs_init(&ctx->epochs, ctx->worker_count + 1);
    ctx->told_deadline_ns = S2SVPN_NEVER;
}

static void init_env(s2svpn_context *ctx)
{
    const s2svpn_options *o = &ctx->options;

    ctx->env.memory = &ctx->memory;
    ctx->env.random = o->random ? o->random : backend_random;
    ctx->env.random_user = o->random ? o->random_user : ctx;
    if (o->log) {
        ctx->env.log = forward_log;
        ctx->env.log_user = ctx;
        ctx->env.log_level = (enum s2_log_level)o->log_level;
    }
    ctx->env.error = &ctx->error;
    ctx->env.timers = &ctx->timers;
}

static s2svpn_status init_engines(s2svpn_context *ctx)
{
    const s2svpn_options *o = &ctx->options;
    s2svpn_status rc = s2_random(&ctx->env, ctx->env.hash_key, sizeof(ctx->env.hash_key));

    if (rc != S2SVPN_OK)
        return s2_fail(&ctx->env, rc, "random", "no randomness to be had");
    rc = s2_workers_new(ctx, o->workers);
    if (rc != S2SVPN_OK)
        return rc;
    ctx->local = s2_alloc_array(&ctx->env, o->local_count, sizeof(*ctx->local));
    if (ctx->local == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for a context");
    memcpy(ctx->local, o->local, o->local_count * sizeof(*ctx->local));
    ctx->local_count = o->local_count;
    rc = s2_ike_link_new(ctx);
    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_bgp_link_new(ctx);
    if (rc != S2SVPN_OK || o->role != S2SVPN_ROLE_DEVICE)
        return rc;
    ctx->device = s2_alloc(&ctx->env, sizeof(*ctx->device));
    if (ctx->device == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for a context");
    return s2_router_init(ctx->device, ctx, NULL, 0);
}

s2svpn_status s2svpn_context_new(const s2svpn_options *options, s2svpn_context **out,
                                 s2svpn_error *why)
{
    const s2svpn_memory *memory;
    s2svpn_options o = S2SVPN_OPTIONS_INIT;
    s2svpn_context *ctx;
    s2svpn_status rc;

    *out = NULL;
    if (options == NULL || options->size < offsetof(s2svpn_options, io_ops))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "options", "begin with S2SVPN_OPTIONS_INIT");
    copy_sized(&o, sizeof(o), options, options->size);
    o.crypto = o.crypto ? o.crypto : s2svpn_crypto_openssl();
    if (o.esp_crypto == NULL) {
        o.esp_crypto = o.crypto;
        o.esp_crypto_user = o.crypto_user;
    }
    rc = check_options(&o, why);
    if (rc != S2SVPN_OK)
        return rc;
    memory = o.memory ? o.memory : s2_memory_default();
    ctx = memory->allocate(memory->user, sizeof(*ctx));
    if (ctx == NULL)
        return s2_error_set(why, S2SVPN_E_MEMORY, "", "no memory for a context");
    memset(ctx, 0, sizeof(*ctx));
    ctx->memory = *memory;
    ctx->options = o;
    ctx->now_ns = o.now_ns;
    ctx->superpackets = o.io_ops->size >= sizeof(*o.io_ops) && o.io_ops->superpackets;
    ctx->worker_count = o.workers ? o.workers : 1;
    take_limits(ctx, o.limits);
    init_env(ctx);
    init_parts(ctx);
    rc = init_engines(ctx);
    ctx->options.local = NULL;
    ctx->options.limits = NULL;
    if (rc != S2SVPN_OK) {
        if (why)
            *why = ctx->error;
        s2svpn_context_free(ctx);
        return rc;
    }
    *out = ctx;
    return S2SVPN_OK;
}

static void free_all(struct s2_link *list)
{
    while (!s2_list_empty(list))
        s2_object_discard(S2_CONTAINER(list->next, struct s2_object, in_kind));
}

/* Objects in an order in which nothing is used after its parent is gone. */
static void free_objects(s2svpn_context *ctx)
{
    static const uint8_t order[] = {S2SVPN_KIND_CONNECTION,      S2SVPN_KIND_PORT,
                                    S2SVPN_KIND_SUBNET,          S2SVPN_KIND_ROUTE_TABLE,
                                    S2SVPN_KIND_VIRTUAL_GATEWAY, S2SVPN_KIND_VPC,
                                    S2SVPN_KIND_CUSTOMER_GATEWAY};

    free_all(&ctx->ghosts);
    for (size_t i = 0; i < sizeof(order); i++)
        free_all(&ctx->kind[order[i]]);
}

void s2svpn_context_free(s2svpn_context *ctx)
{
    s2svpn_memory memory;

    if (ctx == NULL || ctx->depth > 0)
        return;
    if (ctx->options.store)
        s2_changes_clear(ctx);
    s2_events_clear(ctx);
    s2_logs_clear(ctx);
    free_objects(ctx);
    s2_logs_clear(ctx); /* of what was freed */
    if (ctx->device)
        s2_router_clear(ctx->device);
    s2_free(&ctx->env, ctx->device);
    s2_ike_free(ctx->ike);
    s2_certificates_clear(ctx);
    s2_bgp_free(ctx->bgp);
    s2_messages_clear(ctx);
    s2_epochs_clear(&ctx->epochs);
    s2_workers_free(ctx);
    s2_slots_clear(&ctx->spis);
    s2_slots_clear(&ctx->ports);
    s2_table_clear(&ctx->by_id);
    s2_table_clear(&ctx->by_outside);
    s2_free(&ctx->env, ctx->local);
    memory = ctx->memory;
    s2_wipe(ctx, sizeof(*ctx));
    memory.release(memory.user, ctx);
}

void s2svpn_context_stop(s2svpn_context *ctx, uint64_t deadline_ns, uint64_t now_ns)
{
    s2_enter(ctx, now_ns);
    ctx->stopping = true;
    S2_LIST_EACH(&ctx->kind[S2SVPN_KIND_CONNECTION], l) {
        struct s2_object *o = S2_CONTAINER(l, struct s2_object, in_kind);
        s2svpn_connection *c = (s2svpn_connection *)(void *)o;

        for (size_t i = 0; i < c->tunnel_count; i++)
            s2_tunnel_stop(&c->tunnel[i], ctx->now_ns);
    }
    if (!ctx->stopped)
        s2_timer_set(&ctx->timers, &ctx->stop_timer, deadline_ns);
    s2_leave(ctx);
}

const s2svpn_error *s2svpn_context_error(const s2svpn_context *ctx)
{
    return &ctx->error;
}

s2svpn_worker *s2svpn_context_worker(s2svpn_context *ctx, size_t index)
{
    return index < ctx->worker_count ? ctx->worker[index] : NULL;
}

uint64_t s2svpn_context_drops(const s2svpn_context *ctx, enum s2svpn_drop reason)
{
    uint64_t sum = 0;

    if ((unsigned)reason >= S2SVPN_DROP_COUNT)
        return 0;
    for (size_t i = 0; i < ctx->worker_count; i++)
        sum += atomic_load_explicit(&ctx->worker[i]->drops[reason], memory_order_relaxed);
    return sum;
}
