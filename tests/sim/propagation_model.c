/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of propagation as flags; see the header. */
#include "propagation_model.h"

#include <string.h>

#define ADDRESS(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/* The sites' first networks, what the first two have besides, what any may offer: one,
 * one that covers all of these, and a part of the VPC's block. */
const struct model_prefix model_prefix[MODEL_PREFIXES] = {
    {ADDRESS(20, 0, 0, 0), 24}, {ADDRESS(20, 1, 0, 0), 24},   {ADDRESS(20, 2, 0, 0), 24},
    {ADDRESS(20, 0, 1, 0), 24}, {ADDRESS(20, 1, 1, 0), 24},   {ADDRESS(20, 9, 0, 0), 24},
    {ADDRESS(20, 0, 0, 0), 8},  {ADDRESS(10, 0, 128, 0), 24},
};
const uint32_t model_address[MODEL_ADDRESSES] = {
    ADDRESS(20, 0, 0, 10), ADDRESS(20, 1, 0, 10),  ADDRESS(20, 2, 0, 10),
    ADDRESS(20, 0, 1, 10), ADDRESS(20, 1, 1, 10),  ADDRESS(20, 9, 0, 10),
    ADDRESS(20, 7, 0, 10), ADDRESS(10, 0, 128, 9), ADDRESS(30, 0, 0, 10),
};

static bool matches(uint32_t address, const struct model_prefix *p)
{
    return (address ^ p->address) >> (32 - p->length) == 0;
}

bool model_is_local(size_t address)
{
    return model_address[address] >> 16 == ADDRESS(10, 0, 0, 0) >> 16;
}

static bool is_local_prefix(size_t prefix)
{
    return model_prefix[prefix].address >> 16 == ADDRESS(10, 0, 0, 0) >> 16;
}

bool model_overlaps(size_t a, size_t b)
{
    return matches(model_prefix[a].address, &model_prefix[b]) ||
           matches(model_prefix[b].address, &model_prefix[a]);
}

/* ---- what the gateway knows */

static bool is_known(const struct model *m, size_t prefix)
{
    for (size_t s = 0; s < MODEL_SITES; s++) {
        if (m->site[s].told[0][prefix] || m->site[s].told[1][prefix])
            return true;
    }
    return false;
}

bool model_is_usable(const struct model *m, size_t prefix)
{
    for (size_t s = 0; s < MODEL_SITES; s++) {
        for (size_t k = 0; k < 2; k++) {
            if (m->site[s].told[k][prefix] && m->site[s].up[k])
                return true;
        }
    }
    return false;
}

/* After each change: what appears, and what goes. */
static void follow(struct model *m)
{
    for (size_t t = 0; t < MODEL_TABLES; t++) {
        for (size_t p = 0; p < MODEL_PREFIXES; p++) {
            bool *entry = &m->table[t].entry[p];

            *entry = m->table[t].enabled && is_known(m, p) && (*entry || model_is_usable(m, p));
        }
    }
}

/* ---- what peers do */

void model_set_up(struct model *m, size_t site, size_t tunnel, bool up)
{
    struct model_site *s = &m->site[site];

    if (up && !s->up[tunnel] && !s->is_static)
        memcpy(s->told[tunnel], s->offers, sizeof(s->offers));
    s->up[tunnel] = up;
    follow(m);
}

void model_offer(struct model *m, size_t site, size_t prefix, bool on)
{
    struct model_site *s = &m->site[site];
    const bool heard = s->is_static || s->up[0] || s->up[1];

    s->offers[prefix] = on;
    for (size_t k = 0; k < 2; k++) {
        if (on && (s->is_static || s->up[k]))
            s->told[k][prefix] = true;
        else if (!on && heard) /* and one that is down isn't believed any more */
            s->told[k][prefix] = false;
    }
    follow(m);
}

void model_create(struct model *m, size_t site)
{
    struct model_site *s = &m->site[site];

    for (size_t k = 0; k < 2 && s->is_static; k++)
        memcpy(s->told[k], s->offers, sizeof(s->offers));
    follow(m);
}

void model_delete(struct model *m, size_t site)
{
    struct model_site *s = &m->site[site];

    memset(s->up, 0, sizeof(s->up));
    memset(s->told, 0, sizeof(s->told));
    follow(m);
}

/* ---- what people do */

