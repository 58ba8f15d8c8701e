/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a virtual gateway's propagation into route tables must look like, said a second
 * time and as plainly as can be: a few flags a site, a table and a prefix, changed by
 * what people and peers do. It knows nothing of the library.
 *
 *   an entry appears   once its table propagates and the gateway has a usable path
 *   an entry goes      when propagation is disabled, the gateway is detached, or nobody
 *                      tells the prefix any more: it was withdrawn on a session that
 *                      stands, left out by one that came back, removed from a static
 *                      connection, or its connection was deleted
 *   a path is usable   while a tunnel is up that has told its prefix
 *   a manual route     wins over the entry for the same prefix; it is a blackhole while its
 *                      gateway is detached, or when its port is gone
 */
#ifndef S2_TESTS_SIM_PROPAGATION_MODEL_H
#define S2_TESTS_SIM_PROPAGATION_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_VPCS 2
#define MODEL_TABLES 4 /* the main one and another, of each VPC */
#define MODEL_SITES 3
#define MODEL_PREFIXES 8
#define MODEL_ADDRESSES (MODEL_PREFIXES + 1) /* in each prefix one, and one in none */
#define MODEL_NOWHERE SIZE_MAX

enum model_manual {
    MANUAL_NONE,
    MANUAL_GATEWAY,
    MANUAL_PORT,
    MANUAL_DETACHED, /* a blackhole until its gateway is back */
    MANUAL_GONE,     /* its port is: a blackhole for ever */
};

/* What becomes of a packet that an instance sends. */
enum model_way {
    WAY_NO_ROUTE,
    WAY_LOCAL,
    WAY_BLACKHOLE,
    WAY_PORT,    /* a manual route leads to a network interface */
    WAY_NO_PATH, /* the gateway knows the prefix, and no tunnel of it is up */
    WAY_SITE,
};

/* How a call must end. */
enum model_answer { ANSWER_OK, ANSWER_STATE, ANSWER_EXISTS, ANSWER_NOT_FOUND, ANSWER_ARGUMENT };

struct model_prefix {
    uint32_t address, length;
};
extern const struct model_prefix model_prefix[MODEL_PREFIXES];
extern const uint32_t model_address[MODEL_ADDRESSES];

struct model_site {
    bool is_static;
    bool offers[MODEL_PREFIXES]; /* the site, or with static routes the connection */
    bool up[2];
    bool told[2][MODEL_PREFIXES]; /* by this tunnel, whether it is up or not */
};

struct model_table {
    bool enabled;
    bool entry[MODEL_PREFIXES];
    enum model_manual manual[MODEL_PREFIXES];
};

struct model {
    size_t vpc; /* that the gateway is attached to, or MODEL_NOWHERE */
    struct model_site site[MODEL_SITES];
    struct model_table table[MODEL_TABLES];
};

void model_set_up(struct model *m, size_t site, size_t tunnel, bool up);
void model_offer(struct model *m, size_t site, size_t prefix, bool on);
void model_create(struct model *m, size_t site); /* the connection */
void model_delete(struct model *m, size_t site);
void model_attach(struct model *m, size_t vpc);
void model_detach(struct model *m);
enum model_answer model_enable(struct model *m, size_t table);
enum model_answer model_disable(struct model *m, size_t table);
enum model_answer model_add(struct model *m, size_t table, size_t prefix, enum model_manual to);
enum model_answer model_remove(struct model *m, size_t table, size_t prefix);
void model_port_gone(struct model *m, size_t vpc);

bool model_is_usable(const struct model *m, size_t prefix);
bool model_overlaps(size_t a, size_t b);
/* The route that an address takes in a table: a prefix's number, and whether the manual
 * one; false: none, or the local one. */
bool model_lookup(const struct model *m, size_t table, size_t address, size_t *prefix,
                  bool *manual);
enum model_way model_way(const struct model *m, size_t table, size_t address);
bool model_is_local(size_t address);

#endif
