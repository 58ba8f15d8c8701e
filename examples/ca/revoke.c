/* SPDX-License-Identifier: Apache-2.0 */
/* The commands on what was issued: revoke, crl, list. */
#include "ca/ca.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#define LIST_DAYS 30

void ca_revoke(struct ca *ca, const struct ca_options *o)
{
    struct ca_index index;

    ca_index_read(ca, &index);
    struct ca_entry *e = ca_index_find(&index, o->what);
    e->revoked = true;
    ca_time_text(time(NULL), e->revoked_at);
    ca_index_write(ca, &index);
    printf("%s, %s, %s: revoked; \"crl\" writes the list that says so\n", e->name, e->serial,
           e->subject);
}

/* The number of the last lists plus one: RFC 5280 section 5.2.3 wants it to grow. */
static uint64_t next_number(const struct ca *ca)
{
    char *text, *end;

    if (!ca_exists(ca, CA_CRL_NUMBER))
        return 1;
    text = ca_read(ca, CA_CRL_NUMBER, false, NULL);
    const uint64_t last = strtoull(text, &end, 10);
    if (end == text || strcmp(end, "\n") != 0)
        ca_fail("%s/" CA_CRL_NUMBER ": no number", ca->folder);
    free(text);
    return last + 1;
}

static void add_list(const struct ca *ca, BIO *out, const char *issuer,
                     const struct ca_index *index, unsigned days, uint64_t number)
{
    const struct ca_signer by = ca_signer_of(ca, issuer, true);

    if (PEM_write_bio_X509_CRL(out, ca_make_list(&by, issuer, index, days, number)) != 1)
        ca_crypto_fail(CA_CRL);
}

/* The number is used up first: no two lists ever have the same. */
void ca_crl(struct ca *ca, const struct ca_options *o)
{
    const uint64_t number = next_number(ca);
    const unsigned days = o->days != 0 ? o->days : LIST_DAYS;
    BIO *bio = BIO_new(BIO_s_mem());
    struct ca_index index;
    size_t revoked = 0;
    char line[24], *text;

    if (bio == NULL)
        ca_fail("out of memory");
    ca_index_read(ca, &index);
    add_list(ca, bio, CA_ROOT, &index, days, number);
    if (ca_exists(ca, CA_INTERMEDIATE ".pem"))
        add_list(ca, bio, CA_INTERMEDIATE, &index, days, number);
    snprintf(line, sizeof(line), "%" PRIu64 "\n", number);
    ca_write(ca, CA_CRL_NUMBER, line, strlen(line), false);
    const long len = BIO_get_mem_data(bio, &text);
    ca_write(ca, CA_CRL, text, (size_t)len, false);
    BIO_free(bio);
    for (size_t i = 0; i < index.count; i++)
        revoked += index.entry[i].revoked;
    printf("%s/" CA_CRL ": number %" PRIu64 ", %zu revoked, for %u days\n", ca->folder, number,
           revoked, days);
}

void ca_list(struct ca *ca, const struct ca_options *o)
{
    struct ca_index index;
    char now[CA_TIME_SIZE];

    (void)o;
    ca_index_read(ca, &index);
    ca_time_text(time(NULL), now);
    for (size_t i = 0; i < index.count; i++) {
        const struct ca_entry *e = &index.entry[i];
        const char *state = e->revoked                  ? "revoked"
                            : strcmp(e->until, now) < 0 ? "expired"
                                                        : "valid";

        printf("%-7s  %s  %s  %s  %s\n", state, e->until, e->serial, e->name, e->subject);
    }
}
