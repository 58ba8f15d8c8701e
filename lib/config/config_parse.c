/* SPDX-License-Identifier: Apache-2.0 */
/* customerGatewayConfiguration to struct: finds each element's row, lets it parse, and
 * then asks whether all that is needed was there and agrees. The elements may come in
 * any order, unknown ones are passed over, none may come twice. */
#include <string.h>

#include "base/bytes.h"
#include "config/config.h"

#define DEFAULT_MSS 1379
#define DEFAULT_DPD_INTERVAL_S 10
#define DEFAULT_DPD_RETRIES 3

struct parse {
    s2svpn_device_config *config;
    size_t tunnel; /* the one that we are in, or were last */
    uint32_t root_line;
    uint32_t line[S2_CONFIG_ELEMENTS][2]; /* of each row in each tunnel; 0: not seen */
};

/* Rows outside of a tunnel have one line; but each tunnel has its own. */
static uint32_t *line_of(struct parse *p, const struct s2_config_element *e, size_t tunnel)
{
    if (!s2_config_in_tunnel(e) && strcmp(e->path, S2_CONFIG_TUNNEL) != 0)
        tunnel = 0;
    return &p->line[e - s2_config_elements][tunnel];
}

/* "a/b/c" as "b/c"; the root itself as "". */
static const char *below_root(const char *path)
{
    const char *slash = strchr(path, '/');

    return slash != NULL ? slash + 1 : path + strlen(path);
}

/* ---- elements */

static s2svpn_status open_root(struct parse *p, const char *path, const char *const *attributes,
                               s2svpn_error *why)
{
    if (strcmp(path, S2_CONFIG_ROOT) != 0)
        return s2_error_set(why, S2SVPN_E_MALFORMED, "",
                            "expected the element " S2_CONFIG_ROOT " as the root");
    for (; attributes[0] != NULL; attributes += 2) {
        if (strcmp(attributes[0], "id") != 0)
            continue;
        if (!s2_config_id_read(attributes[1], &p->config->connection))
            return s2_error_set(why, S2SVPN_E_MALFORMED, "@id", "expected an identifier");
        return S2SVPN_OK;
    }
    return s2_error_set(why, S2SVPN_E_MALFORMED, "@id", "the attribute is missing");
}

static s2svpn_status open_tunnel(struct parse *p, const struct s2_config_element *e,
                                 s2svpn_error *why)
{
    s2svpn_device_config *c = p->config;

    if (c->tunnel_count == 2)
        return s2_config_fail(why, S2SVPN_E_MALFORMED, e->path, 2, "expected one or two tunnels");
    p->tunnel = c->tunnel_count++;
    c->tunnel[p->tunnel].clear_df = true;
    c->tunnel[p->tunnel].fragment_before_encryption = true;
    c->tunnel[p->tunnel].tcp_mss = DEFAULT_MSS;
    c->tunnel[p->tunnel].dpd_interval_s = DEFAULT_DPD_INTERVAL_S;
    c->tunnel[p->tunnel].dpd_retries = DEFAULT_DPD_RETRIES;
    return S2SVPN_OK;
}

