/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over an XML document with expat and tells of the elements that somebody
 * knows. What they mean is not its business. There is no document type and so there
 * are no entities but XML's five: nothing can expand. Depth, number of elements,
 * length of texts and of the whole are bounded. */
#include <expat.h>
#include <string.h>

#include "base/bytes.h"
#include "config/config.h"

struct walk {
    XML_Parser parser;
    const struct s2_xml_events *events;
    void *user;
    s2svpn_error *why;
    s2svpn_status rc; /* of the first failure; expat may still call after it */
    uint32_t first_line;
    unsigned depth, elements;
    unsigned skipped;      /* depth below an unknown element, itself counted */
    enum s2_xml_kind kind; /* of the innermost element that is followed */
    size_t path_len, value_len;
    char path[S2_XML_PATH_SIZE];
    char value[S2_XML_VALUE_SIZE];
};

static uint32_t line_of(const struct walk *w)
{
    return (uint32_t)XML_GetCurrentLineNumber(w->parser) + w->first_line;
}

/* Ends the walk; *why but its place is filled. */
static void stop(struct walk *w, s2svpn_status rc)
{
    if (w->rc != S2SVPN_OK)
        return;
    w->rc = rc;
    w->why->line = line_of(w);
    w->why->offset = (size_t)XML_GetCurrentByteIndex(w->parser);
    XML_StopParser(w->parser, XML_FALSE);
}

static void refuse(struct walk *w, s2svpn_status rc, const char *message)
{
    char field[S2SVPN_FIELD_SIZE] = "";

    if (w->rc != S2SVPN_OK)
        return;
    if (w->path_len > 0)
        w->events->field(w->user, w->path, field);
    stop(w, s2_error_set(w->why, rc, field, "%s", message));
}

/* Namespaces are ignored: whatever the prefix, the name counts. */
static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon != NULL ? colon + 1 : name;
}

static bool push(struct walk *w, const char *name)
{
    const size_t slash = w->path_len > 0, len = strlen(name);

    if (w->path_len + slash + len >= sizeof(w->path))
        return false;
    if (slash)
        w->path[w->path_len++] = '/';
    memcpy(w->path + w->path_len, name, len + 1);
    w->path_len += len;
    return true;
}

static void pop(struct walk *w)
{
    const char *slash = strrchr(w->path, '/');

    w->path_len = slash != NULL ? (size_t)(slash - w->path) : 0;
    w->path[w->path_len] = '\0';
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct walk *w = user;

    if (w->rc != S2SVPN_OK)
        return;
    if (++w->elements > S2_XML_ELEMENTS_MAX) {
        refuse(w, S2SVPN_E_LIMIT, "too many elements");
    } else if (++w->depth > S2_XML_DEPTH_MAX) {
        refuse(w, S2SVPN_E_LIMIT, "elements are nested too deep");
    } else if (w->skipped > 0) {
        w->skipped++;
    } else if (w->kind == S2_XML_VALUE) {
        refuse(w, S2SVPN_E_MALFORMED, "expected a text, found an element");
    } else if (!push(w, local_name(name))) {
        w->skipped = 1; /* no element that anyone knows has so long a name */
    } else {
        enum s2_xml_kind kind = S2_XML_UNKNOWN;
        s2svpn_status rc = w->events->open(w->user, w->path, (const char *const *)attributes,
                                           line_of(w), &kind, w->why);
        if (rc != S2SVPN_OK) {
            stop(w, rc);
        } else if (kind == S2_XML_UNKNOWN) {
            pop(w);
            w->skipped = 1;
        } else {
            w->kind = kind;
        }
    }
}

static void on_end(void *user, const XML_Char *name)
{
    struct walk *w = user;
    s2svpn_status rc = S2SVPN_OK;

    (void)name; /* expat has compared it */
    if (w->rc != S2SVPN_OK)
        return;
    w->depth--;
    if (w->skipped > 0) {
        w->skipped--;
        return;
    }
    if (w->kind == S2_XML_VALUE) {
        w->value[w->value_len] = '\0';
        rc = w->events->value(w->user, w->path, w->value, w->value_len, w->why);
        s2_wipe(w->value, sizeof(w->value));
        w->value_len = 0;
    }
    if (rc != S2SVPN_OK)
        stop(w, rc);
    pop(w);
    w->kind = S2_XML_CONTAINER; /* values have no elements, so what is around one is none */
}

