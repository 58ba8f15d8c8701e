/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of a long answer. A token holds the id of the last object given, so that
 * what is made or deleted meanwhile neither repeats nor skips another; it is bound
 * to action and account, and whoever changes a bit of it is refused. */
#ifndef S2_EC2_PAGE_H
#define S2_EC2_PAGE_H

#include "ec2/sigv4.h"

#define S2_EC2_PAGE_MIN 5
#define S2_EC2_PAGE_MAX 1000
#define S2_EC2_TOKEN_SIZE (2 * (S2SVPN_ID_SIZE + 16) + 1)

struct s2_ec2_page {
    size_t max;                 /* objects; 0: all */
    char after[S2SVPN_ID_SIZE]; /* "": from the start */
};

/* Take MaxResults and NextToken of a query. ids: the name of the action's list of ids
 * ("VpcId"), with which they can't be combined; NULL: none. key: 32 random bytes. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_page_parse(struct s2_ec2_page *page,
                                                 const struct s2_ec2_crypto *c,
                                                 const uint8_t key[32],
                                                 const struct s2_ec2_query *q, const char *action,
                                                 const char *account, const char *ids,
                                                 struct s2_ec2_fault *fault);
S2SVPN_NODISCARD s2svpn_status s2_ec2_page_token(const struct s2_ec2_crypto *c,
                                                 const uint8_t key[32], const char *action,
                                                 const char *account, const char *last,
                                                 char out[S2_EC2_TOKEN_SIZE]);

#endif
