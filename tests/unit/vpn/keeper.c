/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper of log lines, and its strict little reader of JSON (RFC 8259). */
#include "vpn/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

struct keeper keeper_gateway, keeper_device;

/* ---- JSON: each returns what is behind it, NULL if it isn't well formed */

static const char *read_value(const char *p, unsigned depth);

static const char *read_string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++) {
        if ((unsigned char)*p < 0x20) /* the end as well */
            return NULL;
        if (*p != '\\')
            continue;
        p++;
        if (*p == 'u') {
            for (int i = 0; i < 4; i++) {
                p++;
                if (*p == 0 || strchr("0123456789abcdefABCDEF", *p) == NULL)
                    return NULL;
            }
        } else if (*p == 0 || strchr("\"\\/bfnrt", *p) == NULL) {
            return NULL;
        }
    }
    return p + 1;
}

static const char *read_number(const char *p)
{
    const size_t digits = strspn(p, "0123456789");

    return digits == 0 || (digits > 1 && *p == '0') ? NULL : p + digits;
}

static const char *read_object(const char *p, unsigned depth)
{
    if (*p++ != '{' || depth > 1)
        return NULL;
    do {
        p = read_string(p);
        if (p == NULL || *p++ != ':')
            return NULL;
        p = read_value(p, depth + 1);
        if (p == NULL)
            return NULL;
    } while (*p++ == ',');
    return p[-1] == '}' ? p : NULL;
}

static const char *read_value(const char *p, unsigned depth)
{
    if (*p == '"')
        return read_string(p);
    if (*p == '{')
        return read_object(p, depth);
    if (strncmp(p, "true", 4) == 0)
        return p + 4;
    if (strncmp(p, "false", 5) == 0)
        return p + 5;
    return read_number(p);
}

/* ---- lines */

static void take(void *user, const s2svpn_tunnel_log_line *line)
{
    struct keeper *k = user;
    struct keeper_line *to = &k->line[k->lines];

    CU_ASSERT_EQUAL(line->size, sizeof(*line));
    CU_ASSERT_PTR_NULL(strchr(line->line, '\n'));
    if (line->line[0] == '{') {
        const char *end = read_object(line->line, 0);

        CHECK_ROW(line->line, end != NULL && *end == 0);
    }
    if (k->lines == KEEPER_LINES) {
        CU_FAIL("more lines than can be kept");
        return;
    }
    k->lines++;
    to->kind = line->kind;
    to->tunnel = line->tunnel;
    to->unix_ns = line->unix_ns;
    snprintf(to->stream, sizeof(to->stream), "%s", line->stream);
    to->text = malloc(strlen(line->line) + 1);
    if (to->text == NULL)
        abort();
    memcpy(to->text, line->line, strlen(line->line) + 1);
}

void keeper_clear(struct keeper *k)
{
    for (size_t i = 0; i < k->lines; i++)
        free(k->line[i].text);
    k->lines = k->looked = 0;
}

void keeper_adjust(struct rig_side *side)
{
    struct keeper *k = side == &side->rig->gateway ? &keeper_gateway : &keeper_device;

    keeper_clear(k);
    side->options.tunnel_log = take;
    side->options.tunnel_log_user = k;
}

const char *keeper_member(const struct keeper_line *line, const char *name)
{
    static char value[4096];
    char key[64];
    const char *at, *end;

    snprintf(key, sizeof(key), "\"%s\":", name);
    at = strstr(line->text, key);
    if (at == NULL)
        return "";
    at += strlen(key);
    end = read_value(at, 1);
    if (end == NULL)
        return "";
    if (*at == '"') {
        at++;
        end--;
    }
    snprintf(value, sizeof(value), "%.*s", (int)(end - at), at);
    return value;
}

const struct keeper_line *keeper_next(struct keeper *k, uint32_t kind, uint32_t tunnel,
                                      const char *words)
{
    for (size_t i = k->looked; i < k->lines; i++) {
        if (k->line[i].kind != kind || k->line[i].tunnel != tunnel ||
            strstr(k->line[i].text, words) == NULL)
            continue;
        k->looked = i + 1;
        return &k->line[i];
    }
    printf("    no line says \"%s\" behind line %zu of:\n", words, k->looked);
    for (size_t i = 0; i < k->lines && i < 200; i++)
        printf("    %s\n", k->line[i].text);
    return NULL;
}

size_t keeper_count(const struct keeper *k, uint32_t kind, const char *words)
{
    size_t n = 0;

    for (size_t i = 0; i < k->lines; i++)
        n += k->line[i].kind == kind && strstr(k->line[i].text, words) != NULL;
    return n;
}

struct rig_plan keeper_plan(bool ike)
{
    static const s2svpn_device_options ike_log = {.size = sizeof(ike_log),
                                                  .log = S2SVPN_LOG_OUTPUT_JSON};
    static const s2svpn_device_options bgp_log = {.size = sizeof(bgp_log),
                                                  .bgp_log = S2SVPN_LOG_OUTPUT_JSON};

    if (ike)
        return (struct rig_plan){.static_routes = true,
                                 .tunnel.log = S2SVPN_LOG_OUTPUT_JSON,
                                 .device_options = &ike_log,
                                 .adjust = keeper_adjust};
    return (struct rig_plan){.tunnel.bgp_log = S2SVPN_LOG_OUTPUT_JSON,
                             .device_options = &bgp_log,
                             .adjust = keeper_adjust};
}

bool keeper_begin(struct rig *rig, const struct rig_plan *plan)
{
    if (rig_open(rig, plan) != S2SVPN_OK)
        return false;
    return s2svpn_connection_start(rig->site) == S2SVPN_OK;
}

void keeper_close(struct rig *rig)
{
    rig_close(rig);
    keeper_clear(&keeper_gateway);
    keeper_clear(&keeper_device);
}
