/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the gateway's control socket. */
#include "gateway/command.h"

#include <string.h>

#include "control/words.h"
#include "gateway/status.h"

static bool fail(const struct gateway *g, struct text *out)
{
    text_add(out, "%s", s2svpn_context_error(g->program.ctx)->message);
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
    status_print_routes(client->control->user, json, out);
    return true;
}

/* ---- which tunnel */

/* "vpn-0123456789abcdef0/2" to "2"; NULL: it is another connection's. */
static const char *skip_id(const struct gateway *g, const char *name)
{
    s2svpn_connection_info info = {.size = sizeof(info)};
    size_t len;

    if (strncmp(name, "vpn-", 4) != 0)
        return name;
    s2svpn_connection_get_info(g->connection, &info);
    len = strlen(info.id.text);
    if (strncmp(name, info.id.text, len) != 0 || (name[len] != '/' && name[len] != '.'))
        return NULL;
    return name + len + 1;
}

static bool is_called(const s2svpn_tunnel *t, size_t index, const char *name)
{
    const char number[] = {(char)('1' + index), 0};
    s2svpn_tunnel_info info = {.size = sizeof(info)};
    s2svpn_address a = {0};

    if (strcmp(name, number) == 0)
        return true;
    s2svpn_tunnel_get_info(t, &info);
    return s2svpn_address_read(name, &a) && memcmp(&a, &info.local.address, sizeof(a)) == 0;
}

static s2svpn_tunnel *find_tunnel(const struct gateway *g, const char *name, struct text *out)
{
    const char *rest = skip_id(g, name);
    s2svpn_tunnel *t;

    for (size_t i = 0; rest && (t = s2svpn_connection_tunnel(g->connection, i)) != NULL; i++) {
        if (is_called(t, i, rest))
            return t;
    }
    text_add(out, "there is no tunnel %s: 1, 2, an outside address of ours, or vpn-.../1", name);
    return NULL;
}

/* ---- what is done to it */

static bool run_rekey(struct client *client, char **word, size_t n, struct text *out)
{
    const struct gateway *g = client->control->user;
    s2svpn_tunnel *t = n == 2 ? find_tunnel(g, word[1], out) : NULL;
    unsigned done = 0;

    if (n == 2)
        return t && (s2svpn_tunnel_rekey(t) == S2SVPN_OK || fail(g, out));
    for (size_t i = 0; (t = s2svpn_connection_tunnel(g->connection, i)) != NULL; i++)
        done += s2svpn_tunnel_rekey(t) == S2SVPN_OK;
    if (done == 0)
        text_add(out, "no tunnel is up");
    return done > 0;
}

static bool run_fault(struct client *client, char **word, size_t n, struct text *out)
{
    const struct gateway *g = client->control->user;
    s2svpn_tunnel *t = find_tunnel(g, word[1], out);

    (void)n;
    if (t == NULL)
        return false;
    if (strcmp(word[2], "clear") == 0) {
        s2svpn_tunnel_clear_faults(t);
        return true;
    }
    for (unsigned i = 0; i < S2SVPN_FAULTS; i++) {
        if (strcmp(word[2], s2svpn_fault_text((enum s2svpn_fault)i)) == 0)
            return s2svpn_tunnel_provoke(t, (enum s2svpn_fault)i) == S2SVPN_OK || fail(g, out);
    }
    text_add(out, "there is no fault %s:", word[2]);
    for (unsigned i = 0; i < S2SVPN_FAULTS; i++)
        text_add(out, " %s,", s2svpn_fault_text((enum s2svpn_fault)i));
    text_add(out, " clear");
    return false;
}

static const struct command commands[] = {
    {"status", 1, 2, run_status},
    {"routes", 1, 2, run_routes},
    {"rekey", 1, 2, run_rekey},
    {"fault", 3, 3, run_fault},
};

bool command_run(struct client *client, char *line, struct text *out)
{
    return words_run(commands, sizeof(commands) / sizeof(commands[0]), client, line, out);
}
