/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tunnel sends and gets outside, for a client of the control socket, who writes the
 * files: this program needs no right to write anywhere. After "ok\n" come frames,
 *
 *   one byte: what it is      four bytes: length, big endian      so many bytes
 *
 * 'p' bytes of a pcap file, 'i' a line of ikev2_decryption_table, 'e' one of esp_sa, 'n' a
 * sentence. A client that doesn't keep up loses packets, which the last sentence counts.
 */
#ifndef S2_DEVICE_CAPTURE_H
#define S2_DEVICE_CAPTURE_H

#include <s2svpn/context.h>
#include <s2svpn/tunnel.h>

#include "control/control.h"

struct device;

#define KEYS_MAX 256

struct kept_key {
    enum s2svpn_keylog_kind kind;
    char *line;
};

struct capture {
    struct client *client;
    s2svpn_address local, remote; /* outside addresses */
    bool keys;
    uint64_t packets, lost;
    struct event *end;
};

struct captures {
    unsigned running;
    struct kept_key key[KEYS_MAX]; /* a ring: the last ones, with --keep-keys */
    size_t next_key;
};

/* @return what failed; NULL: it runs, and has written its first frames behind what is in the
 * client's stream already. */
const char *capture_start(struct client *client, const s2svpn_tunnel *tunnel, unsigned seconds,
                          bool keys);
/* The client goes. */
void capture_stop(struct client *client);

/* A line of the key log. */
void captures_on_key(struct device *d, enum s2svpn_keylog_kind kind, const char *line);
void captures_clear(struct device *d);

#endif
