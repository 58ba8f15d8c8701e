/* SPDX-License-Identifier: Apache-2.0 */
/* Struct to customerGatewayConfiguration, in AWS's layout and order: two blanks a
 * level, UTF-8, the table's rows one after the other. Each printed value is parsed
 * again, and the whole is checked as the reader does, so that what comes out can be
 * read. */
#include <string.h>

#include "base/bytes.h"
#include "config/config.h"

#define DOCUMENT_MAX 65536 /* far more than two tunnels need */

struct print {
    struct s2_buffer *out;
    s2svpn_device_config *config; /* a copy; print takes no const base */
    s2svpn_device_config read;    /* what a reader of the output will have */
    s2svpn_error *why;
    unsigned depth; /* of open elements, the root's included */
    const char *open[8];
};

static void put_text(struct s2_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            s2_buffer_print(out, "&amp;");
            break;
        case '<':
            s2_buffer_print(out, "&lt;");
            break;
        case '>':
            s2_buffer_print(out, "&gt;");
            break;
        case '"':
            s2_buffer_print(out, "&quot;");
            break;
        case '\'':
            s2_buffer_print(out, "&apos;");
            break;
        default:
            s2_buffer_add(out, text, 1);
        }
    }
}

static void indent(struct print *p)
{
    for (unsigned i = 0; i < p->depth; i++)
        s2_buffer_print(p->out, "  ");
}

static void close_to(struct print *p, unsigned depth)
{
    while (p->depth > depth) {
        p->depth--;
        indent(p);
        s2_buffer_print(p->out, "</%s>\n", p->open[p->depth]);
    }
}

static unsigned depth_of(const char *path)
{
    unsigned n = 1; /* below the root */

    for (; *path != '\0'; path++)
        n += *path == '/';
    return n;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void put_value(struct print *p, const struct s2_config_element *e, const char *text)
{
    const char *name = name_of(e->path);

    indent(p);
    if (text[0] == '\0') {
        s2_buffer_print(p->out, "<%s/>\n", name);
        return;
    }
    s2_buffer_print(p->out, "<%s>", name);
    put_text(p->out, text);
    s2_buffer_print(p->out, "</%s>\n", name);
}

static s2svpn_status put_element(struct print *p, const struct s2_config_element *e, size_t tunnel)
{
    char text[S2_XML_VALUE_SIZE];
    s2svpn_status rc = S2SVPN_OK;

    if (e->need == S2_NEED_BGP && p->config->static_routes)
        return S2SVPN_OK;
    close_to(p, depth_of(e->path));
    if (e->parse == NULL) {
        p->open[p->depth] = name_of(e->path);
        indent(p);
        s2_buffer_print(p->out, "<%s>\n", p->open[p->depth]);
        p->depth++;
        return S2SVPN_OK;
    }
    if (!e->print(e, s2_config_member(e, p->config, tunnel), text))
        return S2SVPN_OK;
    rc = e->parse(e, text, strlen(text), s2_config_member(e, &p->read, tunnel));
    if (rc == S2SVPN_OK)
        put_value(p, e, text);
    else
        rc = s2_config_fail(p->why, S2SVPN_E_ARGUMENT, e->path, tunnel, "expected %s", e->expected);
    s2_wipe(text, sizeof(text));
    return rc;
}

static s2svpn_status put_elements(struct print *p)
{
    s2svpn_status rc = S2SVPN_OK;
    const struct s2_config_element *e = s2_config_elements;

    for (; rc == S2SVPN_OK && strcmp(e->path, S2_CONFIG_TUNNEL) != 0; e++)
        rc = put_element(p, e, 0);
    for (size_t i = 0; i < p->config->tunnel_count; i++) {
        for (const struct s2_config_element *in = e; rc == S2SVPN_OK && in->path != NULL; in++)
            rc = put_element(p, in, i);
    }
    return rc;
}

static s2svpn_status put_document(struct print *p)
{
    const s2svpn_id *id = &p->config->connection;
    struct s2_config_flaw flaw;
    s2svpn_status rc;

    if (memchr(id->text, '\0', sizeof(id->text)) == NULL ||
        !s2_config_id_read(id->text, &p->read.connection))
        return s2_error_set(p->why, S2SVPN_E_ARGUMENT, "connection", "expected an identifier");
    s2_buffer_print(p->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    s2_buffer_print(p->out, "<" S2_CONFIG_ROOT " id=\"%s\">\n", id->text);
    p->open[p->depth++] = S2_CONFIG_ROOT;
    rc = put_elements(p);
    if (rc != S2SVPN_OK)
        return rc;
    close_to(p, 0);
    if (!s2_config_check(&p->read, &flaw))
        return s2_config_fail(p->why, S2SVPN_E_ARGUMENT, flaw.path, flaw.tunnel, "expected %s",
                              flaw.expected);
    if (p->out->rc != S2SVPN_OK)
        return s2_error_set(p->why, p->out->rc, "", "no memory for the document");
    return S2SVPN_OK;
}

s2svpn_status s2_config_print(struct s2_buffer *out, const s2svpn_device_config *config,
                              s2svpn_error *why)
{
    if (config->size < sizeof(*config))
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "size", "expected the struct's size");
    if (config->tunnel_count < 1 || config->tunnel_count > 2)
        return s2_error_set(why, S2SVPN_E_ARGUMENT, "tunnel_count", "expected 1 or 2");

    s2svpn_device_config copy = *config;
    struct print p = {.out = out, .config = &copy, .why = why};
    p.read.tunnel_count = copy.tunnel_count;
    const s2svpn_status rc = put_document(&p);
    s2_wipe(&copy, sizeof(copy));
    s2_wipe(&p, sizeof(p));
    return rc;
}

s2svpn_status s2svpn_config_write(const s2svpn_device_config *config, s2svpn_text *xml,
                                  s2svpn_error *why)
{
    struct s2_buffer out;
    s2svpn_text text;
    s2svpn_status rc;

    s2_buffer_init(&out, s2_memory_default(), DOCUMENT_MAX);
    rc = s2_config_print(&out, config, why);
    if (rc != S2SVPN_OK) {
        s2_buffer_clear(&out);
        return rc;
    }
    rc = s2_buffer_take(&out, &text);
    if (rc != S2SVPN_OK)
        return s2_error_set(why, rc, "", "no memory for the document");
    *xml = text;
    return S2SVPN_OK;
}
