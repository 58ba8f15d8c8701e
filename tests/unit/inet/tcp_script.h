/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations with one host, written down: a peer by hand. One step a line.
 *
 *   < FLAGS SEQ ACK [len=N win=N mss=N port=N to=N bad=N]   the peer sends
 *   > FLAGS SEQ ACK [len=N mss=N]                     the host has sent this next
 *   ! EVENT                                           the user was told this next
 *   connect | send N | close | abort | listen 0/1 | mtu N     the user's calls
 *   keepalive MS                                      the user asks for them
 *   wait MS                                           time passes, timers fire
 *   starve N                                          N more allocations, then one fails
 *   on EVENT CALL                                     make this call in that callback
 *
 * FLAGS are S A F R, the peer's U, too; bad=1 sends other bytes than belong
 * there. The peer's numbers count from its SYN, ours from our SYN (0 before there is one), so the first byte of text is 1. EVENT is "opened active",
 * "opened passive", "received N", "sendable" or "closed END"; "took N" is what
 * send returned, if that was less. Before each step of the peer, the user or time,
 * and at the end, all that was sent and told must have been expected. The peer's SYN is at 2^32 - 512, so that numbers wrap early. Text is
 * checked byte by byte, both ways.
 */
#ifndef S2_TESTS_TCP_SCRIPT_H
#define S2_TESTS_TCP_SCRIPT_H

#include "fake_env.h"
#include "inet/tcp.h"

#define SCRIPT_PEER_ISN 0xfffffe00u

struct script_row {
    const char *name;
    const char *script;
};

/* Runs it; NULL, or what went wrong, in memory that lasts until the next call. */
const char *run_script(const char *script);

/* A packet from the peer for the host, IPv4, with right checksums; returns its
 * length. */
struct script_packet {
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window, mss;
    const uint8_t *text;
    size_t len;
};
size_t write_packet(uint8_t *out, size_t room, const s2svpn_address *from, const s2svpn_address *to,
                    const struct script_packet *p);

#endif
