/* SPDX-License-Identifier: Apache-2.0 */
/* What every object of a context has: identifier, state, handles, and a life that
 * goes on until it is deleted, its last handle released, and no worker can hold it. */
#ifndef S2_VPN_OBJECT_H
#define S2_VPN_OBJECT_H

#include "base/epoch.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/text.h"
#include "s2svpn/context.h"

#define S2_KINDS 9 /* one more than the largest enum s2svpn_kind */

struct s2_object;

/* What kinds of objects differ in. */
struct s2_class {
    uint8_t kind;       /* enum s2svpn_kind */
    const char *prefix; /* of identifiers */
    size_t size;        /* of the whole struct, whose first member is the s2_object */
    /* Its record, "name value" lines. */
    void (*print)(struct s2_buffer *b, const struct s2_object *o);
    /* The store has taken it: begin to act; NULL: nothing to begin. A failure makes the
     * object FAILED. */
    s2svpn_status (*ready)(struct s2_object *o);
    /* It is deleted, or never became ready: leave parents and tables, stop acting; NULL:
     * nothing to leave. */
    void (*end)(struct s2_object *o);
    /* Free what only this object has, and itself. */
    void (*destroy)(struct s2_object *o);
};

struct s2_object {
    const struct s2_class *class;
    s2svpn_context *ctx;
    s2svpn_id id;
    uint8_t kind;  /* enum s2svpn_kind */
    uint8_t state; /* enum s2svpn_state */
    bool unlinked; /* deleted: in no table any more */
    bool busy;     /* a transaction of its own is with the store */
    uint32_t handles;
    uint32_t children; /* objects that forbid its deletion */
    uint64_t revision; /* as stored; 0: not stored yet */
    struct s2_table_node by_id;
    struct s2_link in_kind;
    struct s2_retired retired;
};

/* Zeroed memory for an object, with a fresh identifier (or id, if not NULL or empty),
 * in the tables, in state PENDING, one handle. E_LIMIT, E_MEMORY, E_RANDOM, E_EXISTS. */
S2SVPN_NODISCARD s2svpn_status s2_object_new(s2svpn_context *ctx, const struct s2_class *class,
                                             const s2svpn_id *id, void **out);
/* prefix, "-" and 17 random hexadecimal digits, AWS's form. E_RANDOM. */
S2SVPN_NODISCARD s2svpn_status s2_object_draw_id(s2svpn_context *ctx, const char *prefix,
                                                 s2svpn_id *out);
/* Undo of s2_object_new before anyone saw it. */
void s2_object_discard(struct s2_object *o);
/* Write the new object to the store; then it is AVAILABLE and ready, or FAILED. After
 * a failure of the call itself it is discarded. */
S2SVPN_NODISCARD s2svpn_status s2_object_create(struct s2_object *o);
/* E_STATE, E_IN_USE; DELETING until the store has agreed, then ended. */
S2SVPN_NODISCARD s2svpn_status s2_object_delete(struct s2_object *o);
/* The same as a public call: entered and left. */
S2SVPN_NODISCARD s2svpn_status s2_object_delete_public(struct s2_object *o);
/* Count a handle for the host; E_NOT_FOUND. */
S2SVPN_NODISCARD s2svpn_status s2_object_hold(s2svpn_context *ctx, enum s2svpn_kind kind,
                                              const char *id, void **out);
void s2_object_release(struct s2_object *o);
/* Ended without asking the store: out of the tables, state DELETED, an event; freed
 * once nobody holds it. */
void s2_object_end(struct s2_object *o);
/* AVAILABLE or FAILED, with the event. */
void s2_object_set_state(struct s2_object *o, enum s2svpn_state state);
/* E_STATE with a sentence unless the object is AVAILABLE. */
S2SVPN_NODISCARD s2svpn_status s2_object_check(const struct s2_object *o, const char *what);

/*
 * Changes. What a call wants is written to the store first; apply runs when the
 * store has agreed, and is where the object changes. Without a store that is at
 * once. print writes the record of the object as it shall be.
 */
struct s2_change {
    struct s2_object *object;
    bool remove;
    void (*print)(struct s2_buffer *b, struct s2_object *o, void *arg); /* NULL with remove */
    void (*apply)(struct s2_object *o, void *arg, s2svpn_status result);
    void *arg; /* freed with s2_free after apply; may be NULL */
};
/* On failure nothing will happen, and arg is still the caller's. */
S2SVPN_NODISCARD s2svpn_status s2_object_change(const struct s2_change *change);

/* Fill a caller's info struct, which may be of an older, shorter version. */
void s2_info_copy(void *out, size_t out_size, const void *info, size_t size);

/* At the end of the context: pending transactions are forgotten. */
void s2_changes_clear(s2svpn_context *ctx);

/* In each object's print: one field. */
void s2_record_text(struct s2_buffer *b, const char *name, const char *value);
void s2_record_number(struct s2_buffer *b, const char *name, uint64_t value);
void s2_record_prefix(struct s2_buffer *b, const char *name, const s2svpn_prefix *p);

#endif
