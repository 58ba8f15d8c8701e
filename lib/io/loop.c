/* SPDX-License-Identifier: Apache-2.0 */
/* The default host: made, tied to a context, timed by the loop. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/driver.h"

#define DEFAULT_IKE_PORT 500
#define DEFAULT_NATT_PORT 4500
#define DEFAULT_BUFFER (4u * 1024 * 1024)
#define DEFAULT_BATCH 64
#define BUFFER_MAX (1u << 30)
#define WALL_CLOCK_NS 60000000000u /* how often the context is told of it */

uint64_t s2svpn_host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

s2svpn_status s2_io_error(s2svpn_error *why, s2svpn_status code, const char *field, const char *fmt,
                          ...)
{
    va_list args;

    if (why == NULL)
        return code;
    memset(why, 0, sizeof(*why));
    why->code = code;
    snprintf(why->field, sizeof(why->field), "%s", field);
    va_start(args, fmt);
    vsnprintf(why->message, sizeof(why->message), fmt, args);
    va_end(args);
    return code;
}

/* ---- time */

/* The wall clock may be set while we run. */
static void tell_wall_clock(s2svpn_host *host, uint64_t now_ns)
{
    struct timespec wall;

    host->wall_ns = now_ns;
    clock_gettime(CLOCK_REALTIME, &wall);
    s2svpn_context_set_wall_clock(
        host->ctx, (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec, now_ns);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    s2svpn_host *host = arg;
    const uint64_t now = s2svpn_host_now();

    (void)fd;
    (void)what;
    if (host->ctx && now - host->wall_ns >= WALL_CLOCK_NS)
        tell_wall_clock(host, now);
    if (host->ctx)
        s2svpn_advance(host->ctx, now);
}

static void set_deadline(void *io, uint64_t at_ns)
{
    s2svpn_host *host = io;
    const uint64_t now = s2svpn_host_now();
    struct timeval wait = {0};

    if (at_ns == S2SVPN_NEVER) {
        event_del(&host->timer);
        return;
    }
    if (at_ns > now) {
        const uint64_t ns = at_ns - now;
        const uint64_t us = ns / 1000 + (ns % 1000 != 0); /* not before */

        wait.tv_sec = (time_t)(us / 1000000);
        wait.tv_usec = (suseconds_t)(us % 1000000);
    }
    event_add(&host->timer, &wait);
}

/* ---- what else the context calls */

static size_t send_inside(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                          const s2svpn_packet *p, size_t n)
{
    s2svpn_host *host = io;

    (void)worker;
    for (size_t i = 0; i < S2_IO_TUNS_MAX; i++) {
        if (host->tun[i].host && host->tun[i].port == port)
            return s2_io_tun_write(&host->tun[i], p, n);
    }
    if (host->inside == NULL)
        return 0;
    host->inside(host->inside_user, host->ctx, port, p, n, s2svpn_host_now());
    return n;
}

static const s2svpn_io_ops io_ops = {
    .size = sizeof(io_ops),
    .send_outside = s2_io_send_outside,
    .send_inside = send_inside,
    .deadline = set_deadline,
    .superpackets = true,
};

/* ---- making */

static s2svpn_status open_one(s2svpn_host *host, const s2svpn_host_address *a, size_t index,
                              uint8_t role, s2svpn_error *why)
{
    static const char *const names[] = {"", "ike_port", "natt_port", "raw"};
    s2svpn_endpoint local = {.address = a->address, .role = role};
    char field[S2SVPN_FIELD_SIZE];

    snprintf(field, sizeof(field), "address[%zu].%s", index, names[role]);
    if (role == S2SVPN_ROLE_IKE)
        local.port = a->ike_port ? a->ike_port : DEFAULT_IKE_PORT;
    else if (role == S2SVPN_ROLE_NATT)
        local.port = a->natt_port ? a->natt_port : DEFAULT_NATT_PORT;
    return s2_io_socket_open(host, &local, field, why);
}

static s2svpn_status open_raw(s2svpn_host *host, const s2svpn_host_address *a, size_t index,
                              s2svpn_error *why)
{
    char field[S2SVPN_FIELD_SIZE];

    if (a->raw > S2SVPN_HOST_RAW_AUTO) {
        snprintf(field, sizeof(field), "address[%zu].raw", index);
        return s2_io_error(why, S2SVPN_E_ARGUMENT, field, "0 to %d", S2SVPN_HOST_RAW_AUTO);
    }
    if (a->raw == S2SVPN_HOST_RAW_AUTO && !s2_io_raw_allowed(&a->address))
        return S2SVPN_OK;
    return open_one(host, a, index, S2SVPN_ROLE_RAW, why);
}

static s2svpn_status open_address(s2svpn_host *host, const s2svpn_host_address *a, size_t index,
                                  s2svpn_error *why)
{
    char field[S2SVPN_FIELD_SIZE];
    s2svpn_status rc = S2SVPN_OK;

    if (a->address.family != S2SVPN_FAMILY_IPV4 && a->address.family != S2SVPN_FAMILY_IPV6) {
        snprintf(field, sizeof(field), "address[%zu].address", index);
        return s2_io_error(why, S2SVPN_E_ARGUMENT, field, "an address is needed");
    }
    if (!a->no_ike)
        rc = open_one(host, a, index, S2SVPN_ROLE_IKE, why);
    if (rc == S2SVPN_OK)
        rc = open_one(host, a, index, S2SVPN_ROLE_NATT, why);
    if (rc == S2SVPN_OK && a->raw != S2SVPN_HOST_RAW_OFF)
        rc = open_raw(host, a, index, why);
    return rc;
}

static s2svpn_status check_options(const struct event_base *base, const s2svpn_host_options *o,
                                   s2svpn_error *why)
{
    if (base == NULL)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "base", "a loop is needed");
    if (o == NULL || o->size < offsetof(s2svpn_host_options, receive_buffer))
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "size", "S2SVPN_HOST_OPTIONS_INIT sets it");
    if (o->address == NULL)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "address", "an address is needed");
    if (o->address_count < 1 || o->address_count > S2_IO_ADDRESSES_MAX)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "address_count", "1 to %d", S2_IO_ADDRESSES_MAX);
    return S2SVPN_OK;
}

