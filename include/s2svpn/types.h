/* SPDX-License-Identifier: Apache-2.0 */
/* Values that every other header uses: addresses, endpoints, spans, texts, ids.
 * No behaviour beyond reading and printing them. */
#ifndef S2SVPN_TYPES_H
#define S2SVPN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define S2SVPN_BEGIN extern "C" {
#define S2SVPN_END }
#else
#define S2SVPN_BEGIN
#define S2SVPN_END
#endif

#if defined(SWIG)
#define S2SVPN_API
#define S2SVPN_NODISCARD
#define S2SVPN_PRINTF(fmt, args)
#elif defined(__GNUC__)
#define S2SVPN_API __attribute__((visibility("default")))
#define S2SVPN_NODISCARD __attribute__((warn_unused_result))
#define S2SVPN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define S2SVPN_API
#define S2SVPN_NODISCARD
#define S2SVPN_PRINTF(fmt, args)
#endif

S2SVPN_BEGIN

/** Monotonic time is nanoseconds in a uint64_t; this value means never. */
#define S2SVPN_NEVER UINT64_MAX

/** Bytes that somebody else owns. How long they stay is said where one is used. */
typedef struct s2svpn_span {
    const uint8_t *p;
    size_t len;
} s2svpn_span;

enum s2svpn_family {
    S2SVPN_FAMILY_NONE = 0, /* no address: "any" or "not known", as the use says */
    S2SVPN_FAMILY_IPV4 = 4,
    S2SVPN_FAMILY_IPV6 = 6,
};

/** An IP address. IPv4 uses the first four bytes; the rest are zero. */
typedef struct s2svpn_address {
    uint8_t family; /* enum s2svpn_family */
    uint8_t reserved[3];
    uint8_t bytes[16]; /* network byte order */
} s2svpn_address;

/** An address prefix; the bits behind @c length are zero. */
typedef struct s2svpn_prefix {
    s2svpn_address address;
    uint8_t length; /* 0 to 32 or 128 */
    uint8_t reserved[3];
} s2svpn_prefix;

/** What arrives and leaves at a local endpoint. The non-ESP marker (RFC 3948
 * section 2.2) follows this role and never the port's number. */
enum s2svpn_role {
    S2SVPN_ROLE_IKE = 1,  /* UDP, by default port 500: IKE only, no marker */
    S2SVPN_ROLE_NATT = 2, /* UDP, by default port 4500: ESP, or IKE behind the marker */
    S2SVPN_ROLE_RAW = 3,  /* IP protocol 50: ESP; the port is 0 */
};

/** One end of an outside conversation. */
typedef struct s2svpn_endpoint {
    s2svpn_address address;
    uint16_t port; /* host byte order */
    uint8_t role;  /* enum s2svpn_role; of a remote endpoint: ignored */
    uint8_t reserved;
} s2svpn_endpoint;

/** Where plain packets enter and leave: an instance's network interface, or a
 * device's LAN. 0 is no port. */
typedef uint32_t s2svpn_port_id;

/** Most paths that carry a prefix together (equal-cost multipath). */
#define S2SVPN_ECMP_PATHS_MAX 8

/** AWS's form of an identifier, "vpn-0123456789abcdef0", ended by a zero byte. */
#define S2SVPN_ID_SIZE 40
typedef struct s2svpn_id {
    char text[S2SVPN_ID_SIZE];
} s2svpn_id;

/** A text given to the caller: free with s2svpn_text_free(), which wipes it. */
typedef struct s2svpn_text {
    char *data; /* ended by a zero byte that len doesn't count; NULL when empty */
    size_t len;
} s2svpn_text;

/** Where the library's memory comes from. Both functions are called from the
 * threads that call the library; a host that uses several must bring functions
 * that bear it. @c allocate may return NULL, and every call survives it. */
typedef struct s2svpn_memory {
    size_t size; /* sizeof(s2svpn_memory) */
    void *user;
    void *(*allocate)(void *user, size_t len);
    void (*release)(void *user, void *p); /* p may be NULL */
} s2svpn_memory;

/* The objects. Handles are counted for the host: see context.h. */
typedef struct s2svpn_context s2svpn_context;
typedef struct s2svpn_worker s2svpn_worker;
typedef struct s2svpn_customer_gateway s2svpn_customer_gateway;
typedef struct s2svpn_virtual_gateway s2svpn_virtual_gateway;
typedef struct s2svpn_connection s2svpn_connection;
typedef struct s2svpn_tunnel s2svpn_tunnel;
typedef struct s2svpn_route_table s2svpn_route_table;
typedef struct s2svpn_vpc s2svpn_vpc;
typedef struct s2svpn_subnet s2svpn_subnet;
typedef struct s2svpn_port s2svpn_port;

/** Longest text that the printers below write, with its zero byte. */
#define S2SVPN_ADDRESS_TEXT 48
#define S2SVPN_PREFIX_TEXT 52
#define S2SVPN_ENDPOINT_TEXT 56

/** Read "192.0.2.1" or "2001:db8::1"; nothing else, no names, no zones.
 * @return false, and *out untouched, if the text is no address.
 * @threads any */
S2SVPN_API S2SVPN_NODISCARD bool s2svpn_address_read(const char *text, s2svpn_address *out);

/** Print an address into @p out (at least S2SVPN_ADDRESS_TEXT bytes) and return
 * it; RFC 5952 form for IPv6; "-" for no address.
 * @threads any */
S2SVPN_API char *s2svpn_address_print(const s2svpn_address *a, char *out);

/** Read "10.0.0.0/16"; bits behind the length must be zero.
 * @threads any */
S2SVPN_API S2SVPN_NODISCARD bool s2svpn_prefix_read(const char *text, s2svpn_prefix *out);
/** Print a prefix into @p out (at least S2SVPN_PREFIX_TEXT bytes) and return it.
 * @threads any */
S2SVPN_API char *s2svpn_prefix_print(const s2svpn_prefix *p, char *out);

/** Print "192.0.2.1:4500" or "[2001:db8::1]:4500" into @p out (at least
 * S2SVPN_ENDPOINT_TEXT bytes) and return it.
 * @threads any */
S2SVPN_API char *s2svpn_endpoint_print(const s2svpn_endpoint *e, char *out);

/** Wipe and free a text; it is empty afterwards.
 * @threads any */
S2SVPN_API void s2svpn_text_free(s2svpn_text *text);

S2SVPN_END
#endif
