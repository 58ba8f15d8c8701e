/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments put together: a few packets at once, each in a buffer of its full length
 * with a bit for every eight bytes that are there. Sends no ICMP "reassembly time
 * exceeded". RFC 791 section 3.2, 8200 section 4.5, 5722, 815 (whose list of holes the
 * bits replace), 8900. */
#include "inet/reassembly.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/reader.h"

#define BLOCK 8
#define BLOCKS (S2_REASSEMBLY_LEN / BLOCK)
#define HEADER_MAX 120 /* IP header with what stands before IPv6's fragment header */
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV6_FRAGMENT 44
#define IPV6_LAST_SKIPPED 4 /* headers that may stand before it */

/* A fragment, read. */
struct piece {
    s2svpn_span header; /* what the whole packet begins with; from the first fragment */
    size_t next_at;     /* IPv6: where in it the fragment header's number stands */
    uint8_t next;       /* and what comes instead */
    uint32_t id;
    size_t from; /* place of its bytes */
    s2svpn_span bytes;
    bool more;
};

struct entry {
    struct entry *next; /* newer */
    s2svpn_address source, destination;
    uint32_t id;
    uint8_t version, protocol; /* protocol: of IPv4's key */
    bool refused;              /* its fragments overlapped, or were too many */
    uint64_t until_ns;
    unsigned fragments;
    size_t end; /* of the payload; 0: not known */
    size_t top; /* behind the last byte so far */
    size_t blocks;
    size_t header_len; /* 0: the first fragment isn't here */
    uint64_t have[BLOCKS / 64];
    uint8_t packet[S2_REASSEMBLY_LEN]; /* the header ends, the payload begins at HEADER_MAX */
};

struct s2_reassembly {
    const struct s2_env *env;
    struct entry *oldest;
    struct entry *done; /* given out by the last call */
    size_t count;
};

/* ---- reading */

static bool read_ipv4(const uint8_t *p, const struct s2_inet_view *v, struct piece *f)
{
    struct s2_reader r;

    s2_reader_init(&r, p, v->total_len);
    f->header = s2_read_span(&r, v->header_len, "ip.header");
    f->bytes = s2_read_rest(&r);
    if (r.rc != S2SVPN_OK)
        return false;
    const uint16_t place = s2_get_u16(f->header.p + 6);
    f->id = s2_get_u16(f->header.p + 4);
    f->from = (size_t)(place & 0x1fff) * BLOCK;
    f->more = (place & IPV4_MORE_FRAGMENTS) != 0;
    return true;
}

/* Walk to the fragment header; the view has checked lengths and that there is one. */
static bool read_ipv6(const uint8_t *p, const struct s2_inet_view *v, struct piece *f)
{
    struct s2_reader r;
    size_t at = 40;

    s2_reader_init(&r, p, v->total_len);
    uint8_t kind = s2_read_span(&r, 40, "ip.header").len == 40 ? p[6] : 0;
    f->next_at = 6;
    for (unsigned n = 0; kind != IPV6_FRAGMENT && n < IPV6_LAST_SKIPPED; n++) {
        f->next_at = at;
        kind = s2_read_u8(&r, "ip.extension");
        const size_t len = (s2_read_u8(&r, "ip.extension.length") + 1U) * BLOCK;
        s2_read_skip(&r, len - 2, "ip.extension");
        at += len;
    }
    const s2svpn_span h = s2_read_span(&r, 8, "ip.fragment");
    f->bytes = s2_read_rest(&r);
    if (r.rc != S2SVPN_OK || kind != IPV6_FRAGMENT)
        return false;
    const uint16_t place = s2_get_u16(h.p + 2);
    f->header = s2_span(p, at);
    f->next = h.p[0];
    f->id = s2_get_u32(h.p + 4);
    f->from = place & 0xfff8U;
    f->more = (place & 1) != 0;
    return true;
}

/* ---- the table */

static bool is_of(const struct entry *e, const struct s2_inet_view *v, const struct piece *f)
{
    return e->version == v->version && e->id == f->id &&
           (v->version == 6 || e->protocol == v->protocol) &&
           s2_address_equal(&e->source, &v->source) &&
           s2_address_equal(&e->destination, &v->destination);
}

/* Take it out of the list; it isn't freed. */
static void take_out(struct s2_reassembly *r, struct entry *e)
{
    struct entry **link = &r->oldest;

    while (*link != e)
        link = &(*link)->next;
    *link = e->next;
    r->count--;
}

static void release(struct s2_reassembly *r, struct entry *e)
{
    take_out(r, e);
    s2_free(r->env, e);
}

static struct entry *find_or_make(struct s2_reassembly *r, const struct s2_inet_view *v,
                                  const struct piece *f, uint64_t now_ns)
{
    struct entry **link = &r->oldest;

    for (; *link != NULL; link = &(*link)->next) {
        if (is_of(*link, v, f))
            return *link;
    }
    struct entry *e = s2_alloc(r->env, sizeof(*e));
    if (e == NULL)
        return NULL;
    e->source = v->source;
    e->destination = v->destination;
    e->id = f->id;
    e->version = v->version;
    e->protocol = v->protocol;
    e->until_ns = now_ns + S2_REASSEMBLY_NS;
    *link = e;
    r->count++;
    if (r->count > S2_REASSEMBLY_PACKETS)
        release(r, r->oldest);
    return e;
}

/* ---- one fragment into its packet */

