/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

s2svpn_address lab_address(const char *text)
{
    s2svpn_address a = {.family = strchr(text, ':') ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4};

    if (inet_pton(a.family == S2SVPN_FAMILY_IPV6 ? AF_INET6 : AF_INET, text, a.bytes) != 1)
        abort();
    return a;
}

uint16_t lab_port(const s2svpn_address *a)
{
    s2svpn_endpoint e = {.address = *a};
    union s2_io_name name;
    socklen_t len = s2_io_name_write(&e, &name);
    const int fd = socket(name.any.sa_family, SOCK_DGRAM, 0);

    if (fd < 0 || bind(fd, &name.any, len) != 0 || getsockname(fd, &name.any, &len) != 0)
        abort();
    close(fd);
    s2_io_name_read(&name, &e);
    return e.port;
}

bool lab_has_ipv6(void)
{
    const s2svpn_endpoint e = {.address = lab_address("::1")};
    union s2_io_name name;
    const socklen_t len = s2_io_name_write(&e, &name);
    const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    const bool has = fd >= 0 && bind(fd, &name.any, len) == 0;

    if (fd >= 0)
        close(fd);
    if (!has)
        printf("    no IPv6 on this machine: not tried\n");
    return has;
}

static void open_host(struct lab *lab, size_t i, const s2svpn_host_options *options)
{
    s2svpn_host_options o = *options;
    s2svpn_error why = {0};

    o.address = &lab->address[i];
    o.address_count = 1;
    if (s2svpn_host_new(lab->base, &o, &lab->host[i], &why) != S2SVPN_OK) {
        printf("    %s: %s\n", why.field, why.message);
        abort();
    }
    lab->ctx[i] = calloc(1, sizeof(*lab->ctx[i]));
    if (lab->ctx[i] == NULL)
        abort();
    lab->ctx[i]->worker.ctx = lab->ctx[i];
    s2svpn_host_prepare(lab->host[i], &lab->ctx[i]->options);
    s2svpn_host_attach(lab->host[i], lab->ctx[i]);
}

void lab_open_at(struct lab *lab, const char *first, const char *second,
                 const s2svpn_host_options *options, bool raw)
{
    const char *const text[LAB_HOSTS] = {first, second};

    memset(lab, 0, sizeof(*lab));
    lab->raw = raw;
    lab->base = event_base_new();
    for (size_t i = 0; i < LAB_HOSTS; i++) {
        s2svpn_host_address *a = &lab->address[i];

        a->address = lab_address(text[i]);
        a->raw = raw;
        a->ike_port = lab_port(&a->address);
        do
            a->natt_port = lab_port(&a->address);
        while (a->natt_port == a->ike_port);
        open_host(lab, i, options);
    }
    kernel_reset();
}

void lab_open(struct lab *lab, const s2svpn_host_options *options)
{
    const unsigned pid = (unsigned)getpid();
    char text[LAB_HOSTS][32];

    for (unsigned i = 0; i < LAB_HOSTS; i++)
        snprintf(text[i], sizeof(text[i]), "127.%u.%u.%u", 1 + pid / 256 % 250, pid % 256, 1 + i);
    lab_open_at(lab, text[0], text[1], options, false);
}

void lab_close(struct lab *lab)
{
    kernel_reset();
    for (size_t i = 0; i < LAB_HOSTS; i++) {
        s2svpn_host_attach(lab->host[i], NULL);
        s2svpn_host_free(lab->host[i]);
        free(lab->ctx[i]);
    }
    event_base_free(lab->base);
}

s2svpn_endpoint lab_endpoint(const struct lab *lab, size_t i, uint8_t role)
{
    const s2svpn_host_address *a = &lab->address[i];
    s2svpn_endpoint e = {.address = a->address, .role = role};

    e.port = role == S2SVPN_ROLE_IKE ? a->ike_port : role == S2SVPN_ROLE_NATT ? a->natt_port : 0;
    return e;
}

s2svpn_datagram lab_datagram(const struct lab *lab, uint8_t role, void *data, uint32_t len)
{
    return (s2svpn_datagram){.local = lab_endpoint(lab, 0, role),
                             .remote = lab_endpoint(lab, 1, role),
                             .data = data,
                             .len = len};
}

size_t lab_send(struct lab *lab, const s2svpn_datagram *d, size_t n)
{
    const s2svpn_options *o = &lab->ctx[0]->options;

    return o->io_ops->send_outside(o->io, NULL, d, n);
}

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
    ((void)fd, (void)what, (void)arg);
}

/* One turn, of at most 10 ms. */
static void turn(struct lab *lab)
{
    const struct timeval most = {0, 10000};

    event_base_once(lab->base, -1, EV_TIMEOUT, on_guard, NULL, &most);
    event_base_loop(lab->base, EVLOOP_ONCE);
}

bool lab_wait(struct lab *lab, size_t i, size_t count)
{
    const uint64_t end = s2svpn_host_now() + 1000000000u;

    while (lab->ctx[i]->count < count && s2svpn_host_now() < end)
        turn(lab);
    return lab->ctx[i]->count == count;
}

void lab_run_ms(struct lab *lab, unsigned ms)
{
    const uint64_t end = s2svpn_host_now() + ms * UINT64_C(1000000);

    do {
        turn(lab);
        turn(lab); /* at least, however slow the machine is */
    } while (s2svpn_host_now() < end);
}

bool lab_until(struct lab *lab, const unsigned *counter, unsigned value)
{
    const uint64_t end = s2svpn_host_now() + 1000000000u;

    while (*counter < value && s2svpn_host_now() < end)
        turn(lab);
    return *counter == value;
}

s2svpn_host_counters lab_counters(const struct lab *lab, size_t i)
{
    s2svpn_host_counters c = {.size = sizeof(c)};

    s2svpn_host_get_counters(lab->host[i], &c);
    return c;
}

void lab_fill(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i * 31 + i / 251);
}

bool lab_has_train(const struct lab *lab, const uint8_t *p, size_t len, size_t segment)
{
    const s2svpn_context *ctx = lab->ctx[1];
    size_t at = 0;

    for (size_t i = 0; i < ctx->count; i++) {
        const size_t want = len - at < segment ? len - at : segment;

        if (ctx->arrival[i].len != want || memcmp(ctx->arrival[i].data, p + at, want) != 0)
            return false;
        at += want;
    }
    return at == len;
}
