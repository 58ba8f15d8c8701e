/* SPDX-License-Identifier: Apache-2.0 */
/* A context on the default host, from the command line to the end. */
#include "program.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GOODBYE_NS 3000000000u

void program_fail(const struct program *p, const s2svpn_error *why)
{
    if (why->line)
        fprintf(stderr, "%s: line %u: %s: %s\n", p->name, why->line, why->field, why->message);
    else if (why->field[0])
        fprintf(stderr, "%s: %s: %s\n", p->name, why->field, why->message);
    else
        fprintf(stderr, "%s: %s\n", p->name, why->message);
    exit(1);
}

void program_usage_error(const struct program *p, const char *option, const char *value)
{
    fprintf(stderr, "%s: %s: \"%s\" is not allowed\n", p->name, option, value);
    exit(2);
}

s2svpn_address program_address(const struct program *p, const char *option, const char *text)
{
    s2svpn_address a = {0};

    if (!s2svpn_address_read(text, &a))
        program_usage_error(p, option, text);
    return a;
}

s2svpn_prefix program_prefix(const struct program *p, const char *option, const char *text)
{
    s2svpn_prefix prefix = {0};

    if (!s2svpn_prefix_read(text, &prefix))
        program_usage_error(p, option, text);
    return prefix;
}

static const char *read_port(const char *text, uint16_t *port)
{
    char *end;
    const unsigned long value = strtoul(text, &end, 10);

    if (end == text || value == 0 || value > 65535)
        return NULL;
    *port = (uint16_t)value;
    return end;
}

void program_ports(const struct program *p, const char *option, const char *text, uint16_t *ike,
                   uint16_t *natt)
{
    const char *end = read_port(text, ike);

    if (end && *end == ',')
        end = read_port(end + 1, natt);
    if (end == NULL || *end != 0)
        program_usage_error(p, option, text);
}

void program_encapsulation(struct program *p, const char *option, const char *text)
{
    if (strcmp(text, "auto") == 0)
        p->raw = S2SVPN_HOST_RAW_AUTO;
    else if (strcmp(text, "udp") == 0)
        p->raw = S2SVPN_HOST_RAW_OFF;
    else if (strcmp(text, "raw") == 0)
        p->raw = S2SVPN_HOST_RAW_REQUIRED;
    else
        program_usage_error(p, option, text);
}

void program_no_offload(struct program *p, const char *option, const char *text)
{
    if (strcmp(text, "udp-segment") == 0)
        p->no_udp_segment = true;
    else if (strcmp(text, "udp-gro") == 0)
        p->no_udp_gro = true;
    else if (strcmp(text, "tun") == 0)
        p->no_tun_offload = true;
    else
        program_usage_error(p, option, text);
}

void program_tunnel_logs(struct program *p, const char *option, const char *text)
{
    tunnel_logs_free(p->logs);
    p->logs = tunnel_logs_new(text);
    if (p->logs)
        return;
    fprintf(stderr, "%s: %s: %s: %s\n", p->name, option, text, strerror(errno));
    exit(2);
}

s2svpn_device_config *program_config(const struct program *p, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(S2SVPN_CONFIG_MAX);
    s2svpn_device_config *config = NULL;
    s2svpn_error why = {.code = S2SVPN_E_SYSTEM};
    size_t len;

    if (f == NULL || text == NULL) {
        fprintf(stderr, "%s: %s: %s\n", p->name, path, strerror(errno));
        exit(1);
    }
    len = fread(text, 1, S2SVPN_CONFIG_MAX, f);
    fclose(f);
    if (s2svpn_config_read(text, len, &config, &why) != S2SVPN_OK) {
        fprintf(stderr, "%s: %s:%u: %s%s%s\n", p->name, path, why.line, why.field,
                why.field[0] ? ": " : "", why.message);
        exit(1);
    }
    explicit_bzero(text, len);
    free(text);
    return config;
}