static bool has_block(const struct entry *e, size_t block)
{
    return (e->have[block / 64] >> block % 64 & 1) != 0;
}

/* Lengths against what is known of the packet: fragments that contradict one another. */
static bool fits(const struct entry *e, const struct piece *f)
{
    const size_t end = f->from + f->bytes.len;

    if (f->bytes.len == 0 || end > S2_REASSEMBLY_LEN - HEADER_MAX ||
        e->fragments >= S2_REASSEMBLY_FRAGMENTS)
        return false;
    if (!f->more)
        return e->end == 0 ? end >= e->top : end == e->end;
    return f->bytes.len % BLOCK == 0 && (e->end == 0 || end <= e->end);
}

enum place { FRESH, COPY, OVERLAP };

static enum place look_at(const struct entry *e, const struct piece *f)
{
    const size_t first = f->from / BLOCK, last = (f->from + f->bytes.len - 1) / BLOCK;
    size_t there = 0;

    for (size_t i = first; i <= last; i++)
        there += has_block(e, i);
    if (there == 0)
        return FRESH;
    if (there != last - first + 1)
        return OVERLAP;
    return memcmp(e->packet + HEADER_MAX + f->from, f->bytes.p, f->bytes.len) == 0 ? COPY : OVERLAP;
}

static void put(struct entry *e, const struct piece *f)
{
    const size_t end = f->from + f->bytes.len;

    memcpy(e->packet + HEADER_MAX + f->from, f->bytes.p, f->bytes.len);
    for (size_t i = f->from / BLOCK; i <= (end - 1) / BLOCK; i++, e->blocks++)
        e->have[i / 64] |= UINT64_C(1) << i % 64;
    e->fragments++;
    if (end > e->top)
        e->top = end;
    if (!f->more)
        e->end = end;
    if (f->from != 0)
        return;
    e->header_len = f->header.len;
    uint8_t *header = e->packet + HEADER_MAX - f->header.len;
    memcpy(header, f->header.p, f->header.len);
    if (e->version == 6)
        header[f->next_at] = f->next;
}

/* The header of the whole: its length, and that it is no fragment. */
static s2svpn_span finish(struct entry *e)
{
    uint8_t *p = e->packet + HEADER_MAX - e->header_len;
    const size_t len = e->header_len + e->end;

    if (e->version == 6) {
        s2_put_u16(p + 4, (uint16_t)(len - 40));
        return s2_span(p, len);
    }
    s2_put_u16(p + 2, (uint16_t)len);
    s2_put_u16(p + 6, 0);
    s2_put_u16(p + 10, 0);
    s2_put_u16(p + 10, s2_checksum_finish(s2_checksum_add(0, p, e->header_len)));
    return s2_span(p, len);
}

static enum s2svpn_drop add(struct s2_reassembly *r, struct entry *e, const struct piece *f,
                            s2svpn_span *whole)
{
    const bool good = !e->refused && fits(e, f);
    const enum place place = good ? look_at(e, f) : OVERLAP;

    if (place == OVERLAP) {
        e->refused = true; /* stays in the table, so that what follows isn't taken for new */
        return S2SVPN_DROP_REASSEMBLY;
    }
    if (place == COPY)
        return S2SVPN_DROP_NONE;
    put(e, f);
    if (e->end == 0 || e->blocks != (e->end + BLOCK - 1) / BLOCK)
        return S2SVPN_DROP_NONE;
    take_out(r, e);
    r->done = e;
    *whole = finish(e);
    return S2SVPN_DROP_NONE;
}

/* ---- the door */

s2svpn_status s2_reassembly_new(const struct s2_env *env, struct s2_reassembly **out)
{
    struct s2_reassembly *r = s2_alloc(env, sizeof(*r));

    *out = NULL;
    if (r == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for fragments");
    r->env = env;
    *out = r;
    return S2SVPN_OK;
}

static void drop_done(struct s2_reassembly *r)
{
    s2_free(r->env, r->done);
    r->done = NULL;
}

void s2_reassembly_free(struct s2_reassembly *r)
{
    if (r == NULL)
        return;
    drop_done(r);
    while (r->oldest != NULL)
        release(r, r->oldest);
    s2_free(r->env, r);
}

uint64_t s2_reassembly_expire(struct s2_reassembly *r, uint64_t now_ns)
{
    drop_done(r);
    while (r->oldest != NULL && r->oldest->until_ns <= now_ns)
        release(r, r->oldest);
    return r->oldest != NULL ? r->oldest->until_ns : S2SVPN_NEVER;
}

size_t s2_reassembly_count(const struct s2_reassembly *r)
{
    return r->count;
}

enum s2svpn_drop s2_reassembly_input(struct s2_reassembly *r, const uint8_t *p,
                                     const struct s2_inet_view *v, uint64_t now_ns,
                                     s2svpn_span *whole)
{
    struct piece f = {0};

    *whole = s2_span(NULL, 0);
    s2_reassembly_expire(r, now_ns);
    if (!v->fragment || !(v->version == 6 ? read_ipv6(p, v, &f) : read_ipv4(p, v, &f)) ||
        f.header.len > HEADER_MAX)
        return S2SVPN_DROP_REASSEMBLY;
    struct entry *e = find_or_make(r, v, &f, now_ns);
    if (e == NULL)
        return S2SVPN_DROP_NO_ROOM;
    return add(r, e, &f, whole);
}
