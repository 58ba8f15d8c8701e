/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the control socket. */
#include "device/command.h"

#include <stdlib.h>
#include <string.h>

#include "control/words.h"
#include "device/device.h"
#include "device/status.h"

static bool fail(const struct device *d, struct text *out)
{
    text_add(out, "%s", s2svpn_context_error(d->program.ctx)->message);
    return false;
}

static bool run_status(struct client *client, char **word, size_t n, struct text *out)
{
    bool json;

    if (!words_json(word, n, out, &json))
        return false;
    status_print(client->control->user, json, out);
    return true;
}

static bool run_routes(struct client *client, char **word, size_t n, struct text *out)
{
    bool json;

    if (!words_json(word, n, out, &json))
        return false;
    routes_print(client->control->user, json, out);
    return true;
}

/* ---- up and down */

static bool set_down(struct device *d, struct connection *c, bool down, struct text *out)
{
    const s2svpn_status rc =
        down ? s2svpn_connection_stop(c->handle) : s2svpn_connection_start(c->handle);

    if (rc != S2SVPN_OK)
        return fail(d, out);
    c->down = down;
    return true;
}

static bool up_or_down(struct client *client, char **word, size_t n, bool down, struct text *out)
{
    struct device *d = client->control->user;
    struct connection *c = n == 2 ? connections_find(d, word[1]) : NULL;

    if (n == 2 && c == NULL) {
        text_add(out, "there is no connection %s", word[1]);
        return false;
    }
    if (c)
        return set_down(d, c, down, out);
    for (size_t i = 0; i < d->connections.count; i++) {
        if (!set_down(d, &d->connections.item[i], down, out))
            return false;
    }
    return true;
}

static bool run_up(struct client *client, char **word, size_t n, struct text *out)
{
    return up_or_down(client, word, n, false, out);
}

static bool run_down(struct client *client, char **word, size_t n, struct text *out)
{
    return up_or_down(client, word, n, true, out);
}

/* ---- rekey */

typedef s2svpn_status rekey_fn(s2svpn_tunnel *t);

/* Of several tunnels those that are down are passed over. */
static unsigned rekey_connection(const struct connection *c, rekey_fn *rekey)
{
    s2svpn_tunnel *t;
    unsigned n = 0;

    for (size_t i = 0; (t = s2svpn_connection_tunnel(c->handle, i)) != NULL; i++)
        n += rekey(t) == S2SVPN_OK;
    return n;
}

static unsigned rekey_all(struct device *d, rekey_fn *rekey)
{
    unsigned n = 0;

    for (size_t i = 0; i < d->connections.count; i++)
        n += rekey_connection(&d->connections.item[i], rekey);
    return n;
}

unsigned command_rekey_all(struct device *d)
{
    return rekey_all(d, s2svpn_tunnel_rekey);
}

static bool run_rekey(struct client *client, char **word, size_t n, struct text *out)
{
    rekey_fn *rekey =
        strcmp(word[0], "rekey-ike") == 0 ? s2svpn_tunnel_rekey_ike : s2svpn_tunnel_rekey;
    struct device *d = client->control->user;
    const struct connection *c = n == 2 ? connections_find(d, word[1]) : NULL;
    s2svpn_tunnel *t = n == 2 ? connections_find_tunnel(d, word[1]) : NULL;
    unsigned done;

    if (n == 2 && c == NULL && t == NULL) {
        text_add(out, "there is no connection or tunnel %s", word[1]);
        return false;
    }
    if (t)
        return rekey(t) == S2SVPN_OK || fail(d, out);
    done = c ? rekey_connection(c, rekey) : rekey_all(d, rekey);
    if (done == 0)
        text_add(out, "no tunnel is up");
    return done > 0;
}

/* ---- others */

static bool run_reload(struct client *client, char **word, size_t n, struct text *out)
{
    (void)word;
    (void)n;
    (void)out;
    reload_start(client->control->user);
    return true;
}

static bool run_capture(struct client *client, char **word, size_t n, struct text *out)
{
    struct device *d = client->control->user;
    const s2svpn_tunnel *t = connections_find_tunnel(d, word[1]);
    const bool keys = n == 4;
    const char *failed;
    char *end;
    unsigned long seconds;

    if (t == NULL) {
        text_add(out, "there is no tunnel %s: a connection's id, a dot, 1 or 2", word[1]);
        return false;
    }
    seconds = strtoul(word[2], &end, 10);
    if (end == word[2] || *end || seconds > 86400 || (keys && strcmp(word[3], "keys") != 0)) {
        text_add(out, "from 0 to 86400 seconds, then keys or nothing");
        return false;
    }
    if (keys && !d->options.keep_keys) {
        text_add(out, "keys are not kept: start the device with --keep-keys");
        return false;
    }
    if (keys)
        log_line(&d->log, S2SVPN_LOG_WARNING, word[1],
                 "session keys are given to a client of the control socket");
    failed = capture_start(client, t, (unsigned)seconds, keys);
    if (failed)
        text_add(out, "%s", failed);
    return failed == NULL;
}

/* ---- the line */

static const struct command commands[] = {
    {"status", 1, 2, run_status}, {"routes", 1, 2, run_routes},   {"up", 1, 2, run_up},
    {"down", 1, 2, run_down},     {"rekey", 1, 2, run_rekey},     {"rekey-ike", 1, 2, run_rekey},
    {"reload", 1, 1, run_reload}, {"capture", 3, 4, run_capture},
};

bool command_run(struct client *client, char *line, struct text *out)
{
    return words_run(commands, sizeof(commands) / sizeof(commands[0]), client, line, out);
}
