/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates in place of pre-shared keys: what this side shows its peers, and whom it
 * trusts. AWS's form of it: a customer gateway with a certificate and without an address,
 * whose device may come from anywhere and is known by its certificate's subject.
 *
 * IKEv2 only: RSA (RFC 7296 section 2.15), ECDSA (RFC 4754) and signatures by RFC 7427;
 * X.509 paths by RFC 5280 with revocation lists, used as RFC 4945 profiles them. PEM texts
 * are read once, at the call; the library keeps the key in the crypto backend's memory and
 * wipes it at the end.
 *
 * A tunnel uses certificates where its customer gateway has one (cloud side), or where its
 * document has no pre-shared key (device side). No tunnel accepts both.
 */
#ifndef S2SVPN_CERTIFICATE_H
#define S2SVPN_CERTIFICATE_H

#include "s2svpn/crypto.h"
#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** PEM texts, each ended by a zero byte and borrowed for the call. */
typedef struct s2svpn_certificates {
    size_t size;
    const char *chain;       /* this side's certificate, then those that lead to an authority */
    const char *private_key; /* its key, not encrypted */
    const char *authorities; /* whose certificates are accepted */
    const char *crls;        /* their revocation lists; NULL: revocation isn't checked. Else each
                              * certificate of a peer's path needs a list that is up to date */
} s2svpn_certificates;
#define S2SVPN_CERTIFICATES_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(s2svpn_certificates)                                                        \
    }

/**
 * Set or replace them, for all tunnels of the context that use certificates. What is
 * established stays, unless the peer's own certificate is revoked by the new lists; its next
 * handshake uses the new ones.
 * @return E_ARGUMENT, E_MALFORMED or E_UNSUPPORTED with the field, "chain", "private_key",
 *         "authorities", "crls"; E_UNSUPPORTED with "": the crypto backend has no
 *         certificates; E_MEMORY. After a failure the old ones are still in use.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_context_set_certificates(s2svpn_context *ctx, const s2svpn_certificates *certificates);

/** Read a certificate in PEM or DER: for status and for checks before it is used.
 * @return E_MALFORMED; E_UNSUPPORTED: the crypto backend has no certificates.
 * @threads one call at a time on the context. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_certificate_read(s2svpn_context *ctx,
                                                                  const void *bytes, size_t len,
                                                                  s2svpn_certificate_info *out);
/** "the certificate, or one above it, has expired"; borrowed for ever. @threads any */
S2SVPN_API const char *s2svpn_certificate_result_text(enum s2svpn_certificate_result result);

S2SVPN_END
#endif
