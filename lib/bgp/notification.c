/* SPDX-License-Identifier: Apache-2.0 */
/* NOTIFICATION: its wire form, its codes in words, and the operator's text that a
 * Cease may carry. Which code is due is decided elsewhere. RFC 4271 sections 4.5
 * and 6, 4486, 6608, 9003. */
#include "bgp/message.h"

#include <string.h>

#include "base/text.h"

static const char *code_words(uint8_t code)
{
    switch (code) {
#define CASE(name, number, words)                                                                  \
    case (number):                                                                                 \
        return words;
        S2_BGP_ERROR_LIST(CASE)
#undef CASE
    default:
        return NULL;
    }
}

static const char *subcode_words(uint8_t code, uint8_t subcode)
{
    switch (code << 8 | subcode) {
#define CASE(name, number, sub, words)                                                             \
    case (number) << 8 | (sub):                                                                    \
        return words;
        S2_BGP_SUBCODE_LIST(CASE)
#undef CASE
    default:
        return NULL;
    }
}

char *s2_bgp_notification_text(uint8_t code, uint8_t subcode, char *out, size_t size)
{
    const char *words = code_words(code), *sub = subcode_words(code, subcode);

    if (words == NULL)
        s2_print(out, size, "code %u/%u", code, subcode);
    else if (sub != NULL)
        s2_print(out, size, "%s/%s", words, sub);
    else if (subcode != 0)
        s2_print(out, size, "%s/%u", words, subcode);
    else
        s2_copy_text(out, size, words);
    return out;
}

s2svpn_status s2_bgp_error_set(struct s2_bgp_error *e, uint8_t code, uint8_t subcode,
                               const void *data, size_t len)
{
    e->code = code;
    e->subcode = subcode;
    e->len = (uint16_t)(len <= sizeof(e->data) ? len : 0);
    if (e->len > 0)
        memcpy(e->data, data, e->len);
    return S2SVPN_E_MALFORMED;
}

/* RFC 9003 section 2: a Cease for shutdown or reset, one byte of length, UTF-8. */
static bool carries_text(const struct s2_bgp_error *e)
{
    return e->code == S2_BGP_ERROR_CEASE &&
           (e->subcode == S2_BGP_SUB_CEASE_SHUTDOWN || e->subcode == S2_BGP_SUB_CEASE_RESET);
}

void s2_bgp_error_set_text(struct s2_bgp_error *e, const char *text)
{
    const size_t len = text != NULL ? strlen(text) : 0;

    e->len = 0;
    if (!carries_text(e) || len == 0)
        return;
    e->data[0] = (uint8_t)(len < 255 ? len : 255);
    /* a character is not cut in two: its later bytes begin with bits 10 */
    while (e->data[0] > 0 && e->data[0] < len && ((uint8_t)text[e->data[0]] & 0xc0) == 0x80)
        e->data[0]--;
    memcpy(e->data + 1, text, e->data[0]);
    e->len = (uint16_t)(1 + e->data[0]);
}

/* The bytes of the well-formed UTF-8 character at p, or 0. Overlong forms and
 * surrogates are not looked for: nothing is decoded here. */
static size_t character_len(const uint8_t *p, size_t left)
{
    size_t n = 1;

    if (p[0] >= 0xc2 && p[0] <= 0xf4)
        n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    else if (p[0] >= 0x80)
        return 0;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    /* U+0080 to U+009F are control characters in two bytes */
    return n == 2 && p[0] == 0xc2 && p[1] < 0xa0 ? 0 : n;
}

void s2_bgp_error_text(const struct s2_bgp_error *e, char *out)
{
    struct s2_reader r;
    size_t at = 0;

    out[0] = 0;
    if (!carries_text(e))
        return;
    s2_reader_init(&r, e->data, e->len);
    const s2svpn_span text = s2_read_span(&r, s2_read_u8(&r, "text.length"), "text.length");
    while (at < text.len) {
        const size_t n = character_len(text.p + at, text.len - at);

        if (n == 0 || text.p[at] < ' ' || text.p[at] == 0x7f)
            out[at++] = '?';
        else
            for (size_t i = 0; i < n; i++, at++)
                out[at] = (char)text.p[at];
    }
    out[at] = 0;
}

void s2_bgp_parse_notification(s2svpn_span body, struct s2_bgp_error *out)
{
    struct s2_reader r;

    s2_reader_init(&r, body.p, body.len);
    const uint8_t code = s2_read_u8(&r, "notification.code");
    const uint8_t subcode = s2_read_u8(&r, "notification.subcode");
    const s2svpn_span data = s2_read_rest(&r);
    (void)s2_bgp_error_set(out, code, subcode, data.p, data.len);
}

void s2_bgp_write_notification(struct s2_writer *w, const struct s2_bgp_error *e)
{
    s2_bgp_write_begin(w, S2_BGP_TYPE_NOTIFICATION);
    s2_write_u8(w, e->code);
    s2_write_u8(w, e->subcode);
    s2_write_bytes(w, e->data, e->len);
    s2_bgp_write_end(w);
}
