/* SPDX-License-Identifier: Apache-2.0 */
/* The fake store keeps no records: what was asked of it is all that it knows. */
#include "vpn/fake_store.h"

#include <stdlib.h>
#include <string.h>

static s2svpn_status submit(void *store, const s2svpn_change *changes, size_t n,
                            s2svpn_store_done *done, void *arg)
{
    struct fake_store *s = store;
    struct fake_change *c = &s->last;
    size_t len = changes->record.len;

    if (n != 1 || changes->record.revision == 0)
        abort();
    s->submits++;
    memset(c, 0, sizeof(*c));
    c->done = done;
    c->arg = arg;
    c->id = changes->record.id;
    c->revision = changes->record.revision;
    c->kind = changes->record.kind;
    c->remove = changes->remove;
    if (len >= sizeof(c->text))
        len = sizeof(c->text) - 1;
    if (len > 0)
        memcpy(c->text, changes->record.data, len);
    if (s->refusal != S2SVPN_OK)
        return s->refusal;
    if (s->later && s->waiting < FAKE_STORE_MAX) {
        s->pending[s->waiting++] = *c;
        return S2SVPN_OK;
    }
    s->answers++;
    done(arg, s->submits == s->refuse_at ? S2SVPN_E_CONFLICT : s->answer);
    return S2SVPN_OK;
}

static s2svpn_status load(void *store, bool (*each)(void *arg, const s2svpn_record *record),
                          void *arg)
{
    (void)store;
    (void)each;
    (void)arg;
    return S2SVPN_OK;
}

static void cancel(void *store, void *arg)
{
    struct fake_store *s = store;

    for (size_t i = 0; i < s->waiting; i++) {
        if (s->pending[i].arg != arg)
            continue;
        memmove(&s->pending[i], &s->pending[i + 1], (--s->waiting - i) * sizeof(s->pending[0]));
        s->cancels++;
        return;
    }
}

static const s2svpn_store_ops ops = {
    .size = sizeof(ops), .name = "fake", .submit = submit, .load = load, .cancel = cancel};

const s2svpn_store_ops *fake_store_ops(void)
{
    return &ops;
}

bool fake_store_answer_at(struct fake_store *s, size_t index, s2svpn_status result)
{
    struct fake_change c;

    if (index >= s->waiting)
        return false;
    c = s->pending[index];
    memmove(&s->pending[index], &s->pending[index + 1],
            (--s->waiting - index) * sizeof(s->pending[0]));
    s->answers++;
    c.done(c.arg, result);
    return true;
}

bool fake_store_answer(struct fake_store *s, s2svpn_status result)
{
    return fake_store_answer_at(s, 0, result);
}

void fake_store_answer_all(struct fake_store *s, s2svpn_status result)
{
    while (fake_store_answer(s, result))
        ;
}
