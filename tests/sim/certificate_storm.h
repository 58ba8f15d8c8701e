/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of a storm of certificates:
 *
 *    device 0, 203.0.113.50, CN=one.example ─┐
 *    device 1, 203.0.113.51, CN=two.example ─┼─ gateway, 198.51.100.1, .2, and an instance
 *    device 2, 203.0.113.52, pre-shared key ─┤
 *    strangers, 100.64.0.0/16 ───────────────┘
 *
 * The gateway knows of the first two no address. Strangers are devices of this library whose
 * crypto table lies. The gateway's memory and jobs are counted.
 */
#ifndef S2_TESTS_SIM_CERTIFICATE_STORM_H
#define S2_TESTS_SIM_CERTIFICATE_STORM_H

#include "crypto/pki.h"
#include "scene.h"

enum {
    SITES = 3, /* the last has a pre-shared key */
    STRANGERS = 7,
    PATIENT = 2, /* of them retry as a device does */
    HALF_OPEN = 32,
    COOKIES = 8,
    AUTHS = 4096,
    HUGE = 14000, /* with the rest just not too long for an IKE_AUTH */
};

struct world;

struct side {
    struct world *world;
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_crypto_ops crypto;
    s2svpn_options options;
    s2svpn_endpoint local[6];
    s2svpn_port *port;
    uint32_t address; /* of its host */
    unsigned asked, answered, wrong;
};

struct site {
    struct side side;
    struct s2_pki_holder *holder; /* NULL: a pre-shared key */
    s2svpn_device_config *config;
    s2svpn_customer_gateway *cgw;
    s2svpn_connection *cloud, *site;
    unsigned number, downs;
};

struct stranger {
    struct side side;
    s2svpn_connection *conn;
    uint64_t until_ns;
};

enum lie { NO_LIE, WRONG_SIGNATURE, OTHERS_NAME, HUGE_CERTIFICATE };

/* What strangers show. */
struct row {
    const char *what;
    unsigned above;      /* authorities above the certificate, below the root */
    bool foreign;        /* the root is nobody's here */
    bool revoked;        /* the certificate is on the gateway's list */
    const char *subject; /* NULL: the first site's */
    bool own;            /* it is the first site's own certificate */
    enum lie lie;
    bool verified; /* the gateway has to look at signatures */
    size_t each;   /* bytes that one IKE SA may take, its IKE_AUTH in pieces and whole */
};

struct world {
    s2svpn_sim *sim;
    const struct row *row;
    struct s2_pki_holder *root, *gateway_holder, *foreign;
    struct s2_pki_holder *above[S2SVPN_CHAIN_MAX], *shown; /* the strangers' */
    char *crl, *crl_revoked;
    uint8_t huge[HUGE];
    s2svpn_memory memory; /* the gateway's */
    size_t bytes, peak;
    s2svpn_limits limits;
    struct side gateway;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_route_table *table;
    s2svpn_virtual_gateway *vgw;
    struct site site[SITES];
    struct stranger stranger[STRANGERS];
    unsigned places;                /* of strangers, so far */
    unsigned verified, shared;      /* jobs of the gateway's */
    unsigned lines, notes, refused; /* refused: notes that tell of it, at the gateway */
    uint64_t auth[AUTHS];           /* the SPIs of all who have sent it an IKE_AUTH */
    size_t auths;
};

/* Nobody is up yet. After a failure, too, close it. */
bool world_open(struct world *w, uint64_t seed, const struct row *row);
void world_close(struct world *w);
/* Take a device away without a word, and make it anew. */
void end_site(struct site *s);
bool begin_site(struct site *s);
bool is_up(const struct site *s); /* both tunnels, at both ends */
void ping(struct site *s);
/* Each stranger that isn't there, or has had its time, begins anew elsewhere. */
void rage(struct world *w);
void end_stranger(struct stranger *x);

#endif
