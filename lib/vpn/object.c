/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: identifiers, tables, handles, and changes that the store agrees to. */
#include "vpn/object.h"

#include <string.h>

#include "vpn/vpn.h"

const char *s2svpn_state_text(enum s2svpn_state state)
{
    static const char *const text[] = {
        [S2SVPN_STATE_PENDING] = "pending",   [S2SVPN_STATE_AVAILABLE] = "available",
        [S2SVPN_STATE_DELETING] = "deleting", [S2SVPN_STATE_DELETED] = "deleted",
        [S2SVPN_STATE_FAILED] = "failed",
    };

    if (state < S2SVPN_STATE_PENDING || state > S2SVPN_STATE_FAILED)
        return "unknown";
    return text[state];
}

static uint64_t hash_id(const s2svpn_context *ctx, const char *id)
{
    return s2_siphash(ctx->env.hash_key, id, strlen(id));
}

static bool has_id(const struct s2_table_node *n, const void *key)
{
    return strcmp(S2_CONTAINER(n, struct s2_object, by_id)->id.text, key) == 0;
}

static struct s2_object *find(const s2svpn_context *ctx, const char *id)
{
    struct s2_table_node *n = s2_table_find(&ctx->by_id, hash_id(ctx, id), has_id, id);

    return n ? S2_CONTAINER(n, struct s2_object, by_id) : NULL;
}

/* "vpn-" and 17 hexadecimal digits, AWS's form. */
s2svpn_status s2_object_draw_id(s2svpn_context *ctx, const char *prefix, s2svpn_id *out)
{
    uint8_t random[9];
    char hex[sizeof(random) * 2 + 1];
    s2svpn_status rc = s2_random(&ctx->env, random, sizeof(random));

    if (rc != S2SVPN_OK)
        return s2_fail(&ctx->env, rc, "id", "no randomness for an identifier");
    s2_print_hex(hex, random, sizeof(random));
    s2_print(out->text, sizeof(out->text), "%s-%.17s", prefix, hex);
    return S2SVPN_OK;
}

/* One that was given, not drawn: it stands in records and log lines. */
static bool is_id(const s2svpn_id *id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-";

    for (size_t i = 0; i < sizeof(id->text); i++) {
        if (id->text[i] == 0)
            return true;
        if (strchr(allowed, id->text[i]) == NULL)
            return false;
    }
    return false;
}

s2svpn_status s2_object_new(s2svpn_context *ctx, const struct s2_class *class, const s2svpn_id *id,
                            void **out)
{
    const uint8_t kind = class->kind;
    struct s2_object *o;
    s2svpn_id fresh = {{0}};
    s2svpn_status rc;

    if (ctx->kind_count[kind] >= ctx->limits.objects)
        return s2_fail(&ctx->env, S2SVPN_E_LIMIT, "", "%u objects of this kind exist already",
                       ctx->limits.objects);
    if (id && id->text[0]) {
        if (!is_id(id))
            return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "id", "letters, digits and - alone");
        fresh = *id;
    } else {
        rc = s2_object_draw_id(ctx, class->prefix, &fresh);
        if (rc != S2SVPN_OK)
            return rc;
    }
    if (find(ctx, fresh.text))
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "id", "there is an object %s already",
                       fresh.text);
    o = s2_alloc(&ctx->env, class->size);
    if (o == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for an object");
    o->class = class;
    o->ctx = ctx;
    o->id = fresh;
    o->kind = kind;
    o->state = S2SVPN_STATE_PENDING;
    o->handles = 1;
    rc = s2_table_insert(&ctx->by_id, &o->by_id, hash_id(ctx, fresh.text));
    if (rc != S2SVPN_OK) {
        s2_free(&ctx->env, o);
        return s2_fail(&ctx->env, rc, "", "no room in the table of objects");
    }
    s2_list_append(&ctx->kind[kind], &o->in_kind);
    ctx->kind_count[kind]++;
    *out = o;
    return S2SVPN_OK;
}

static void unlink_object(struct s2_object *o)
{
    if (o->unlinked)
        return;
    o->unlinked = true;
    s2_table_remove(&o->ctx->by_id, &o->by_id);
    s2_list_remove(&o->in_kind);
    o->ctx->kind_count[o->kind]--;
}

void s2_object_discard(struct s2_object *o)
{
    unlink_object(o);
    s2_list_remove(&o->in_kind);
    o->class->destroy(o);
}