static uint32_t or_default(uint32_t value, uint32_t instead)
{
    return value ? value : instead;
}

/* Into the host; what the caller's older header doesn't have is 0. */
static s2svpn_status take_options(s2svpn_host *host, const s2svpn_host_options *given,
                                  s2svpn_error *why)
{
    s2svpn_host_options *o = &host->options;

    memcpy(o, given, given->size < sizeof(*o) ? given->size : sizeof(*o));
    o->address = NULL;
    o->receive_buffer = or_default(o->receive_buffer, DEFAULT_BUFFER);
    o->send_buffer = or_default(o->send_buffer, DEFAULT_BUFFER);
    o->batch = or_default(o->batch, DEFAULT_BATCH);
    if (o->receive_buffer > BUFFER_MAX)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "receive_buffer", "at most %u", BUFFER_MAX);
    if (o->send_buffer > BUFFER_MAX)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "send_buffer", "at most %u", BUFFER_MAX);
    if (o->batch > S2_IO_BATCH_MAX)
        return s2_io_error(why, S2SVPN_E_ARGUMENT, "batch", "at most %d", S2_IO_BATCH_MAX);
    host->buffer = malloc((size_t)o->batch * S2_IO_READ_LEN);
    if (host->buffer == NULL)
        return s2_io_error(why, S2SVPN_E_MEMORY, "", "no memory for a host");
    return S2SVPN_OK;
}

s2svpn_status s2svpn_host_new(struct event_base *base, const s2svpn_host_options *options,
                              s2svpn_host **out, s2svpn_error *why)
{
    s2svpn_host *host;
    s2svpn_status rc;

    *out = NULL;
    rc = check_options(base, options, why);
    if (rc != S2SVPN_OK)
        return rc;
    host = calloc(1, sizeof(*host));
    if (host == NULL)
        return s2_io_error(why, S2SVPN_E_MEMORY, "", "no memory for a host");
    host->base = base;
    evtimer_assign(&host->timer, base, on_timer, host);
    rc = take_options(host, options, why);
    if (rc == S2SVPN_OK)
        s2_io_receive_init(host);
    for (size_t i = 0; rc == S2SVPN_OK && i < options->address_count; i++)
        rc = open_address(host, &options->address[i], i, why);
    if (rc != S2SVPN_OK) {
        s2svpn_host_free(host);
        return rc;
    }
    *out = host;
    return S2SVPN_OK;
}

void s2svpn_host_free(s2svpn_host *host)
{
    if (host == NULL)
        return;
    event_del(&host->timer);
    for (size_t i = 0; i < host->socket_count; i++)
        s2_io_socket_close(&host->socket[i]);
    for (size_t i = 0; i < S2_IO_TUNS_MAX; i++) {
        if (host->tun[i].host)
            s2_io_tun_close(&host->tun[i]);
    }
    free(host->buffer);
    free(host);
}

void s2svpn_host_prepare(s2svpn_host *host, s2svpn_options *options)
{
    options->io_ops = &io_ops;
    options->io = host;
    options->local = host->local;
    options->local_count = host->socket_count;
    options->now_ns = s2svpn_host_now();
}

void s2svpn_host_attach(s2svpn_host *host, s2svpn_context *ctx)
{
    host->ctx = ctx;
    for (size_t i = 0; i < host->socket_count; i++)
        s2_io_socket_listen(&host->socket[i], ctx != NULL);
    for (size_t i = 0; i < S2_IO_TUNS_MAX; i++) {
        if (host->tun[i].host)
            s2_io_tun_listen(&host->tun[i], ctx != NULL);
    }
    if (ctx == NULL) {
        event_del(&host->timer);
        return;
    }
    tell_wall_clock(host, s2svpn_host_now());
    set_deadline(host, 0); /* a deadline may have passed meanwhile */
}

void s2svpn_host_on_inside(s2svpn_host *host, s2svpn_host_inside_fn *fn, void *user)
{
    host->inside = fn;
    host->inside_user = user;
}

void s2svpn_host_on_gone(s2svpn_host *host, s2svpn_host_gone_fn *fn, void *user)
{
    host->gone = fn;
    host->gone_user = user;
}

void s2svpn_host_on_wire(s2svpn_host *host, s2svpn_host_wire_fn *fn, void *user)
{
    host->wire = fn;
    host->wire_user = user;
}

void s2svpn_host_get_counters(const s2svpn_host *host, s2svpn_host_counters *out)
{
    const size_t size = out->size < sizeof(*out) ? out->size : sizeof(*out);
    s2svpn_host_counters counters = host->counters;

    counters.size = out->size;
    memcpy(out, &counters, size);
}