static bool blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n' && text[i] != '\r')
            return false;
    }
    return true;
}

static void on_text(void *user, const XML_Char *text, int n)
{
    struct walk *w = user;
    const size_t len = (size_t)n;

    if (w->rc != S2SVPN_OK || w->skipped > 0)
        return;
    if (w->kind != S2_XML_VALUE) {
        if (!blank(text, len))
            refuse(w, S2SVPN_E_MALFORMED, "expected elements, found a text");
    } else if (len >= sizeof(w->value) - w->value_len) {
        refuse(w, S2SVPN_E_MALFORMED, "the text is too long");
    } else {
        memcpy(w->value + w->value_len, text, len);
        w->value_len += len;
    }
}

/* Comes before anything of the declaration is looked at. */
static void on_document_type(void *user, const XML_Char *name, const XML_Char *system_id,
                             const XML_Char *public_id, int internal)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)internal;
    refuse(user, S2SVPN_E_MALFORMED, "a document type declaration is not accepted");
}

static void on_entity(void *user, const XML_Char *name, int parameter, const XML_Char *value,
                      int len, const XML_Char *base, const XML_Char *system_id,
                      const XML_Char *public_id, const XML_Char *notation)
{
    (void)name;
    (void)parameter;
    (void)value;
    (void)len;
    (void)base;
    (void)system_id;
    (void)public_id;
    (void)notation;
    refuse(user, S2SVPN_E_MALFORMED, "an entity declaration is not accepted");
}

/* Expat's own failures. */
static void fail_as_expat(struct walk *w)
{
    const enum XML_Error code = XML_GetErrorCode(w->parser);
    char message[S2SVPN_MESSAGE_SIZE];

    if (code == XML_ERROR_NO_MEMORY) {
        refuse(w, S2SVPN_E_MEMORY, "no memory to read the document");
        return;
    }
    s2_print(message, sizeof(message), "no well-formed XML: %s", XML_ErrorString(code));
    refuse(w, S2SVPN_E_MALFORMED, message);
}

static void set_handlers(struct walk *w)
{
    XML_SetUserData(w->parser, w);
    XML_SetElementHandler(w->parser, on_start, on_end);
    XML_SetCharacterDataHandler(w->parser, on_text);
    XML_SetStartDoctypeDeclHandler(w->parser, on_document_type);
    XML_SetEntityDeclHandler(w->parser, on_entity);
    /* Left alone, expat would ask the system for randomness. Where the parser lies is
     * as good against crafted names, the more so as their number is bounded. */
    XML_SetHashSalt(w->parser, (unsigned long)(uintptr_t)w->parser);
}

/* Blanks before the XML declaration, as a here-document leaves them, are against the
 * rules and harmless. */
static size_t leading_blanks(const char *text, size_t len, uint32_t *lines)
{
    size_t n = 0;

    for (; n < len && blank(text + n, 1); n++)
        *lines += text[n] == '\n';
    return n;
}

s2svpn_status s2_xml_read(const struct s2_config_memory *memory, const char *text, size_t len,
                          const struct s2_xml_events *events, void *user, s2svpn_error *why)
{
    const XML_Memory_Handling_Suite suite = {memory->allocate, memory->resize, memory->release};
    struct walk w = {.events = events, .user = user, .why = why, .kind = S2_XML_CONTAINER};

    if (len > S2SVPN_CONFIG_MAX)
        return s2_error_set(why, S2SVPN_E_LIMIT, "", "the document is longer than %u bytes",
                            S2SVPN_CONFIG_MAX);
    w.parser = XML_ParserCreate_MM("UTF-8", &suite, NULL);
    if (w.parser == NULL)
        return s2_error_set(why, S2SVPN_E_MEMORY, "", "no memory to read the document");
    set_handlers(&w);
    if (len == 0)
        text = ""; /* may be NULL */
    const size_t skip = leading_blanks(text, len, &w.first_line);
    if (XML_Parse(w.parser, text + skip, (int)(len - skip), XML_TRUE) != XML_STATUS_OK)
        fail_as_expat(&w);
    if (w.rc != S2SVPN_OK)
        why->offset += skip;
    XML_ParserFree(w.parser);
    const s2svpn_status rc = w.rc;
    s2_wipe(&w, sizeof(w));
    return rc;
}