void program_add_address(struct program *p, const s2svpn_address *a)
{
    for (size_t i = 0; i < p->address_count; i++) {
        if (memcmp(&p->address[i].address, a, sizeof(*a)) == 0)
            return;
    }
    if (p->address_count == PROGRAM_ADDRESSES_MAX) {
        fprintf(stderr, "%s: at most %d addresses\n", p->name, PROGRAM_ADDRESSES_MAX);
        exit(2);
    }
    p->address[p->address_count].address = *a;
    p->address[p->address_count].raw = p->raw;
    p->address[p->address_count].ike_port = p->ike_port;
    p->address[p->address_count++].natt_port = p->natt_port;
}

void program_add_route(struct program *p, const char *option, const char *text)
{
    if (p->route_count == PROGRAM_ROUTES_MAX)
        program_usage_error(p, option, text);
    p->route[p->route_count++] = program_prefix(p, option, text);
}

/* A connection that is there already: its tunnels aren't closed for that. */
static void keep_logs(struct program *p, s2svpn_connection *conn)
{
    s2svpn_connection_info info = {.size = sizeof(info)};
    s2svpn_tunnel *t;

    s2svpn_connection_get_info(conn, &info);
    for (size_t i = 0; (t = s2svpn_connection_tunnel(conn, i)) != NULL; i++) {
        s2svpn_tunnel_info tunnel = {.size = sizeof(tunnel)};
        s2svpn_tunnel_options options;

        s2svpn_tunnel_get_info(t, &tunnel);
        s2svpn_tunnel_get_options(t, &options);
        options.log = options.bgp_log = p->logs->output;
        if (s2svpn_tunnel_modify(t, &options) != S2SVPN_OK)
            program_fail(p, s2svpn_context_error(p->ctx));
        tunnel_logs_open(p->logs, info.id.text, &tunnel.local.address);
    }
}

void program_add_connection(struct program *p, s2svpn_connection *conn)
{
    for (size_t i = 0; i < p->route_count; i++) {
        if (s2svpn_connection_add_static_route(conn, &p->route[i]) != S2SVPN_OK)
            program_fail(p, s2svpn_context_error(p->ctx));
    }
    if (p->logs)
        keep_logs(p, conn);
    p->connection[p->connection_count++] = conn;
}

/* ---- the context */

static void on_log(void *user, s2svpn_log_level level, const char *line)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const struct program *p = user;

    if (p->log)
        p->log(p->user, level, line);
    else
        fprintf(stderr, "%s: %s: %s\n", p->name, names[level], line);
}

static void on_keylog(void *user, enum s2svpn_keylog_kind kind, const char *line)
{
    static const char *const tables[] = {[S2SVPN_KEYLOG_IKE] = "ikev2_decryption_table",
                                         [S2SVPN_KEYLOG_ESP] = "esp_sa",
                                         [S2SVPN_KEYLOG_IKEV1] = "ikev1_decryption_table"};
    const struct program *p = user;
    char path[4096];
    FILE *f;

    if (p->keys)
        p->keys(p->user, kind, line);
    if (p->keylog == NULL)
        return;
    snprintf(path, sizeof(path), "%s/%s", p->keylog, tables[kind]);
    umask(077);
    f = fopen(path, "a");
    if (f == NULL)
        return;
    fprintf(f, "%s\n", line);
    fclose(f);
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *event)
{
    struct program *p = user;

    (void)ctx;
    if (event->kind == S2SVPN_EVENT_STOPPED) {
        p->stopped = true;
        event_base_loopbreak(p->base);
    }
}

static void on_gone(void *user, s2svpn_port_id port, const char *name)
{
    const struct program *p = user;

    if (p->gone)
        p->gone(p->user, port, name);
    else
        fprintf(stderr, "%s: warning: TUN device %s of port %u is gone\n", p->name, name, port);
}

static void tell_raw(struct program *p, const s2svpn_options *options)
{
    for (size_t i = 0; i < options->local_count; i++) {
        if (options->local[i].role == S2SVPN_ROLE_RAW)
            return;
    }
    if (p->raw == S2SVPN_HOST_RAW_AUTO)
        on_log(p, S2SVPN_LOG_INFO, "no right to use IP protocol 50: ESP goes in UDP");
}

