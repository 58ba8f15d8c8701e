/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody who means harm, beside a scene: he sees all that the ends send, and sends to the
 * gateway whatever he likes from whatever address he likes; of keys he knows none. Inside,
 * he is also a host of the site's LAN.
 *
 * An abuse is a function that is called every millisecond of its storm and sends some
 * messages. The messages are written here by hand, so that they can be wrong.
 */
#ifndef S2_TESTS_SIM_ABUSE_H
#define S2_TESTS_SIM_ABUSE_H

#include "scene.h"

#define ABUSE_KEPT 96     /* datagrams of each kind that he remembers */
#define ABUSE_LEN 9000    /* the longest that he writes */
#define ABUSE_ANSWERS 256 /* of the gateway's, not used yet */

struct abuse_kept {
    s2svpn_endpoint local, remote; /* as it was sent */
    uint32_t len;
    uint8_t data[1500];
};

/* The newest of a kind, in turns. */
struct abuse_memory {
    struct abuse_kept kept[ABUSE_KEPT];
    size_t count; /* so far */
};

struct abuse {
    struct scene s;
    s2svpn_memory memory; /* counts what the gateway and the device have */
    size_t bytes, peak;
    void (*send)(struct abuse *a); /* NULL: the storm is over */
    unsigned each_ms;              /* calls of it */
    uint64_t sent;
    bool sending; /* what is on the wire just now is his */
    /* What went over the wire between the ends: IKE of the device's first context and the
     * gateway's with it, ESP; and of the other contexts, later. */
    struct abuse_memory ike, esp;
    struct abuse_kept init; /* the device's first message */
    /* The gateway's answers to what he has sent himself. */
    struct abuse_kept answer[ABUSE_ANSWERS];
    size_t answers, answers_used;
    uint64_t answered, answered_bytes, sent_bytes; /* what his own have brought about */
    uint64_t mine;                                 /* top bits of the SPIs that he invents */
};

/* Both contexts' memory counts; the wire is recorded. */
bool abuse_begin(struct abuse *a, struct scene_plan *plan);
void abuse_end(struct abuse *a);
/* The storm: from now on until stopped. */
void abuse_start(struct abuse *a, void (*send)(struct abuse *a), unsigned each_ms);
void abuse_stop(struct abuse *a);

uint64_t abuse_roll(struct abuse *a, uint64_t low, uint64_t high);
void abuse_random(struct abuse *a, uint8_t *p, size_t len);
/* Somebody's, of whom no tunnel knows. */
s2svpn_endpoint abuse_stranger(struct abuse *a);
/* The customer's, with any port. */
s2svpn_endpoint abuse_customer(struct abuse *a);
s2svpn_endpoint abuse_gateway(size_t tunnel, uint8_t role);
/* Counted as sent. */
void abuse_send(struct abuse *a, const s2svpn_endpoint *from, const s2svpn_endpoint *to,
                const uint8_t *p, size_t len);
/* The next answer of the gateway's; NULL: none. */
const struct abuse_kept *abuse_answer(struct abuse *a);
/* One of what he remembers; NULL: none. */
const struct abuse_kept *abuse_pick(struct abuse *a, const struct abuse_memory *m);

/* ---- writing: a message grows from its header */

struct abuse_message {
    uint8_t p[ABUSE_LEN];
    size_t len;
    size_t next_at; /* where the type of the next payload goes */
};

void abuse_header(struct abuse_message *m, uint64_t spi_i, uint64_t spi_r, uint8_t version,
                  uint8_t exchange, uint8_t flags, uint32_t id);
void abuse_payload(struct abuse_message *m, uint8_t type, const uint8_t *body, size_t len);
/* To 500 with role IKE, to 4500 with the marker before it. */
void abuse_message_send(struct abuse *a, struct abuse_message *m, const s2svpn_endpoint *from,
                        const s2svpn_endpoint *to);

uint16_t abuse_get16(const uint8_t *p);
uint64_t abuse_get64(const uint8_t *p);
void abuse_put16(uint8_t *p, uint16_t v);
void abuse_put32(uint8_t *p, uint32_t v);
void abuse_put64(uint8_t *p, uint64_t v);

/* ---- what he does: abuse_ike.c, abuse_esp.c */

void abuse_init_strangers(struct abuse *a);
void abuse_init_customer(struct abuse *a);
void abuse_init_with_cookies(struct abuse *a);
void abuse_init_many_payloads(struct abuse *a);
void abuse_init_huge_proposals(struct abuse *a);
void abuse_v1_first(struct abuse *a);
void abuse_v1_strangers(struct abuse *a);
void abuse_v1_third(struct abuse *a);
void abuse_auth_noise(struct abuse *a);
void abuse_pieces_unknown(struct abuse *a);
void abuse_pieces_known(struct abuse *a);
void abuse_pieces_never_whole(struct abuse *a);
void abuse_plain_errors(struct abuse *a);
void abuse_replays_ike(struct abuse *a);
void abuse_reflects(struct abuse *a);
void abuse_garbage(struct abuse *a);

void abuse_esp_strange_spi(struct abuse *a);
void abuse_esp_known_spi(struct abuse *a);
void abuse_replays_esp(struct abuse *a);
void abuse_hops(struct abuse *a);
void abuse_keepalives(struct abuse *a);
void abuse_inner_fragments(struct abuse *a);
void abuse_inner_syn(struct abuse *a);
void abuse_nat_rebinds(struct abuse *a);

#endif
