/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The room's door: the EC2 Query API behind s2svpn/ec2.h.
 *
 *     header.c  headers          query.c   parameters       time.c  dates
 *     auth.c    a signature's parts        sigv4.c  its computation
 *     action.c  the table, checks          account.c, …  rows and handlers
 *     filter.c  filters          page.c    tokens
 *     xml.c     answers          errors.c  refusals
 *     ec2.c     leads a request through all of them
 *
 * A request is answered in the call that brings it, or in the one that brings its key:
 * nothing runs later. Until the signature is good nothing but the request's own
 * memory is used, and no more of it than a small multiple of its length.
 *
 * AWS's "Signature Version 4" and "Query API" are the documents; RFC 3629 for UTF-8,
 * RFC 9562 for request ids.
 */
#ifndef S2_EC2_EC2_H
#define S2_EC2_EC2_H

#include "base/list.h"
#include "ec2/action.h"

struct s2svpn_ec2 {
    struct s2_env env;
    struct s2_ec2_crypto crypto;
    s2svpn_ec2_options options;
    uint8_t page_key[32];
    struct s2_link pending; /* struct s2svpn_ec2_lookup */
    size_t pending_count;
};

#endif