void program_open(struct program *p, enum s2svpn_context_role role)
{
    s2svpn_host_options host = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_error why = {0};

    p->base = event_base_new();
    if (p->base == NULL) {
        fprintf(stderr, "%s: no event loop\n", p->name);
        exit(1);
    }
    host.address = p->address;
    host.address_count = p->address_count;
    host.no_udp_segment = p->no_udp_segment;
    host.no_udp_gro = p->no_udp_gro;
    host.no_tun_offload = p->no_tun_offload;
    if (s2svpn_host_new(p->base, &host, &p->host, &why) != S2SVPN_OK)
        program_fail(p, &why);
    options.role = role;
    options.peer_ike_port = p->peer_ike_port;
    options.peer_natt_port = p->peer_natt_port;
    options.log = on_log;
    options.log_user = p;
    options.log_level = p->log_level;
    if (p->keylog || p->keys) {
        options.keylog = on_keylog;
        options.keylog_user = p;
    }
    if (p->logs) {
        options.tunnel_log = tunnel_logs_write;
        options.tunnel_log_user = p->logs;
    }
    s2svpn_host_on_gone(p->host, on_gone, p);
    s2svpn_host_prepare(p->host, &options);
    tell_raw(p, &options);
    if (s2svpn_context_new(&options, &p->ctx, &why) != S2SVPN_OK)
        program_fail(p, &why);
    s2svpn_host_attach(p->host, p->ctx);
    if (s2svpn_context_subscribe(p->ctx, S2SVPN_EVENT_STOPPED, on_event, p, NULL) != S2SVPN_OK)
        program_fail(p, s2svpn_context_error(p->ctx));
}

void program_tun(struct program *p, s2svpn_port_id port, const char *name, uint16_t mtu)
{
    s2svpn_error why = {0};
    char actual[16];

    if (s2svpn_host_add_tun(p->host, port, name, mtu, actual, &why) != S2SVPN_OK)
        program_fail(p, &why);
    fprintf(stderr, "%s: info: TUN device %s\n", p->name, actual);
}

static void on_signal(evutil_socket_t signal, short what, void *arg)
{
    struct program *p = arg;
    const uint64_t now = s2svpn_host_now();

    (void)signal;
    (void)what;
    if (p->stopping)
        p->stopping(p->user);
    s2svpn_context_stop(p->ctx, now + GOODBYE_NS, now);
}

/* SIGUSR1: rekey the child SA of every tunnel that has one. */
static void on_rekey(evutil_socket_t signal, short what, void *arg)
{
    struct program *p = arg;

    (void)signal;
    (void)what;
    for (size_t i = 0; i < p->connection_count; i++) {
        for (size_t k = 0; k < 2; k++) {
            s2svpn_tunnel *t = s2svpn_connection_tunnel(p->connection[i], k);

            if (t && s2svpn_tunnel_rekey(t) != S2SVPN_OK)
                fprintf(stderr, "%s: info: %s\n", p->name, s2svpn_context_error(p->ctx)->message);
        }
    }
}

/* SIGHUP: the tunnels' logs have been renamed. */
static void on_reopen(evutil_socket_t signal, short what, void *arg)
{
    const struct program *p = arg;

    (void)signal;
    (void)what;
    tunnel_logs_reopen(p->logs);
}

void program_loop(struct program *p)
{
    struct event *interrupt = evsignal_new(p->base, SIGINT, on_signal, p);
    struct event *terminate = evsignal_new(p->base, SIGTERM, on_signal, p);
    struct event *rekey = evsignal_new(p->base, SIGUSR1, on_rekey, p);
    struct event *reopen = p->logs ? evsignal_new(p->base, SIGHUP, on_reopen, p) : NULL;

    event_add(interrupt, NULL);
    event_add(terminate, NULL);
    event_add(rekey, NULL);
    if (reopen)
        event_add(reopen, NULL);
    if (!p->stopped)
        event_base_dispatch(p->base);
    event_free(interrupt);
    event_free(terminate);
    event_free(rekey);
    if (reopen)
        event_free(reopen);
}

void program_close(struct program *p)
{
    for (size_t i = 0; i < p->connection_count; i++)
        s2svpn_connection_release(p->connection[i]);
    s2svpn_host_attach(p->host, NULL);
    s2svpn_context_free(p->ctx);
    s2svpn_host_free(p->host);
    tunnel_logs_free(p->logs);
    event_base_free(p->base);
}

void program_run(struct program *p)
{
    program_loop(p);
    program_close(p);
}
