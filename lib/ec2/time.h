/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as text: the forms that requests carry, and the one that answers do. */
#ifndef S2_EC2_TIME_H
#define S2_EC2_TIME_H

#include "s2svpn/types.h"

/* Each reads the whole text and gives seconds since 1970 in UTC; years 1970 to 9999. */
bool s2_ec2_time_basic(const char *text, size_t len, int64_t *s); /* 20260102T030405Z */
/* 2026-01-02T03:04:05Z, 2026-01-02T03:04:05.000Z */
bool s2_ec2_time_iso(const char *text, size_t len, int64_t *s);
/* Fri, 02 Jan 2026 03:04:05 GMT (RFC 9110 section 5.6.7); -0000 and +0000 too. */
bool s2_ec2_time_http(const char *text, size_t len, int64_t *s);

#define S2_EC2_TIME_BASIC_SIZE 17
#define S2_EC2_TIME_ISO_SIZE 25
char *s2_ec2_time_print_basic(int64_t s, char out[S2_EC2_TIME_BASIC_SIZE]);
/* 2026-01-02T03:04:05.000Z */
char *s2_ec2_time_print_iso(int64_t s, char out[S2_EC2_TIME_ISO_SIZE]);

#endif