s2svpn_status s2_object_hold(s2svpn_context *ctx, enum s2svpn_kind kind, const char *id, void **out)
{
    struct s2_object *o = id ? find(ctx, id) : NULL;

    if (o == NULL || o->kind != kind)
        return s2_fail(&ctx->env, S2SVPN_E_NOT_FOUND, "id", "there is no such object");
    o->handles++;
    *out = o;
    return S2SVPN_OK;
}

static void free_retired(void *arg, struct s2_retired *node)
{
    struct s2_object *o = S2_CONTAINER(node, struct s2_object, retired);

    (void)arg;
    o->class->destroy(o);
}

static void free_if_unheld(struct s2_object *o)
{
    if (!o->unlinked || o->handles > 0 || o->busy)
        return;
    s2_list_remove(&o->in_kind);
    s2_epoch_retire(&o->ctx->epochs, &o->retired, free_retired, NULL);
}

void s2_object_release(struct s2_object *o)
{
    if (o->handles > 0 && --o->handles == 0)
        free_if_unheld(o);
}

void s2_object_set_state(struct s2_object *o, enum s2svpn_state state)
{
    s2svpn_event event = {.kind = S2SVPN_EVENT_OBJECT,
                          .tunnel = UINT32_MAX,
                          .up = state == S2SVPN_STATE_AVAILABLE,
                          .reason = s2svpn_state_text(state)};

    if (o->state == state)
        return;
    o->state = (uint8_t)state;
    s2_emit(o->ctx, &event, o, "%s is %s", o->id.text, s2svpn_state_text(state));
}

void s2_object_end(struct s2_object *o)
{
    if (o->class->end)
        o->class->end(o);
    s2_object_set_state(o, S2SVPN_STATE_DELETED);
    unlink_object(o);
    s2_list_append(&o->ctx->ghosts, &o->in_kind); /* until its last handle is released */
    free_if_unheld(o);
}

s2svpn_status s2_object_check(const struct s2_object *o, const char *what)
{
    if (o->state == S2SVPN_STATE_AVAILABLE)
        return S2SVPN_OK;
    return s2_fail(&o->ctx->env, S2SVPN_E_STATE, what, "%s is %s", o->id.text,
                   s2svpn_state_text((enum s2svpn_state)o->state));
}

/* ---- changes */

struct pending {
    struct s2_link in_context;
    struct s2_change change;
    bool submitting; /* submit hasn't returned */
    bool answered;
    s2svpn_status result;
};

/* Record the outcome in the object and let it act. */
static void conclude(struct s2_change *c, s2svpn_status result)
{
    struct s2_object *o = c->object;

    if (result == S2SVPN_OK)
        o->revision++;
    c->apply(o, c->arg, result);
    s2_free(&o->ctx->env, c->arg);
}

static void on_store_done(void *arg, s2svpn_status result)
{
    struct pending *p = arg;
    struct s2_object *o = p->change.object;
    s2svpn_context *ctx = o->ctx;

    p->answered = true;
    p->result = result;
    if (p->submitting)
        return;
    s2_enter(ctx, 0);
    s2_list_remove(&p->in_context);
    conclude(&p->change, result);
    o->busy = false; /* only now: busy also keeps it from being freed */
    free_if_unheld(o);
    s2_free(&ctx->env, p);
    s2_leave(ctx);
}

static s2svpn_status submit(struct pending *p, const s2svpn_record *record)
{
    s2svpn_context *ctx = p->change.object->ctx;
    const s2svpn_change change = {.record = *record, .remove = p->change.remove};

    p->submitting = true;
    s2svpn_status rc =
        ctx->options.store->submit(ctx->options.store_user, &change, 1, on_store_done, p);
    p->submitting = false;
    if (rc == S2SVPN_OK && p->answered)
        rc = p->result;
    return rc;
}

/* One transaction an object at a time: the revision of a second one isn't known. */
s2svpn_status s2_object_change(const struct s2_change *change)
{
    struct s2_object *o = change->object;
    s2svpn_context *ctx = o->ctx;
    struct s2_buffer b;
    struct pending *p;
    s2svpn_status rc;

    if (ctx->options.store == NULL) {
        struct s2_change now = *change;

        conclude(&now, S2SVPN_OK);
        return S2SVPN_OK;
    }
    if (o->busy)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "%s has a change under way", o->id.text);
    p = s2_alloc(&ctx->env, sizeof(*p));
    if (p == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for a transaction");
    p->change = *change;
    s2_buffer_init(&b, &ctx->memory, 65536);
    if (change->print)
        change->print(&b, o, change->arg);
    rc = b.rc;
    if (rc == S2SVPN_OK) {
        const s2svpn_record record = {.id = o->id,
                                      .revision = o->revision + 1,
                                      .data = (const uint8_t *)b.data,
                                      .len = b.len,
                                      .kind = o->kind};
        rc = submit(p, &record);
    }
    s2_buffer_clear(&b);
    if (rc != S2SVPN_OK) {
        s2_free(&ctx->env, p);
        return s2_fail(&ctx->env, rc, "", "the store refused to change %s", o->id.text);
    }
    if (p->answered) {
        struct s2_change now = p->change;

        s2_free(&ctx->env, p);
        conclude(&now, S2SVPN_OK);
        return S2SVPN_OK;
    }
    o->busy = true;
    s2_list_append(&ctx->changes, &p->in_context);
    return S2SVPN_OK;
}

