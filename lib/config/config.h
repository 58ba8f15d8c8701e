/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config room: the customerGatewayConfiguration document of AWS, read into a
 * plain struct and written from one. It knows no engine; the struct's users and
 * s2svpn_connection_device_config() see vpn by its public headers alone.
 *
 *     text ──> xml_read.c ──> config_parse.c ──> s2svpn_device_config
 *              (expat)         │      │              │
 *                              │   check.c           │ xml_write.c ──> text
 *                              └── elements.c ───────┘
 *
 * elements.c holds one table, a row an element in the document's order: path, place
 * in the struct, how it is parsed and printed, what it may hold. Reader and writer
 * both walk it, and the writer parses what it has printed, so that nothing is written
 * that couldn't be read. check.c holds what no single element can say. A new element
 * is a row.
 *
 * The document holds pre-shared keys. So expat's memory is wiped when it is given
 * back, and no failure quotes what stands in the document: a misplaced key would be
 * in a log.
 *
 * XML 1.0, UTF-8, without a document type; https://www.w3.org/TR/xml/.
 */
#ifndef S2_CONFIG_CONFIG_H
#define S2_CONFIG_CONFIG_H

#include "base/text.h"
#include "s2svpn/config.h"

/* ---- memory: expat's three functions have no user pointer, so ours have none. */

struct s2_config_memory {
    void *(*allocate)(size_t len);
    void *(*resize)(void *p, size_t len);
    void (*release)(void *p); /* NULL is allowed */
};
/* Of the default memory; wiped before it is given back. */
const struct s2_config_memory *s2_config_memory_default(void);

/* ---- xml_read.c: a document as a walk over elements, bounded in every way. */

#define S2_XML_DEPTH_MAX 16
#define S2_XML_ELEMENTS_MAX 4096
#define S2_XML_PATH_SIZE 128
#define S2_XML_VALUE_SIZE 256 /* longest text of an element, with its zero byte */

enum s2_xml_kind {
    S2_XML_UNKNOWN = 0, /* not followed, nor anything in it */
    S2_XML_CONTAINER,   /* has elements and no text but blanks */
    S2_XML_VALUE,       /* has text and no elements */
};

struct s2_xml_events {
    /* An element begins. path: local names from the root on, "a/b/c", namespaces
     * left out. attributes: name, value, ..., NULL. Sets *kind. A failure fills
     * *why but its place and ends the walk. */
    s2svpn_status (*open)(void *user, const char *path, const char *const *attributes,
                          uint32_t line, enum s2_xml_kind *kind, s2svpn_error *why);
    /* The text of the VALUE that ends; the callee may change it. */
    s2svpn_status (*value)(void *user, const char *path, char *text, size_t len, s2svpn_error *why);
    /* What error.field shall say of a failure in this element. */
    void (*field)(void *user, const char *path, char out[S2SVPN_FIELD_SIZE]);
};
/* why: never NULL; filled after a failure. */
s2svpn_status s2_xml_read(const struct s2_config_memory *memory, const char *text, size_t len,
                          const struct s2_xml_events *events, void *user, s2svpn_error *why);

/* ---- elements.c: the table. */

enum s2_config_need { S2_NEED_ALWAYS, S2_NEED_BGP, S2_NEED_NEVER };

struct s2_config_element {
    const char *path; /* below vpn_connection */
    /* Text to the member at base + offset; base is the tunnel for paths below
     * ipsec_tunnel, else the config. NULL: a container. */
    s2svpn_status (*parse)(const struct s2_config_element *e, const char *text, size_t len,
                           void *member);
    /* The member's text, "" for a value that has none; false: the element is left
     * out. */
    bool (*print)(const struct s2_config_element *e, const void *member,
                  char out[S2_XML_VALUE_SIZE]);
    const char *expected; /* for people: "expected <this>" */
    size_t offset;
    uint32_t least, most; /* numbers */
    enum s2_config_need need;
    bool exact; /* blanks at the ends belong to the value */
};

#define S2_CONFIG_ROOT "vpn_connection"
#define S2_CONFIG_TUNNEL "ipsec_tunnel"
#define S2_CONFIG_ELEMENTS 48 /* rows, and the one that ends the table: path NULL */
extern const struct s2_config_element s2_config_elements[S2_CONFIG_ELEMENTS];

/* The row, or NULL. */
const struct s2_config_element *s2_config_find(const char *path);
bool s2_config_in_tunnel(const struct s2_config_element *e);
/* Where the element's value lives in c. */
void *s2_config_member(const struct s2_config_element *e, s2svpn_device_config *c, size_t tunnel);
/* An identifier of AWS's. */
bool s2_config_id_read(const char *text, s2svpn_id *out);

/* error.field for a path: "ipsec_tunnel[1]/ike/lifetime". What doesn't fit is cut off
 * at a slash; *rest is it, or "". */
void s2_config_field(const char *path, size_t tunnel, char out[S2SVPN_FIELD_SIZE],
                     const char **rest);
/* Record a failure: field, and what was wrong behind what the field has no room for. */
s2svpn_status s2_config_fail(s2svpn_error *why, s2svpn_status rc, const char *path, size_t tunnel,
                             const char *fmt, ...) S2SVPN_PRINTF(5, 6);

/* ---- check.c: what no element says alone. */

struct s2_config_flaw {
    const char *path;
    size_t tunnel;
    const char *expected;
};
/* Takes out what the struct says must be empty (AEAD, static routes), then looks.
 * false: *flaw says why. */
bool s2_config_check(s2svpn_device_config *c, struct s2_config_flaw *flaw);

/* ---- both ways, with the memory to use. */

/* *config is given back with memory->release. */
s2svpn_status s2_config_read_with(const struct s2_config_memory *memory, const char *text,
                                  size_t len, s2svpn_device_config **config, s2svpn_error *why);
s2svpn_status s2_config_print(struct s2_buffer *out, const s2svpn_device_config *config,
                              s2svpn_error *why);

#endif
