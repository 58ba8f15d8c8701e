/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watcher at the wire, with the keys of both ends: it opens every ESP packet that is
 * sent, as Wireshark would, and says what must never be seen there. It knows the ends
 * by their key logs alone.
 *
 *   plaintext   the inner addresses of a packet, in clear
 *   stranger    ESP under an SPI whose keys its sender never logged
 *   wrong_key   doesn't open with the sender's key, or the receiver has another one
 *               under this SPI
 *   repeated    a sequence number that this SA has used before, or an older one
 *   unheard     ESP under an SA that the receiver never had, counted when asked
 *   nonsense    opens, but holds no packet of the scene
 */
#ifndef S2_TESTS_SIM_WATCH_H
#define S2_TESTS_SIM_WATCH_H

#include "scene.h"

struct watch_sa {
    uint32_t spi;
    bool to_device;
    bool logged[2]; /* by the gateway, by the device */
    char keys[256]; /* the key log's words for algorithms and keys */
    void *session;
    uint16_t iv_len, icv_len;
    uint32_t last_seq;
    uint64_t packets;
};

struct watch {
    struct watch_sa *sa;
    size_t count, capacity;
    void *worker; /* of the crypto backend */
    uint64_t datagrams, esp, ike;
    uint64_t plaintext, stranger, wrong_key, repeated, nonsense;
    bool broken; /* out of memory, or a line that can't be read */
    /* Optional: told of each inner packet with the datagram that carries it. */
    void (*inner)(void *user, const uint8_t *p, size_t len, const s2svpn_datagram *d);
    void *inner_user;
};

void watch_clear(struct watch *w); /* an empty one is all zero */
void watch_key(struct watch *w, bool of_device, const char *line);
void watch_wire(struct watch *w, const s2svpn_datagram *d);
uint64_t watch_unheard(const struct watch *w);

/* Ask a context, by packets that can't be authentic, which of all SPIs that were ever
 * its own it still listens to; their number is written to *live. True: these are just
 * the two that its tunnels have (those that are up). */
bool watch_only_current_children_live(const struct watch *w, struct scene_side *side,
                                      const s2svpn_connection *conn, unsigned *live);

#endif