static void print_new(struct s2_buffer *b, struct s2_object *o, void *arg)
{
    (void)arg;
    o->class->print(b, o);
}

static void apply_new(struct s2_object *o, void *arg, s2svpn_status result)
{
    (void)arg;
    if (o->unlinked) /* ended meanwhile, with its parent */
        return;
    if (result == S2SVPN_OK && o->class->ready)
        result = o->class->ready(o);
    s2_object_set_state(o, result == S2SVPN_OK ? S2SVPN_STATE_AVAILABLE : S2SVPN_STATE_FAILED);
}

s2svpn_status s2_object_create(struct s2_object *o)
{
    const struct s2_change change = {.object = o, .print = print_new, .apply = apply_new};
    s2svpn_status rc = s2_object_change(&change);

    if (rc != S2SVPN_OK) {
        s2_object_discard(o);
        return rc;
    }
    if (o->state != S2SVPN_STATE_FAILED)
        return S2SVPN_OK;
    /* Stored, but it couldn't begin; events may hold it already. */
    rc = o->ctx->error.code != S2SVPN_OK ? o->ctx->error.code : S2SVPN_E_MEMORY;
    s2_object_end(o);
    s2_object_release(o);
    return rc;
}

static void apply_delete(struct s2_object *o, void *arg, s2svpn_status result)
{
    (void)arg;
    if (result == S2SVPN_OK)
        s2_object_end(o);
    else
        s2_object_set_state(o, S2SVPN_STATE_AVAILABLE);
}

s2svpn_status s2_object_delete(struct s2_object *o)
{
    const struct s2_change change = {.object = o, .remove = true, .apply = apply_delete};
    s2svpn_status rc;

    if (o->state == S2SVPN_STATE_FAILED) { /* the store never had it */
        s2_object_end(o);
        return S2SVPN_OK;
    }
    rc = s2_object_check(o, "");
    if (rc != S2SVPN_OK)
        return rc;
    if (o->children > 0)
        return s2_fail(&o->ctx->env, S2SVPN_E_IN_USE, "", "%s is in use by %u other objects",
                       o->id.text, o->children);
    s2_object_set_state(o, S2SVPN_STATE_DELETING);
    rc = s2_object_change(&change);
    if (rc != S2SVPN_OK)
        s2_object_set_state(o, S2SVPN_STATE_AVAILABLE);
    return rc;
}

s2svpn_status s2_object_delete_public(struct s2_object *o)
{
    s2svpn_context *ctx = o->ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_delete(o);
    s2_leave(ctx);
    return rc;
}

void s2_info_copy(void *out, size_t out_size, const void *info, size_t size)
{
    memcpy(out, info, out_size < size ? out_size : size);
}

/* At the context's end: nobody will answer any more. */
void s2_changes_clear(s2svpn_context *ctx)
{
    struct s2_link *l;

    while ((l = s2_list_take_first(&ctx->changes)) != NULL) {
        struct pending *p = S2_CONTAINER(l, struct pending, in_context);

        if (ctx->options.store->cancel)
            ctx->options.store->cancel(ctx->options.store_user, p);
        p->change.object->busy = false;
        s2_free(&ctx->env, p->change.arg);
        s2_free(&ctx->env, p);
    }
}

void s2_record_text(struct s2_buffer *b, const char *name, const char *value)
{
    s2_buffer_print(b, "%s %s\n", name, value);
}

void s2_record_number(struct s2_buffer *b, const char *name, uint64_t value)
{
    s2_buffer_print(b, "%s %llu\n", name, (unsigned long long)value);
}

void s2_record_prefix(struct s2_buffer *b, const char *name, const s2svpn_prefix *p)
{
    char text[S2SVPN_PREFIX_TEXT];

    if (p->address.family != S2SVPN_FAMILY_NONE)
        s2_record_text(b, name, s2svpn_prefix_print(p, text));
}
