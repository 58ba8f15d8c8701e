/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of events and who is told. */
#include "vpn/events.h"

#include <string.h>

#include "vpn/vpn.h"

struct waiting {
    struct s2_link in_queue;
    s2svpn_event event;
    struct s2_object *object; /* held */
    char reason[64];
    char text[192];
};

void s2_events_init(struct s2_events *e)
{
    s2_list_init(&e->queue);
}

static bool anyone_wants(const struct s2_events *e, uint32_t kind)
{
    for (size_t i = 0; i < S2_SUBSCRIPTIONS_MAX; i++) {
        if (e->subscription[i].id && (e->subscription[i].kinds & kind))
            return true;
    }
    return false;
}

/* A text that doesn't name its object has it put before it in the log, where nothing else
 * would. */
static void log_event(s2svpn_context *ctx, enum s2_log_level level, const struct s2_object *object,
                      const char *text)
{
    if (object == NULL || strstr(text, object->id.text))
        s2_log(&ctx->env, level, "%s", text);
    else
        s2_log(&ctx->env, level, "%s: %s", object->id.text, text);
}

static void emit(s2svpn_context *ctx, enum s2_log_level level, const s2svpn_event *event,
                 struct s2_object *object, const char *fmt, va_list args)
{
    struct s2_events *e = &ctx->events;
    struct waiting *w;

    if (!anyone_wants(e, event->kind) && ctx->options.log == NULL)
        return;
    w = e->waiting < S2_EVENTS_MAX ? s2_alloc(&ctx->env, sizeof(*w)) : NULL;
    if (w == NULL) {
        e->lost++;
        return;
    }
    w->event = *event;
    w->event.size = sizeof(w->event);
    w->event.now_ns = ctx->now_ns;
    w->event.unix_ns = s2_unix_ns(ctx);
    s2_print_v(w->text, sizeof(w->text), fmt, args);
    s2_copy_text(w->reason, sizeof(w->reason), event->reason ? event->reason : "");
    if (object) {
        w->event.id = object->id;
        w->event.object_kind = (enum s2svpn_kind)object->kind;
        if (object->kind == S2SVPN_KIND_CONNECTION)
            w->event.connection = (s2svpn_connection *)(void *)object;
        w->object = object;
        object->handles++;
    }
    log_event(ctx, level, object, w->text);
    s2_list_append(&e->queue, &w->in_queue);
    e->waiting++;
}

void s2_emit(s2svpn_context *ctx, const s2svpn_event *event, struct s2_object *object,
             const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(ctx, S2_LOG_INFO, event, object, fmt, args);
    va_end(args);
}

void s2_warn(s2svpn_context *ctx, const s2svpn_event *event, struct s2_object *object,
             const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    emit(ctx, S2_LOG_WARNING, event, object, fmt, args);
    va_end(args);
}

/* A sequence number without gaps doesn't show what was lost, so a note does. */
static void tell_lost(s2svpn_context *ctx)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = UINT32_MAX, .reason = "events lost"};
    const uint64_t lost = ctx->events.lost;

    if (lost == 0 || ctx->events.waiting > 0)
        return;
    ctx->events.lost = 0;
    s2_emit(ctx, &event, NULL, "%llu events were lost: too many waited, or no memory",
            (unsigned long long)lost);
    if (ctx->events.lost > 0)
        ctx->events.lost = lost; /* another time */
}

bool s2_events_deliver(s2svpn_context *ctx)
{
    struct s2_events *e = &ctx->events;
    struct s2_link *l;
    bool any = false;

    tell_lost(ctx);
    while ((l = s2_list_take_first(&e->queue)) != NULL) {
        struct waiting *w = S2_CONTAINER(l, struct waiting, in_queue);

        e->waiting--;
        any = true;
        w->event.sequence = ++e->sequence;
        w->event.reason = w->reason;
        w->event.text = w->text;
        for (size_t i = 0; i < S2_SUBSCRIPTIONS_MAX; i++) {
            if (e->subscription[i].id && (e->subscription[i].kinds & w->event.kind))
                e->subscription[i].fn(e->subscription[i].user, ctx, &w->event);
        }
        if (w->object)
            s2_object_release(w->object);
        s2_free(&ctx->env, w);
    }
    return any;
}

void s2_events_clear(s2svpn_context *ctx)
{
    struct s2_link *l;

    while ((l = s2_list_take_first(&ctx->events.queue)) != NULL) {
        struct waiting *w = S2_CONTAINER(l, struct waiting, in_queue);

        if (w->object)
            s2_object_release(w->object);
        s2_free(&ctx->env, w);
    }
    ctx->events.waiting = 0;
}

s2svpn_status s2svpn_context_subscribe(s2svpn_context *ctx, uint32_t kinds, s2svpn_event_fn *fn,
                                       void *user, uint32_t *id)
{
    struct s2_events *e = &ctx->events;

    if (fn == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "fn", "a function is needed");
    for (size_t i = 0; i < S2_SUBSCRIPTIONS_MAX; i++) {
        if (e->subscription[i].id)
            continue;
        if (++e->next_id == 0)
            e->next_id = 1;
        e->subscription[i].id = e->next_id;
        e->subscription[i].kinds = kinds;
        e->subscription[i].fn = fn;
        e->subscription[i].user = user;
        if (id)
            *id = e->next_id;
        return S2SVPN_OK;
    }
    return s2_fail(&ctx->env, S2SVPN_E_LIMIT, "", "%d subscriptions exist already",
                   S2_SUBSCRIPTIONS_MAX);
}

void s2svpn_context_unsubscribe(s2svpn_context *ctx, uint32_t id)
{
    for (size_t i = 0; id != 0 && i < S2_SUBSCRIPTIONS_MAX; i++) {
        if (ctx->events.subscription[i].id == id)
            ctx->events.subscription[i].id = 0;
    }
}
