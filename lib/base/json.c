/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings: what is escaped and what is replaced. RFC 8259 section 7, RFC 3629 section 4. */
#include "base/json.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* How many bytes the character takes that begins here; 0: it isn't one. Overlong forms,
 * surrogates and what is above U+10FFFF are none. A zero byte is no tail, so nothing behind
 * the text is read. */
static size_t character_len(const uint8_t *p)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return is_tail(p[1]) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        const uint8_t low = p[0] == 0xe0 ? 0xa0 : 0x80, high = p[0] == 0xed ? 0x9f : 0xbf;

        return p[1] >= low && p[1] <= high && is_tail(p[2]) ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        const uint8_t low = p[0] == 0xf0 ? 0x90 : 0x80, high = p[0] == 0xf4 ? 0x8f : 0xbf;

        return p[1] >= low && p[1] <= high && is_tail(p[2]) && is_tail(p[3]) ? 4 : 0;
    }
    return 0;
}

void s2_json_string(struct s2_buffer *b, const char *text)
{
    s2_buffer_add(b, "\"", 1);
    while (*text != '\0') {
        const size_t plain = strcspn(text, "\"\\");
        const char *const end = text + plain;

        while (text < end) {
            const size_t len = character_len((const uint8_t *)text);

            if (len == 0)
                s2_buffer_add(b, REPLACEMENT, sizeof(REPLACEMENT) - 1);
            else if ((uint8_t)*text < 0x20 || *text == 0x7f)
                s2_buffer_print(b, "\\u%04x", (unsigned)(uint8_t)*text);
            else
                s2_buffer_add(b, text, len);
            text += len == 0 ? 1 : len;
        }
        if (*text != '\0') {
            const char escaped[2] = {'\\', *text++};

            s2_buffer_add(b, escaped, sizeof(escaped));
        }
    }
    s2_buffer_add(b, "\"", 1);
}
