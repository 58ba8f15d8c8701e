/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded printing, growing buffers and strict numbers. Only vsnprintf is used
 * of the C library's stdio: it formats into memory and does no I/O. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define FIRST_SIZE 256 /* of a buffer */

size_t s2_print_v(char *out, size_t size, const char *fmt, va_list args)
{
    if (size == 0)
        return 0;
    int n = vsnprintf(out, size, fmt, args);
    if (n < 0) {
        out[0] = '\0';
        return 0;
    }
    return (size_t)n < size ? (size_t)n : size - 1;
}

size_t s2_print(char *out, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    size_t n = s2_print_v(out, size, fmt, args);
    va_end(args);
    return n;
}

void s2_copy_text(char *out, size_t size, const char *text)
{
    size_t i = 0;

    if (size == 0)
        return;
    for (; text != NULL && text[i] != '\0' && i < size - 1; i++)
        out[i] = text[i];
    out[i] = '\0';
}

char *s2_print_hex(char *out, const void *p, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = p;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

bool s2_read_number(const char *text, size_t len, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        const uint64_t digit = (uint64_t)(text[i] - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

void s2_buffer_init(struct s2_buffer *b, const s2svpn_memory *memory, size_t limit)
{
    *b = (struct s2_buffer){.memory = memory, .limit = limit};
}

static void release_data(struct s2_buffer *b)
{
    if (b->data != NULL)
        s2_wipe(b->data, b->size);
    b->memory->release(b->memory->user, b->data);
    b->data = NULL;
    b->len = b->size = 0;
}

/* Room for more bytes and the zero byte behind them. Texts may hold secrets, so
 * what is outgrown is wiped; hence no realloc. */
static bool make_room(struct s2_buffer *b, size_t more)
{
    if (b->rc != S2SVPN_OK)
        return false;
    if (more > b->limit - b->len || b->len + more == SIZE_MAX) {
        b->rc = S2SVPN_E_LIMIT;
        return false;
    }
    const size_t need = b->len + more + 1;
    if (need <= b->size)
        return true;

    size_t size = b->size < FIRST_SIZE ? FIRST_SIZE : b->size;
    while (size < need)
        size = size > SIZE_MAX / 2 ? need : size * 2;
    char *data = b->memory->allocate(b->memory->user, size);
    if (data == NULL) {
        b->rc = S2SVPN_E_MEMORY;
        return false;
    }
    const size_t len = b->len;
    if (len > 0)
        memcpy(data, b->data, len);
    data[len] = '\0';
    release_data(b);
    b->data = data;
    b->size = size;
    b->len = len;
    return true;
}

void s2_buffer_add(struct s2_buffer *b, const char *text, size_t len)
{
    if (!make_room(b, len) || len == 0)
        return;
    memcpy(b->data + b->len, text, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void s2_buffer_print(struct s2_buffer *b, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0) {
        if (b->rc == S2SVPN_OK)
            b->rc = S2SVPN_E_ARGUMENT;
    } else if (make_room(b, (size_t)n)) {
        b->len += s2_print_v(b->data + b->len, b->size - b->len, fmt, again);
    }
    va_end(again);
    va_end(args);
}

void s2_buffer_clear(struct s2_buffer *b)
{
    release_data(b);
    b->rc = S2SVPN_OK;
}

/* The caller knows no allocator but free(), so what a host's allocator holds is
 * copied once more. */
s2svpn_status s2_buffer_take(struct s2_buffer *b, s2svpn_text *out)
{
    s2svpn_status rc = b->rc;
    s2svpn_text text = {NULL, 0};

    if (rc == S2SVPN_OK && b->len > 0) {
        text.data = malloc(b->len + 1);
        if (text.data == NULL) {
            rc = S2SVPN_E_MEMORY;
        } else {
            memcpy(text.data, b->data, b->len + 1);
            text.len = b->len;
        }
    }
    s2_buffer_clear(b);
    *out = text;
    return rc;
}

void s2svpn_text_free(s2svpn_text *text)
{
    if (text == NULL)
        return;
    if (text->data != NULL)
        s2_wipe(text->data, text->len);
    free(text->data);
    text->data = NULL;
    text->len = 0;
}
