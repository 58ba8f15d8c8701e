/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer's certificates, identity and AUTH data, judged by the OpenSSL backend with a fixed
 * authority, and each certificate described. The input is
 *
 *     method, ID type, flags (1: with lists, 2: with a clock, 4: the subject is asked for),
 *     then pieces of two bytes of length and as many bytes: identity, AUTH, certificates.
 *
 * A piece that says it is longer than what is left is what is left. Seeds are signed over
 * the text below, so that changes of them reach the last check.
 */
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "s2svpn/crypto.h"

#define NOW UINT64_C(1800000000)
#define PIECES (2 + S2SVPN_CHAIN_MAX + 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char root[] = "-----BEGIN CERTIFICATE-----\n"
                           "MIIBVzCB/aADAgECAgkA7ec8+oBiAS0wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwE\n"
                           "Um9vdDAeFw0yNzAxMTQwODAwMDBaFw0yODAxMTUwODAwMDBaMA8xDTALBgNVBAMM\n"
                           "BFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT9rO2hc7xov+IsTP9frnNr\n"
                           "UPdLDL+UIdkBMXqslYhex9a5GEt8JlTOX3tkGShfwWl+fHvNUvE7MOeS4/8W1+kN\n"
                           "o0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU\n"
                           "LYycMeP1sCGun44j9ukK8RMa/5YwCgYIKoZIzj0EAwIDSQAwRgIhAPMlv2NFHgZF\n"
                           "cz16YM5UnWlrH6J9O071K/xuBzZWD2VTAiEAtegqVw9Ktb3Z8qpBUIax1YEXg0e8\n"
                           "alOrjCpxIOtESQc=\n"
                           "-----END CERTIFICATE-----\n";

static const char lists[] = "-----BEGIN X509 CRL-----\n"
                            "MIGWMD4CAQEwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEUm9vdBcNMjcwMTE0MDgw\n"
                            "MDAwWhcNMjgwMTE1MDgwMDAwWjAKBggqhkjOPQQDAgNIADBFAiEA8Dh51wS8bcVH\n"
                            "1ErkGScPT9zM6aMlZneJKA6unAQWBEgCIASSnMUttIAYsVYME6vzHr43IHqd3wcV\n"
                            "9VXTslRE0E7w\n"
                            "-----END X509 CRL-----\n"
                            "-----BEGIN X509 CRL-----\n"
                            "MIG4MGECAQEwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJQXV0aG9yaXR5Fw0yNzAx\n"
                            "MTQwODAwMDBaFw0yODAxMTUwODAwMDBaMBwwGgIJAPdRflLy+lGwFw0yNzAxMTQw\n"
                            "ODAwMDBaMAoGCCqGSM49BAMCA0cAMEQCIHsBoLWc/q8WGW/wmE/ap8DQmPAD38re\n"
                            "zpZvcyD/rlY8AiBN5X1kpnKO9l/xd8Aqgyg5/tydnfW0d9+frBt0SFCk0A==\n"
                            "-----END X509 CRL-----\n";

static const s2svpn_span signed_text[] = {{(const uint8_t *)"the first message", 17},
                                          {(const uint8_t *)"and a nonce", 11}};

static void check(bool good)
{
    if (!good)
        abort();
}

static s2svpn_span text(const char *t)
{
    return (s2svpn_span){(const uint8_t *)t, strlen(t)};
}

/* Made once: it doesn't change. */
static const void *trust_of(bool with_lists)
{
    static void *trusts[2];
    s2svpn_error why;

    if (trusts[with_lists] == NULL)
        check(s2svpn_crypto_openssl()->trust_new(NULL, text(root), text(with_lists ? lists : ""),
                                                 &trusts[with_lists], &why) == S2SVPN_OK);
    return trusts[with_lists];
}

static size_t split(const uint8_t *p, size_t left, s2svpn_span out[PIECES])
{
    size_t n = 0;

    while (n < PIECES && left >= 2) {
        size_t len = (size_t)p[0] << 8 | p[1];

        len = len < left - 2 ? len : left - 2;
        out[n++] = (s2svpn_span){p + 2, len};
        p += 2 + len;
        left -= 2 + len;
    }
    return n;
}

static void describe(s2svpn_span bytes)
{
    s2svpn_certificate_info info = {.size = sizeof(info)};

    if (s2svpn_crypto_openssl()->certificate_read(NULL, bytes, &info) != S2SVPN_OK)
        return;
    check(memchr(info.subject, 0, sizeof(info.subject)) != NULL);
    check(memchr(info.issuer, 0, sizeof(info.issuer)) != NULL);
    check(memchr(info.serial, 0, sizeof(info.serial)) != NULL);
    check(info.subject_der_len <= sizeof(info.subject_der));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    s2svpn_span pieces[PIECES] = {{NULL, 0}};

    if (size < 3)
        return 0;
    const size_t n = split(data + 3, size - 3, pieces);
    s2svpn_verify verify = {
        .size = sizeof(verify),
        .trust = trust_of((data[2] & 1) != 0),
        .unix_s = (data[2] & 2) != 0 ? NOW : 0,
        .chain = pieces + 2,
        .chain_count = n > 2 ? (uint32_t)(n - 2) : 0,
        .in = signed_text,
        .in_count = 2,
        .id = pieces[0],
        .auth = pieces[1],
        .id_type = data[1],
        .method = data[0],
    };
    s2svpn_job job = {.size = sizeof(job), .kind = S2SVPN_JOB_VERIFY, .verify = &verify};
    s2svpn_status result = S2SVPN_E_STATE;

    if ((data[2] & 4) != 0)
        verify.subject = pieces[0];
    check(s2svpn_crypto_openssl()->start_job(NULL, &job, &result) == S2SVPN_JOB_DONE);
    check(result == S2SVPN_OK || result == S2SVPN_E_AUTHENTICATION);
    check((result == S2SVPN_OK) == (verify.why == S2SVPN_CERTIFICATE_OK));
    check(verify.why < S2SVPN_CERTIFICATE_RESULTS);
    for (size_t i = 2; i < n; i++)
        describe(pieces[i]);
    check(ERR_peek_error() == 0);
    return 0;
}
