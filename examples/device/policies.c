/* SPDX-License-Identifier: Apache-2.0 */
/* Policies read, given to connections, and read again. */
#include "device/policies.h"

#include <stdlib.h>
#include <string.h>

#include "device/device.h"

void policies_add_file(const char *of[2], const char *text)
{
    const bool one = (text[0] == '1' || text[0] == '2') && text[1] == ':';

    for (int i = 0; i < 2; i++) {
        if (!one || text[0] == '1' + i)
            of[i] = one ? text + 2 : text;
    }
}

bool policies_wanted(const struct policy_files *files)
{
    return files->import[0] || files->import[1] || files->export[0] || files->export[1];
}

void policies_clear(struct policies *p)
{
    for (int i = 0; i < 2; i++) {
        free(p->import[i]);
        free(p->export[i]);
    }
    memset(p, 0, sizeof(*p));
}

static bool read_one(const struct log *log, const char *path, struct policy **out)
{
    char why[512];

    if (path == NULL)
        return true;
    *out = policy_read(path, why, sizeof(why));
    if (*out == NULL)
        log_line(log, S2SVPN_LOG_ERROR, NULL, "%s", why);
    return *out != NULL;
}

bool policies_read(const struct log *log, const struct policy_files *files, struct policies *out)
{
    struct policies fresh = {{NULL, NULL}, {NULL, NULL}};
    bool good = true;

    for (int i = 0; i < 2; i++) {
        good &= read_one(log, files->import[i], &fresh.import[i]);
        good &= read_one(log, files->export[i], &fresh.export[i]);
    }
    if (!good) {
        policies_clear(&fresh);
        return false;
    }
    policies_clear(out);
    *out = fresh;
    return true;
}

s2svpn_status policies_apply(const struct device *d, s2svpn_connection *conn)
{
    s2svpn_connection_info info = {.size = sizeof(info)};
    s2svpn_status rc = S2SVPN_OK;
    s2svpn_tunnel *t;

    s2svpn_connection_get_info(conn, &info);
    if (!policies_wanted(&d->options.policies) || info.static_routes_only)
        return rc; /* static routes aren't filtered */
    for (size_t i = 0; rc == S2SVPN_OK && (t = s2svpn_connection_tunnel(conn, i)) != NULL; i++) {
        const struct policy *in = d->policies.import[i], *out = d->policies.export[i];

        rc = s2svpn_tunnel_set_bgp_policies(t, in ? &in->policy : NULL, out ? &out->policy : NULL);
    }
    return rc;
}

void policies_reload(struct device *d)
{
    const s2svpn_error *why = s2svpn_context_error(d->program.ctx);

    if (!policies_wanted(&d->options.policies))
        return;
    if (!policies_read(&d->log, &d->options.policies, &d->policies)) {
        log_line(&d->log, S2SVPN_LOG_WARNING, NULL, "the policies stay as they were");
        return;
    }
    for (size_t i = 0; i < d->connections.count; i++) {
        const struct connection *c = &d->connections.item[i];

        if (policies_apply(d, c->handle) != S2SVPN_OK)
            log_line(&d->log, S2SVPN_LOG_ERROR, c->document.config->connection.text,
                     "its policies stay as they were: %s%s%s", why->field,
                     why->field[0] ? ": " : "", why->message);
    }
}