static s2svpn_status on_open(void *user, const char *path, const char *const *attributes,
                             uint32_t line, enum s2_xml_kind *kind, s2svpn_error *why)
{
    struct parse *p = user;
    s2svpn_status rc = S2SVPN_OK;

    if (strchr(path, '/') == NULL) {
        p->root_line = line;
        *kind = S2_XML_CONTAINER;
        return open_root(p, path, attributes, why);
    }
    const struct s2_config_element *e = s2_config_find(below_root(path));
    if (e == NULL)
        return S2SVPN_OK; /* unknown */
    *kind = e->parse != NULL ? S2_XML_VALUE : S2_XML_CONTAINER;
    if (strcmp(e->path, S2_CONFIG_TUNNEL) == 0)
        rc = open_tunnel(p, e, why);
    if (rc != S2SVPN_OK)
        return rc;
    uint32_t *seen = line_of(p, e, p->tunnel);
    if (*seen != 0)
        return s2_config_fail(why, S2SVPN_E_MALFORMED, e->path, p->tunnel,
                              "the element was there already, in line %u", (unsigned)*seen);
    *seen = line;
    return S2SVPN_OK;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static s2svpn_status on_value(void *user, const char *path, char *text, size_t len,
                              s2svpn_error *why)
{
    struct parse *p = user;
    const struct s2_config_element *e = s2_config_find(below_root(path));

    if (!e->exact) {
        while (len > 0 && blank(text[len - 1]))
            text[--len] = '\0';
        for (; len > 0 && blank(text[0]); len--)
            text++;
    }
    const s2svpn_status rc = e->parse(e, text, len, s2_config_member(e, p->config, p->tunnel));
    if (rc != S2SVPN_OK)
        return s2_config_fail(why, rc, e->path, p->tunnel, "expected %s", e->expected);
    return S2SVPN_OK;
}

static void on_field(void *user, const char *path, char out[S2SVPN_FIELD_SIZE])
{
    const struct parse *p = user;
    const char *rest;

    s2_config_field(below_root(path), p->tunnel, out, &rest);
}

static const struct s2_xml_events events = {on_open, on_value, on_field};

/* ---- the whole */

/* The line of the element that e stands in. */
static uint32_t line_around(struct parse *p, const struct s2_config_element *e, size_t tunnel)
{
    char path[S2_XML_PATH_SIZE];
    char *slash;

    s2_copy_text(path, sizeof(path), e->path);
    while ((slash = strrchr(path, '/')) != NULL) {
        *slash = '\0';
        const struct s2_config_element *around = s2_config_find(path);
        if (around != NULL && *line_of(p, around, tunnel) != 0)
            return *line_of(p, around, tunnel);
    }
    return p->root_line;
}

static s2svpn_status fail_missing(struct parse *p, const struct s2_config_element *e, size_t tunnel,
                                  s2svpn_error *why)
{
    s2_config_fail(why, S2SVPN_E_MALFORMED, e->path, tunnel, "the element is missing");
    why->line = line_around(p, e, tunnel);
    return S2SVPN_E_MALFORMED;
}

/* What a container that isn't there would hold isn't missed: the container
 * comes first in the table and is the one to be named. */
static s2svpn_status check_presence(struct parse *p, s2svpn_error *why)
{
    const size_t tunnels = p->config->tunnel_count;

    for (const struct s2_config_element *e = s2_config_elements; e->path != NULL; e++) {
        const bool needed =
            e->need == S2_NEED_ALWAYS || (e->need == S2_NEED_BGP && !p->config->static_routes);

        for (size_t i = 0; needed && i < (s2_config_in_tunnel(e) ? tunnels : 1); i++) {
            if (*line_of(p, e, i) == 0)
                return fail_missing(p, e, i, why);
        }
    }
    return S2SVPN_OK;
}

static s2svpn_status check(struct parse *p, s2svpn_error *why)
{
    struct s2_config_flaw flaw;
    s2svpn_status rc = check_presence(p, why);

    if (rc != S2SVPN_OK || s2_config_check(p->config, &flaw))
        return rc;
    const struct s2_config_element *e = s2_config_find(flaw.path);
    const uint32_t line = *line_of(p, e, flaw.tunnel);
    if (line == 0)
        return fail_missing(p, e, flaw.tunnel, why);
    s2_config_fail(why, S2SVPN_E_MALFORMED, flaw.path, flaw.tunnel, "expected %s", flaw.expected);
    why->line = line;
    return S2SVPN_E_MALFORMED;
}

s2svpn_status s2_config_read_with(const struct s2_config_memory *memory, const char *text,
                                  size_t len, s2svpn_device_config **config, s2svpn_error *why)
{
    s2svpn_error ignored;
    s2svpn_status rc;

    *config = NULL;
    if (why == NULL)
        why = &ignored;
    struct parse p = {.config = memory->allocate(sizeof(*p.config))};
    if (p.config == NULL)
        return s2_error_set(why, S2SVPN_E_MEMORY, "", "no memory to read the document");
    memset(p.config, 0, sizeof(*p.config));
    p.config->size = sizeof(*p.config);
    rc = s2_xml_read(memory, text, len, &events, &p, why);
    if (rc == S2SVPN_OK)
        rc = check(&p, why);
    if (rc != S2SVPN_OK) {
        s2_wipe(p.config, sizeof(*p.config));
        memory->release(p.config);
        return rc;
    }
    *config = p.config;
    return S2SVPN_OK;
}

s2svpn_status s2svpn_config_read(const char *text, size_t len, s2svpn_device_config **config,
                                 s2svpn_error *why)
{
    return s2_config_read_with(s2_config_memory_default(), text, len, config, why);
}

void s2svpn_config_free(s2svpn_device_config *config)
{
    s2_config_memory_default()->release(config); /* wipes */
}
