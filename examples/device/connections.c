/* SPDX-License-Identifier: Apache-2.0 */
/* Connections opened and closed. */
#include "device/connections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"

/* Sockets are opened at the start; the library would else take another address. */
static bool has_socket(const struct device *d, const s2svpn_address *a)
{
    for (size_t i = 0; i < d->program.address_count; i++) {
        if (memcmp(&d->program.address[i].address, a, sizeof(*a)) == 0)
            return true;
    }
    return false;
}

static bool add_static_routes(struct device *d, s2svpn_connection *conn)
{
    for (size_t i = 0; i < d->program.route_count; i++) {
        if (s2svpn_connection_add_static_route(conn, &d->program.route[i]) != S2SVPN_OK)
            return false;
    }
    return true;
}

static void say_refused(const struct device *d, const struct document *document)
{
    const s2svpn_error *why = s2svpn_context_error(d->program.ctx);

    log_line(&d->log, S2SVPN_LOG_ERROR, document->path, "refused: %s%s%s", why->field,
             why->field[0] ? ": " : "", why->message);
}

bool connections_has_proof(const struct device *d, const struct document *document)
{
    if (document->config->tunnel[0].pre_shared_key[0] ||
        certificates_given(&d->options.certificates))
        return true;
    log_line(&d->log, S2SVPN_LOG_ERROR, document->path,
             "it has no pre-shared key, and there is no --certificate");
    return false;
}

bool connections_can(const struct device *d, const struct document *document)
{
    const s2svpn_address *ours = &document->config->tunnel[0].customer.outside;
    const s2svpn_address any = {.family = document->config->tunnel[0].gateway.outside.family};
    char text[S2SVPN_ADDRESS_TEXT];

    if (!connections_has_proof(d, document))
        return false;
    if (ours->family == S2SVPN_FAMILY_NONE)
        ours = &any;

    if (d->options.device.local.family != S2SVPN_FAMILY_NONE || has_socket(d, ours))
        return true;
    log_line(&d->log, S2SVPN_LOG_ERROR, document->path,
             "no socket was opened at %s: a new outside address needs a restart",
             s2svpn_address_print(ours, text));
    return false;
}

/* All that a connection needs to be of use; the log says what it lacks. */
static bool begin(struct device *d, struct connection *c, s2svpn_connection *conn,
                  const struct document *document, bool down)
{
    const s2svpn_device_config *config = document->config;
    const bool routes = config->static_routes && !d->options.device.external_bgp;

    if (!links_open(d, c, conn, config))
        return false;
    if ((!routes || add_static_routes(d, conn)) && policies_apply(d, conn) == S2SVPN_OK &&
        (down || s2svpn_connection_start(conn) == S2SVPN_OK))
        return true;
    say_refused(d, document);
    links_close(d, c);
    return false;
}

bool connections_open(struct device *d, struct document *document, bool down)
{
    const s2svpn_device_config *config = document->config;
    s2svpn_context *ctx = d->program.ctx;
    struct connection *c = &d->connections.item[d->connections.count];
    s2svpn_connection *conn = NULL;

    if (d->connections.count == DOCUMENTS_MAX) {
        log_line(&d->log, S2SVPN_LOG_ERROR, document->path, "more than %d connections",
                 DOCUMENTS_MAX);
        return false;
    }
    if (!connections_can(d, document))
        return false;
    if (s2svpn_device_open(ctx, config, &d->options.device, &conn) != S2SVPN_OK) {
        say_refused(d, document);
        return false;
    }
    if (!begin(d, c, conn, document, down)) {
        if (s2svpn_connection_delete(conn) != S2SVPN_OK)
            say_refused(d, document);
        s2svpn_connection_release(conn);
        return false;
    }
    c->document = *document;
    c->handle = conn;
    c->down = down;
    memset(document, 0, sizeof(*document));
    d->connections.count++;
    routes_changed(d);
    return true;
}

void connections_close(struct device *d, struct connection *c, struct document *document)
{
    links_close(d, c);
    if (s2svpn_connection_delete(c->handle) != S2SVPN_OK)
        say_refused(d, &c->document);
    s2svpn_connection_release(c->handle);
    if (document)
        *document = c->document;
    else
        document_clear(&c->document);
    *c = d->connections.item[--d->connections.count];
    memset(&d->connections.item[d->connections.count], 0, sizeof(*c));
    routes_changed(d);
}

void connections_clear(struct device *d)
{
    for (size_t i = 0; i < d->connections.count; i++) {
        links_release(&d->connections.item[i]);
        s2svpn_connection_release(d->connections.item[i].handle);
        document_clear(&d->connections.item[i].document);
    }
    d->connections.count = 0;
}

struct connection *connections_find(struct device *d, const char *id)
{
    for (size_t i = 0; i < d->connections.count; i++) {
        if (strcmp(d->connections.item[i].document.config->connection.text, id) == 0)
            return &d->connections.item[i];
    }
    return NULL;
}

s2svpn_tunnel *connections_find_tunnel(struct device *d, const char *name)
{
    const char *dot = strrchr(name, '.');
    struct connection *c;
    char id[S2SVPN_ID_SIZE];

    if (dot == NULL || (size_t)(dot - name) >= sizeof(id) || dot[1] < '1' || dot[1] > '2' || dot[2])
        return NULL;
    memcpy(id, name, (size_t)(dot - name));
    id[dot - name] = 0;
    c = connections_find(d, id);
    return c ? s2svpn_connection_tunnel(c->handle, (size_t)(dot[1] - '1')) : NULL;
}

void connections_count(const struct device *d, unsigned *up, unsigned *all)
{
    *up = *all = 0;
    for (size_t i = 0; i < d->connections.count; i++) {
        const struct connection *c = &d->connections.item[i];
        s2svpn_connection_info info = {.size = sizeof(info)};

        s2svpn_connection_get_info(c->handle, &info);
        *up += info.up;
        *all += (unsigned)c->document.config->tunnel_count;
    }
}
