/* SPDX-License-Identifier: Apache-2.0 */
/* Two hosts with fake contexts on one loop, at two addresses with ports of their own. */
#ifndef S2_TESTS_IO_LAB_H
#define S2_TESTS_IO_LAB_H

#include <event2/event.h>

#include "fake_context.h"
#include "io/driver.h"
#include "kernel.h"

#define LAB_HOSTS 2

struct lab {
    struct event_base *base;
    s2svpn_host *host[LAB_HOSTS];
    s2svpn_context *ctx[LAB_HOSTS];
    s2svpn_host_address address[LAB_HOSTS];
    bool raw;
};

s2svpn_address lab_address(const char *text);
/* A UDP port of this address that nobody has. */
uint16_t lab_port(const s2svpn_address *a);

/* Is there a ::1? Where not, a test says so and passes. */
bool lab_has_ipv6(void);

/* Resets the kernel's mood after the hosts are open. */
void lab_open_at(struct lab *lab, const char *first, const char *second,
                 const s2svpn_host_options *options, bool raw);
/* At 127.x.y.1 and .2. */
void lab_open(struct lab *lab, const s2svpn_host_options *options);
void lab_close(struct lab *lab);

s2svpn_endpoint lab_endpoint(const struct lab *lab, size_t i, uint8_t role);
/* From host 0 to host 1, as its context would send it. */
s2svpn_datagram lab_datagram(const struct lab *lab, uint8_t role, void *data, uint32_t len);
/* How many host 0 took. */
size_t lab_send(struct lab *lab, const s2svpn_datagram *d, size_t n);

/* Run the loop until count datagrams have come to the context, or a second has passed. */
bool lab_wait(struct lab *lab, size_t i, size_t count);
bool lab_until(struct lab *lab, const unsigned *counter, unsigned value);
void lab_run_ms(struct lab *lab, unsigned ms);

s2svpn_host_counters lab_counters(const struct lab *lab, size_t i);
/* Bytes that show where they have been. */
void lab_fill(uint8_t *p, size_t len);
/* Did exactly these bytes come to host 1 as datagrams of this length (the last shorter)? */
bool lab_has_train(const struct lab *lab, const uint8_t *p, size_t len, size_t segment);

#endif
