/* SPDX-License-Identifier: Apache-2.0 */
/* Writes XML 1.0. Texts are UTF-8 (query.c saw to that); characters that XML cannot
 * hold, not even escaped, are written as U+FFFD. */
#include "ec2/xml.h"

#include <string.h>

#include "base/bytes.h"
#include "ec2/time.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void add(struct s2_buffer *b, const char *text)
{
    s2_buffer_add(b, text, strlen(text));
}

/* What stands for the character at p, and how many bytes it has; NULL: itself. */
static const char *replacement(const uint8_t *p, size_t *len)
{
    *len = 1;
    switch (p[0]) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;"; /* else a parser makes a line feed of it */
    case '\t':
    case '\n':
        return NULL;
    case 0xef: /* U+FFFE and U+FFFF */
        if (p[1] == 0xbf && p[2] >= 0xbe) {
            *len = 3;
            return "\xef\xbf\xbd";
        }
        return NULL;
    default:
        return p[0] < ' ' ? "\xef\xbf\xbd" : NULL;
    }
}

static void escape(struct s2_buffer *b, const char *text)
{
    const char *from = text;

    while (*text != '\0') {
        size_t len;
        const char *other = replacement((const uint8_t *)text, &len);
        if (other != NULL) {
            s2_buffer_add(b, from, (size_t)(text - from));
            add(b, other);
            from = text + len;
        }
        text += len;
    }
    s2_buffer_add(b, from, (size_t)(text - from));
}

void s2_ec2_xml_init(struct s2_ec2_xml *x, struct s2_buffer *out)
{
    *x = (struct s2_ec2_xml){.out = out};
}

void s2_ec2_xml_begin(struct s2_ec2_xml *x, const char *name)
{
    if (x->depth == S2_EC2_XML_DEPTH) {
        x->out->rc = S2SVPN_E_LIMIT;
        return;
    }
    x->open[x->depth++] = name;
    s2_buffer_print(x->out, "<%s>", name);
}

void s2_ec2_xml_end(struct s2_ec2_xml *x)
{
    if (x->depth > 0)
        s2_buffer_print(x->out, "</%s>", x->open[--x->depth]);
}

void s2_ec2_xml_text(struct s2_ec2_xml *x, const char *name, const char *text)
{
    if (text == NULL)
        return;
    s2_buffer_print(x->out, "<%s>", name);
    escape(x->out, text);
    s2_buffer_print(x->out, "</%s>", name);
}

void s2_ec2_xml_number(struct s2_ec2_xml *x, const char *name, int64_t value)
{
    s2_buffer_print(x->out, "<%s>%lld</%s>", name, (long long)value, name);
}

void s2_ec2_xml_bool(struct s2_ec2_xml *x, const char *name, bool value)
{
    s2_ec2_xml_text(x, name, value ? "true" : "false");
}

void s2_ec2_xml_time(struct s2_ec2_xml *x, const char *name, int64_t seconds)
{
    char text[S2_EC2_TIME_ISO_SIZE];

    s2_ec2_xml_text(x, name, s2_ec2_time_print_iso(seconds, text));
}

void s2_ec2_xml_answer_begin(struct s2_ec2_xml *x, enum s2_ec2_service service, const char *action,
                             const char *request_id)
{
    add(x->out, HEAD);
    if (service == S2_EC2_SERVICE_STS) {
        s2_buffer_print(x->out,
                        "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/" S2_EC2_STS_VERSION
                        "/\"><%sResult>",
                        action, action);
        return;
    }
    s2_buffer_print(
        x->out, "<%sResponse xmlns=\"http://ec2.amazonaws.com/doc/" S2_EC2_VERSION "/\">", action);
    s2_ec2_xml_text(x, "requestId", request_id);
}

void s2_ec2_xml_answer_end(struct s2_ec2_xml *x, enum s2_ec2_service service, const char *action,
                           const char *request_id)
{
    if (service == S2_EC2_SERVICE_STS) {
        s2_buffer_print(x->out, "</%sResult><ResponseMetadata>", action);
        s2_ec2_xml_text(x, "RequestId", request_id);
        add(x->out, "</ResponseMetadata>");
    }
    s2_buffer_print(x->out, "</%sResponse>\n", action);
}

void s2_ec2_xml_fault(struct s2_buffer *out, enum s2_ec2_service service,
                      const struct s2_ec2_fault *fault, const char *request_id)
{
    struct s2_ec2_xml x;
    const bool sts = service == S2_EC2_SERVICE_STS;

    s2_ec2_xml_init(&x, out);
    add(out, HEAD);
    add(out, sts ? "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/" S2_EC2_STS_VERSION "/\">"
                 : "<Response><Errors>");
    add(out, "<Error>");
    if (sts)
        s2_ec2_xml_text(&x, "Type", s2_ec2_fault_http(fault->id) < 500 ? "Sender" : "Receiver");
    s2_ec2_xml_text(&x, "Code", s2_ec2_fault_code(fault->id));
    s2_ec2_xml_text(&x, "Message", fault->message);
    add(out, sts ? "</Error>" : "</Error></Errors>");
    s2_ec2_xml_text(&x, sts ? "RequestId" : "RequestID", request_id);
    add(out, sts ? "</ErrorResponse>\n" : "</Response>\n");
}

s2svpn_status s2_ec2_request_id(const struct s2_env *env, char out[S2_EC2_REQUEST_ID_SIZE])
{
    uint8_t b[16];
    char hex[33];

    s2svpn_status rc = s2_random(env, b, sizeof(b));
    if (rc != S2SVPN_OK)
        return rc;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* variant */
    s2_print_hex(hex, b, sizeof(b));
    s2_print(out, S2_EC2_REQUEST_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
             hex + 16, hex + 20);
    return S2SVPN_OK;
}