void model_attach(struct model *m, size_t vpc)
{
    m->vpc = vpc;
    for (size_t t = 2 * vpc; t < 2 * vpc + 2; t++) {
        for (size_t p = 0; p < MODEL_PREFIXES; p++) {
            if (m->table[t].manual[p] == MANUAL_DETACHED)
                m->table[t].manual[p] = MANUAL_GATEWAY;
        }
    }
}

void model_detach(struct model *m)
{
    for (size_t t = 0; t < MODEL_TABLES; t++) {
        m->table[t].enabled = false;
        for (size_t p = 0; p < MODEL_PREFIXES; p++) {
            if (m->table[t].manual[p] == MANUAL_GATEWAY)
                m->table[t].manual[p] = MANUAL_DETACHED;
        }
    }
    m->vpc = MODEL_NOWHERE;
    follow(m);
}

enum model_answer model_enable(struct model *m, size_t table)
{
    if (m->vpc != table / 2)
        return ANSWER_STATE;
    if (m->table[table].enabled)
        return ANSWER_EXISTS;
    m->table[table].enabled = true;
    follow(m);
    return ANSWER_OK;
}

enum model_answer model_disable(struct model *m, size_t table)
{
    if (!m->table[table].enabled)
        return ANSWER_NOT_FOUND;
    m->table[table].enabled = false;
    follow(m);
    return ANSWER_OK;
}

enum model_answer model_add(struct model *m, size_t table, size_t prefix, enum model_manual to)
{
    if (to == MANUAL_GATEWAY && m->vpc != table / 2)
        return ANSWER_STATE;
    if (m->table[table].manual[prefix] != MANUAL_NONE)
        return ANSWER_EXISTS;
    if (is_local_prefix(prefix))
        return ANSWER_ARGUMENT;
    m->table[table].manual[prefix] = to;
    return ANSWER_OK;
}

enum model_answer model_remove(struct model *m, size_t table, size_t prefix)
{
    if (m->table[table].manual[prefix] == MANUAL_NONE)
        return ANSWER_NOT_FOUND;
    m->table[table].manual[prefix] = MANUAL_NONE;
    return ANSWER_OK;
}

void model_port_gone(struct model *m, size_t vpc)
{
    for (size_t t = 2 * vpc; t < 2 * vpc + 2; t++) {
        for (size_t p = 0; p < MODEL_PREFIXES; p++) {
            if (m->table[t].manual[p] == MANUAL_PORT)
                m->table[t].manual[p] = MANUAL_GONE;
        }
    }
}

/* ---- what packets do */

bool model_lookup(const struct model *m, size_t table, size_t address, size_t *prefix, bool *manual)
{
    const struct model_table *t = &m->table[table];
    bool found = false;

    if (model_is_local(address))
        return false;
    for (size_t p = 0; p < MODEL_PREFIXES; p++) {
        if (!matches(model_address[address], &model_prefix[p]) ||
            (!t->entry[p] && t->manual[p] == MANUAL_NONE) ||
            (found && model_prefix[p].length < model_prefix[*prefix].length))
            continue;
        found = true;
        *prefix = p;
        *manual = t->manual[p] != MANUAL_NONE;
    }
    return found;
}

/* The gateway's own look-up: the longest prefix that it knows, usable or not. */
static enum model_way by_gateway(const struct model *m, size_t address)
{
    const struct model_prefix *best = NULL;
    enum model_way way = WAY_NO_ROUTE;

    for (size_t p = 0; p < MODEL_PREFIXES; p++) {
        if (!is_known(m, p) || !matches(model_address[address], &model_prefix[p]) ||
            (best && model_prefix[p].length < best->length))
            continue;
        best = &model_prefix[p];
        way = model_is_usable(m, p) ? WAY_SITE : WAY_NO_PATH;
    }
    return way;
}

enum model_way model_way(const struct model *m, size_t table, size_t address)
{
    bool manual = false;
    size_t p = 0;

    if (model_is_local(address))
        return WAY_LOCAL;
    if (!model_lookup(m, table, address, &p, &manual))
        return WAY_NO_ROUTE;
    if (manual && m->table[table].manual[p] >= MANUAL_DETACHED)
        return WAY_BLACKHOLE;
    if (manual && m->table[table].manual[p] == MANUAL_PORT)
        return WAY_PORT;
    return by_gateway(m, address);
}
