/* SPDX-License-Identifier: Apache-2.0 */
/* A context that is none: the public functions that the host calls, linked in place of
 * the library's. It writes down what comes; a test may give it a mind. */
#ifndef S2_TESTS_IO_FAKE_CONTEXT_H
#define S2_TESTS_IO_FAKE_CONTEXT_H

#include "s2svpn/host.h"

#define ARRIVALS_MAX 1024
#define BYTES_MAX (8u * 1024 * 1024)
#define ERRORS_MAX 64

/* A datagram of its own: trains are taken apart. */
struct arrival {
    s2svpn_endpoint local, remote;
    const uint8_t *data; /* in the context's bytes */
    uint32_t len;
    uint32_t train; /* length of the train that it came in; 0: none */
    uint8_t tos, hop_limit;
};

struct error_arrival {
    s2svpn_endpoint local, remote;
    int kind;
    uint32_t mtu;
};

struct s2svpn_worker {
    s2svpn_context *ctx;
};

struct s2svpn_context {
    s2svpn_worker worker;
    s2svpn_options options;
    struct arrival arrival[ARRIVALS_MAX];
    size_t count;
    uint8_t bytes[BYTES_MAX];
    size_t used;
    struct error_arrival error[ERRORS_MAX];
    size_t errors;
    unsigned writables, advances, calls; /* calls: of receive_outside */
    uint64_t advanced_ns, unix_ns;
    /* What to do with packets that enter at a port. */
    void (*inside)(s2svpn_context *ctx, s2svpn_port_id port, s2svpn_packet *p, size_t n);
    void (*on_writable)(s2svpn_context *ctx);
    void *user;
};

#endif
