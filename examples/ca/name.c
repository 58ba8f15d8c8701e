/* SPDX-License-Identifier: Apache-2.0 */
/* Names: of files, of subjects (RFC 4514's form, in the order of the certificate), and
 * alternative ones. */
#include "ca/ca.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>

void ca_check_name(const char *name)
{
    static const char *const taken[] = {CA_ROOT, CA_INTERMEDIATE, "crl", "index"};
    const size_t len = strlen(name);

    if (len == 0 || len > CA_NAME_MAX || name[0] == '.' || name[0] == '-')
        ca_fail("%s: a name has 1 to %d characters, and begins with none of . and -", name,
                CA_NAME_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
            ca_fail("%s: a name has letters, digits, and . _ - only", name);
    }
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcmp(name, taken[i]) == 0)
            ca_fail("%s: the authority's own files have this name", name);
    }
}

/* One attribute up to a comma; returns what is behind it. */
static const char *read_attribute(const char *option, const char *text, X509_NAME *name)
{
    char type[32], value[256];
    size_t type_len = strcspn(text, "="), len = 0;

    if (text[type_len] != '=' || type_len == 0 || type_len >= sizeof(type))
        ca_fail("%s: \"%s\" is not of the form CN=…, O=…", option, text);
    memcpy(type, text, type_len);
    type[type_len] = 0;
    text += type_len + 1;
    while (*text != 0 && *text != ',') {
        if (*text == '\\' && text[1] != 0)
            text++;
        if (len == sizeof(value) - 1)
            ca_fail("%s: the value of %s is too long", option, type);
        value[len++] = *text++;
    }
    if (len == 0 || X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)value,
                                               (int)len, -1, 0) != 1)
        ca_fail("%s: %s is no attribute, or \"%.*s\" no value of it", option, type, (int)len,
                value);
    text += *text == ',';
    return text + strspn(text, " ");
}

X509_NAME *ca_subject_read(const char *option, const char *text)
{
    X509_NAME *name = X509_NAME_new();
    char printed[CA_SUBJECT_MAX];

    if (name == NULL)
        ca_fail("out of memory");
    do
        text = read_attribute(option, text, name);
    while (*text != 0);
    ca_subject_text(name, printed); /* is it too long? */
    return name;
}

void ca_subject_text(const X509_NAME *name, char out[CA_SUBJECT_MAX])
{
    const unsigned long form =
        (ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, form) < 0)
        ca_crypto_fail("the subject");
    const long len = BIO_get_mem_data(bio, &text);
    if (len <= 0 || len >= CA_SUBJECT_MAX)
        ca_fail("the subject is empty or too long");
    memcpy(out, text, (size_t)len);
    out[len] = 0;
    BIO_free(bio);
}

static void add_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (value == NULL || name == NULL || sk_GENERAL_NAME_push(names, name) <= 0)
        ca_fail("out of memory");
    GENERAL_NAME_set0_value(name, type, value);
}

static void add_host(GENERAL_NAMES *names, const char *host)
{
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    const size_t len = strlen(host);

    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)host[i]) && strchr("-._", host[i]) == NULL)
            ca_fail("--dns %s: a host name has letters, digits, and - . _ only", host);
    }
    if (len == 0 || len > 253)
        ca_fail("--dns %s: a host name has 1 to 253 characters", host);
    if (value == NULL || ASN1_STRING_set(value, host, (int)len) != 1)
        ca_fail("out of memory");
    add_name(names, GEN_DNS, value);
}

GENERAL_NAMES *ca_names_of(const struct ca_options *o)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

    if (names == NULL)
        ca_fail("out of memory");
    for (size_t i = 0; i < o->dns_count; i++)
        add_host(names, o->dns[i]);
    for (size_t i = 0; i < o->ip_count; i++) {
        ASN1_OCTET_STRING *value = a2i_IPADDRESS(o->ip[i]);

        if (value == NULL)
            ca_fail("--ip %s: no address", o->ip[i]);
        add_name(names, GEN_IPADD, value);
    }
    if (sk_GENERAL_NAME_num(names) > 0)
        return names;
    GENERAL_NAMES_free(names);
    return NULL;
}
