/* SPDX-License-Identifier: Apache-2.0 */
/* Fills AWS's sentences with what the client sent. What may stand in XML is
 * xml.c's business. */
#include "ec2/errors.h"

#include <string.h>

#define ARGUMENT_MAX 128

static const struct {
    const char *code, *sentence;
    unsigned http;
} faults[S2_EC2_FAULTS] = {
#define S2_EC2_FAULT_ROW(name, code, http, sentence) {code, sentence, http},
    S2_EC2_FAULT_LIST(S2_EC2_FAULT_ROW)
#undef S2_EC2_FAULT_ROW
};

const char *s2_ec2_fault_code(enum s2_ec2_fault_id id)
{
    return faults[id].code;
}

unsigned s2_ec2_fault_http(enum s2_ec2_fault_id id)
{
    return faults[id].http;
}

static size_t add(char *out, size_t len, const char *text, size_t max)
{
    size_t n = 0;

    while (text != NULL && n <= max && text[n] != '\0')
        n++;
    if (n > max) {
        /* back to where a UTF-8 character begins */
        for (n = max; n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80; n--)
            ;
    }
    if (n > S2_EC2_MESSAGE_SIZE - 1 - len)
        return len;
    if (n > 0)
        memcpy(out + len, text, n);
    return len + n;
}

s2svpn_status s2_ec2_fail(struct s2_ec2_fault *f, enum s2_ec2_fault_id id, const char *a,
                          const char *b, const char *c)
{
    const char *const argument[] = {a, b, c};
    size_t len = 0;

    if (f->id == S2_EC2_NONE) {
        f->id = id;
        for (const char *p = faults[id].sentence; *p != '\0';) {
            if (p[0] == '{' && p[1] >= '0' && p[1] <= '2' && p[2] == '}') {
                len = add(f->message, len, argument[p[1] - '0'], ARGUMENT_MAX);
                p += 3;
            } else {
                f->message[len++] = *p++; /* sentences are short: a test says so */
            }
        }
        /* "Value (x) for parameter y is invalid. " without a reason */
        while (len > 0 && f->message[len - 1] == ' ')
            len--;
        f->message[len] = '\0';
    }
    if (f->id == S2_EC2_INTERNAL)
        return S2SVPN_E_MEMORY;
    return faults[f->id].http == 401 || faults[f->id].http == 403 ? S2SVPN_E_AUTHENTICATION
                                                                  : S2SVPN_E_ARGUMENT;
}
