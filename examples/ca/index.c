/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.txt: a line a certificate, fields apart by tabs.
 *
 *     valid|revoked  SERIAL  END  REVOKED  ca|intermediate  NAME  SUBJECT
 *
 * Times are UTC, "2027-01-14T08:00:00Z"; "-" where there is none. Lines that begin with "#"
 * are passed over, and not kept. A certificate is in the index before it is in a file, so
 * none is ever out that can't be revoked.
 */
#include "ca/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/bn.h>

static const char head[] = "# valid|revoked, serial, end, revoked at, issuer, name, subject\n";

void ca_time_text(time_t t, char out[CA_TIME_SIZE])
{
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, CA_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        ca_fail("a time is out of range");
}

time_t ca_time_of(const ASN1_TIME *t)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1)
        ca_crypto_fail("a certificate's time");
    return timegm(&tm);
}

ASN1_TIME *ca_time_read(const char *text)
{
    struct tm tm = {.tm_sec = 0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    ASN1_TIME *t = end != NULL && *end == 0 ? ASN1_TIME_set(NULL, timegm(&tm)) : NULL;

    if (t == NULL)
        ca_fail(CA_INDEX ": \"%s\" is no time", text);
    return t;
}

static void *grow(struct ca_index *index)
{
    struct ca_entry *more =
        realloc(index->entry, (index->count + 1) * sizeof(*more)); /* few: seldom more than 1000 */

    if (more == NULL)
        ca_fail("out of memory");
    index->entry = more;
    memset(&more[index->count], 0, sizeof(*more));
    return &more[index->count++];
}

/* The next field into out; *text is what is behind it, or NULL at the line's end. */
static bool take(char **text, char *out, size_t room)
{
    char *field = strsep(text, "\t");

    if (field == NULL || field[0] == 0 || strlen(field) >= room)
        return false;
    memcpy(out, field, strlen(field) + 1);
    return true;
}

static void read_line(struct ca_index *index, char *line, unsigned number)
{
    struct ca_entry *e = grow(index);
    char state[16];

    if (!take(&line, state, sizeof(state)) || !take(&line, e->serial, sizeof(e->serial)) ||
        !take(&line, e->until, sizeof(e->until)) ||
        !take(&line, e->revoked_at, sizeof(e->revoked_at)) ||
        !take(&line, e->issuer, sizeof(e->issuer)) || !take(&line, e->name, sizeof(e->name)) ||
        !take(&line, e->subject, sizeof(e->subject)) || line != NULL)
        ca_fail(CA_INDEX ":%u: not seven fields", number);
    e->revoked = strcmp(state, "revoked") == 0;
    if (!e->revoked && strcmp(state, "valid") != 0)
        ca_fail(CA_INDEX ":%u: \"%s\" is neither valid nor revoked", number, state);
    if (strspn(e->serial, "0123456789ABCDEF") != strlen(e->serial))
        ca_fail(CA_INDEX ":%u: \"%s\" is no serial number", number, e->serial);
}

void ca_index_read(const struct ca *ca, struct ca_index *index)
{
    char *rest = ca_read(ca, CA_INDEX, false, NULL), *line;

    *index = (struct ca_index){.entry = NULL};
    for (unsigned number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        if (line[0] != 0 && line[0] != '#')
            read_line(index, line, number);
    }
}

void ca_index_write(const struct ca *ca, const struct ca_index *index)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (f == NULL)
        ca_fail("out of memory");
    fputs(head, f);
    for (size_t i = 0; i < index->count; i++) {
        const struct ca_entry *e = &index->entry[i];

        fprintf(f, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e->revoked ? "revoked" : "valid", e->serial,
                e->until, e->revoked_at, e->issuer, e->name, e->subject);
    }
    if (fclose(f) != 0)
        ca_fail("out of memory");
    ca_write(ca, CA_INDEX, text, len, false);
    free(text);
}

struct ca_entry *ca_index_add(struct ca_index *index, const X509 *x, const char *issuer,
                              const char *name)
{
    struct ca_entry *e = grow(index);
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *serial = n != NULL ? BN_bn2hex(n) : NULL;

    if (serial == NULL || strlen(serial) >= sizeof(e->serial))
        ca_crypto_fail("the serial number");
    snprintf(e->serial, sizeof(e->serial), "%s", serial);
    ca_time_text(ca_time_of(X509_get0_notAfter(x)), e->until);
    snprintf(e->revoked_at, sizeof(e->revoked_at), "-");
    snprintf(e->issuer, sizeof(e->issuer), "%s", issuer);
    snprintf(e->name, sizeof(e->name), "%s", name);
    ca_subject_text(X509_get_subject_name(x), e->subject);
    return e;
}

struct ca_entry *ca_index_find(struct ca_index *index, const char *what)
{
    struct ca_entry *found = NULL;
    bool known = false;

    for (size_t i = 0; i < index->count; i++) {
        struct ca_entry *e = &index->entry[i];

        if (strcasecmp(e->serial, what) == 0) {
            if (e->revoked)
                ca_fail("%s: revoked already, at %s", what, e->revoked_at);
            return e;
        }
        if (strcmp(e->name, what) != 0)
            continue;
        known = true;
        if (!e->revoked && found != NULL)
            ca_fail("%s: more than one certificate is valid: say which, by its serial number from "
                    "\"list\"",
                    what);
        if (!e->revoked)
            found = e;
    }
    if (found == NULL)
        ca_fail(known ? "%s: revoked already" : "%s: no certificate has this name or number", what);
    return found;
}
