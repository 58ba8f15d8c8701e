/* SPDX-License-Identifier: Apache-2.0 */
/* v2/split.c and v2/gather.c: long exchanges between two engines, and a peer with keys
 * that means no good. The set and the seal of fragments: test_fragment.c. RFC 7383. */
#include "ike/fragment.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "harness.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SMALL 300      /* an IP packet */
#define NEXT_AT 16     /* in an IKE header */
#define EXCHANGE_AT 18 /* the same */
#define LOSSY_SEEDS 100
#define MOST 3000

static uint8_t pattern[S2_IKE_MESSAGE_MAX];

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + i / 256);
}

/* ---- two engines */

static unsigned split[2];  /* fragments, by where they go */
static size_t longest[2];  /* datagrams after IKE_SA_INIT */
static bool lose_answers;  /* throw away what goes to 0, though it counts */
static unsigned exchanges; /* that were split: a bit each */

static bool look(struct s2_pair *p, struct s2_pair_datagram *d)
{
    (void)p;
    if (d->len < S2_IKE_HEADER_LEN || d->p[EXCHANGE_AT] == S2_IKE_SA_INIT)
        return true;
    if (d->p[NEXT_AT] == S2_IKE_PAYLOAD_SKF) {
        split[d->to]++;
        exchanges |= 1u << (d->p[EXCHANGE_AT] - S2_IKE_SA_INIT);
    }
    longest[d->to] = d->len > longest[d->to] ? d->len : longest[d->to];
    return !(lose_answers && d->to == 0);
}

static void prepare(struct s2_pair *p, uint64_t seed, uint32_t size)
{
    s2_pair_init(p, seed);
    p->filter = look;
    memset(split, 0, sizeof(split));
    memset(longest, 0, sizeof(longest));
    lose_answers = false;
    exchanges = 0;
    for (size_t e = 0; e < 2; e++) {
        p->end[e].options.fragment_size = size;
        /* a long name makes a long IKE_AUTH */
        p->end[e].config.local_id = (struct s2_ike_id){.type = S2_IKE_ID_FQDN, .len = 250};
        memset(p->end[e].config.local_id.data, 'a' + (int)e, 250);
    }
}

static struct s2_ike_sa *sa_of(struct s2_pair *p, unsigned number)
{
    return s2_ike_find_up(p->end[number].ike, &p->end[number]);
}

static void rekey_all(struct s2_pair *p, unsigned number)
{
    struct s2_pair_end *e = &p->end[number];
    const struct s2_pair_child *child = s2_pair_only_child(e);

    if (child != NULL)
        (void)!s2_ike_rekey_child(e->ike, e, child->spi_in, p->now_ns);
    s2_pair_run_for(p, 20 * S2_SECOND);
    (void)!s2_ike_rekey_sa(e->ike, e, p->now_ns);
    s2_pair_run_for(p, 20 * S2_SECOND);
}

static void close_and_count(struct s2_pair *p)
{
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
}

static void long_exchanges_are_split_and_agreed(void)
{
    static const uint32_t sizes[] = {1, 256, SMALL, 400};

    for (size_t i = 0; i < COUNT(sizes) * 8; i++) {
        const uint32_t size = sizes[i % COUNT(sizes)];
        const uint32_t most = size < S2_IKE_FRAGMENT_SIZE_MIN ? S2_IKE_FRAGMENT_SIZE_MIN : size;
        const bool gcm = i / COUNT(sizes) & 1, udp = i / COUNT(sizes) & 2;
        struct s2_pair p;
        char row[80];

        s2_print(row, sizeof(row), "size %u %s %s %u", (unsigned)size, gcm ? "GCM" : "CBC",
                 udp ? "udp" : "raw", (unsigned)i);
        prepare(&p, i, size);
        for (size_t e = 0; e < 2; e++) {
            p.end[e].config.ike.encr[0].id = gcm ? S2SVPN_ENCR_AES_GCM_16 : S2SVPN_ENCR_AES_CBC;
            p.end[e].config.ike.encr_count = 1;
            p.end[e].config.force_udp = udp;
            p.end[e].defer_jobs = i / COUNT(sizes) & 4;
        }
        CHECK_ROW(row, s2_pair_connect(&p));
        CHECK_ROW(row, split[0] >= 2 && split[1] >= 2); /* IKE_AUTH */
        CHECK_ROW(row, p.end[0].info.encr == p.end[0].config.ike.encr[0].id);
        rekey_all(&p, 0);
        rekey_all(&p, 1);
        CHECK_ROW(row, s2_pair_is_settled(&p));
        CHECK_ROW(row, exchanges == (1u << (S2_IKE_AUTH - S2_IKE_SA_INIT) |
                                     1u << (S2_IKE_CREATE_CHILD_SA - S2_IKE_SA_INIT)));
        for (size_t e = 0; e < 2; e++)
            CHECK_ROW(row, longest[e] <= most - 28 - (udp ? 4u : 0u));
        struct s2_ike_counters counters;
        s2_ike_get_counters(p.end[0].ike, &counters);
        CHECK_ROW(row, counters.retransmits == 0 && counters.drops == 0);
        close_and_count(&p);
    }
}

static void what_fits_is_not_split(void)
{
    struct s2_pair p;

    prepare(&p, 1, 0);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_TRUE(sa_of(&p, 0)->fragmentation && sa_of(&p, 1)->fragmentation);
    rekey_all(&p, 0);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(split[0] + split[1], 0);
    close_and_count(&p);
}

/* The longest message that is sent whole. */
static size_t longest_whole(struct s2_ike_sa *sa, const struct s2_ike_path *path)
{
    static struct s2_ike_compose c;
    size_t len = 0, sealed = 0;

    for (;; len++) {
        CU_ASSERT_EQUAL_FATAL(s2_ike_compose_request(&c, sa, S2_IKE_INFORMATIONAL), S2SVPN_OK);
        s2_ike_add_bytes(&c, S2_IKE_PAYLOAD_VENDOR, s2_span(pattern, len));
        if (s2_ike_is_too_long(sa, &c, path))
            return sealed;
        CU_ASSERT_EQUAL_FATAL(s2_ike_sk_end(&c.sk, &sa->ike->crypto, &sa->keys, true, 1),
                              S2SVPN_OK);
        sealed = c.w.len;
    }
}

static void the_size_counts_all_headers_before_ike(void)
{
    static const struct {
        const char *name;
        uint8_t family, role;
        size_t headers;
    } rows[] = {
        {"IPv4", S2SVPN_FAMILY_IPV4, S2SVPN_ROLE_IKE, 20 + 8},
        {"IPv4, NAT-T", S2SVPN_FAMILY_IPV4, S2SVPN_ROLE_NATT, 20 + 8 + 4},
        {"IPv6", S2SVPN_FAMILY_IPV6, S2SVPN_ROLE_IKE, 40 + 8},
        {"IPv6, NAT-T", S2SVPN_FAMILY_IPV6, S2SVPN_ROLE_NATT, 40 + 8 + 4},
    };
    struct s2_pair p;

    prepare(&p, 1, SMALL);
    for (size_t e = 0; e < 2; e++) {
        p.end[e].config.ike.encr[0].id = S2SVPN_ENCR_AES_GCM_16; /* no blocks to fill */
        p.end[e].config.ike.encr_count = 1;
    }
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    struct s2_ike_sa *sa = sa_of(&p, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_path path = sa->path;

        path.remote.address.family = rows[i].family;
        path.local.role = rows[i].role;
        CHECK_ROW(rows[i].name, longest_whole(sa, &path) == SMALL - rows[i].headers);
    }
    close_and_count(&p);
}

static void nothing_is_split_unless_both_sides_know_how(void)
{
    for (unsigned off = 1; off < 4; off++) {
        struct s2_pair p;

        prepare(&p, off, SMALL);
        for (unsigned e = 0; e < 2; e++)
            p.end[e].options.no_fragmentation = (off >> e & 1) != 0;
        CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
        CU_ASSERT_FALSE(sa_of(&p, 0)->fragmentation || sa_of(&p, 1)->fragmentation);
        rekey_all(&p, 0);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(split[0] + split[1], 0);
        close_and_count(&p);
    }
}

/* RFC 7383 section 2.6.1 */
static void all_fragments_are_sent_again_and_the_first_is_answered(void)
{
    struct s2_pair p;

    prepare(&p, 3, SMALL);
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    memset(split, 0, sizeof(split));
    lose_answers = true;
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    const unsigned asked = split[1], answered = split[0];
    CU_ASSERT_TRUE(asked >= 2 && answered >= 2);
    lose_answers = false;
    s2_pair_run_for(&p, 1500 * S2_MS);
    CU_ASSERT_TRUE(split[1] >= 2 * asked && split[0] == 2 * answered);
    s2_pair_run_for(&p, 5 * S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    close_and_count(&p);
}

static void lost_doubled_and_reordered_fragments_settle(void)
{
    for (uint64_t seed = 0; seed < LOSSY_SEEDS; seed++) {
        struct s2_pair p;
        char row[32];

        prepare(&p, seed, seed % 2 == 0 ? SMALL : 256);
        p.loss = 15;
        p.twice = 10;
        p.jitter_ms = 200;
        for (size_t e = 0; e < 2; e++) {
            p.end[e].config.dpd_timeout_s = 0;
            p.end[e].options.retransmit_tries = 80;
            p.end[e].options.retransmit_base_percent = 105;
            p.end[e].options.retransmit_timeout_ms = 500;
            p.end[e].defer_jobs = (seed >> e & 1) != 0;
        }
        s2_print(row, sizeof(row), "seed %u", (unsigned)seed);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, 100 * S2_SECOND);
        p.traffic = true;
        for (unsigned i = 0; i < 4; i++)
            rekey_all(&p, i % 2);
        p.loss = 0;
        s2_pair_run_for(&p, 250 * S2_SECOND);
        CHECK_ROW(row, s2_pair_is_settled(&p) && p.lost_packets == 0);
        CHECK_ROW(row, s2_pair_balances(&p.end[0]) && s2_pair_balances(&p.end[1]));
        CHECK_ROW(row, split[0] > 0 && split[1] > 0);
        close_and_count(&p);
    }
}

/* A life that meets one failure, and then comes back. */
static const char *live(struct s2_pair *p)
{
    if (!s2_pair_open(p))
        return NULL; /* the failure was reported */
    (void)s2_pair_initiate(p, 0);
    s2_pair_run_for(p, 3 * S2_SECOND);
    rekey_all(p, 0);
    rekey_all(p, 1);
    for (size_t e = 0; e < 2; e++)
        p->end[e].fake.fail_at = p->end[e].crypto.fail_at = 0;
    for (size_t i = 0; i < 20 && !s2_pair_is_settled(p); i++) {
        if (s2_pair_children_up(&p->end[0]) == 0)
            (void)s2_pair_initiate(p, 0);
        s2_pair_run_for(p, 20 * S2_SECOND);
    }
    if (!s2_pair_is_settled(p))
        return "it comes back";
    return s2_pair_balances(&p->end[0]) && s2_pair_balances(&p->end[1]) ? NULL : "SPIs balance";
}

static void fail_each(bool crypto)
{
    for (unsigned e = 0; e < 2; e++) {
        size_t n = 1;

        for (bool failed = true; failed && n < MOST; n++) {
            struct s2_pair p;
            char row[80];

            prepare(&p, 1, SMALL);
            p.end[1].defer_jobs = n % 2 == 1;
            *(crypto ? &p.end[e].crypto.fail_at : &p.end[e].fake.fail_at) = n;
            const char *wrong = live(&p);
            failed = crypto ? p.end[e].crypto.failed : p.end[e].fake.failed;
            s2_pair_close(&p);
            if (wrong == NULL && p.end[0].fake.live + p.end[1].fake.live != 0)
                wrong = "nothing leaks";
            s2_print(row, sizeof(row), "%u at %u: %s", (unsigned)n, e,
                     wrong != NULL ? wrong : "well");
            CHECK_ROW(row, wrong == NULL);
        }
        CU_ASSERT_TRUE(n > 50 && n < MOST); /* it was a whole life */
    }
}

static void every_allocation_fails_once(void)
{
    fail_each(false);
}

static void every_crypto_call_fails_once(void)
{
    fail_each(true);
}

/* ---- before there are keys */

static uint8_t junk[200];

/* IKE_AUTH's first fragment, with a wrong checksum, ahead of the real one. */
static bool forge_first(struct s2_pair *p, struct s2_pair_datagram *d)
{
    s2svpn_endpoint from = d->remote;

    if (d->to != 1 || d->p[NEXT_AT] != S2_IKE_PAYLOAD_SKF || d->p[EXCHANGE_AT] != S2_IKE_AUTH)
        return true;
    p->filter = look;
    memcpy(junk, d->p, sizeof(junk));
    s2_put_u32(junk + 24, sizeof(junk));
    s2_put_u16(junk + S2_IKE_HEADER_LEN + 2, sizeof(junk) - S2_IKE_HEADER_LEN);
    from.port = (uint16_t)(from.port + (p->filter_arg != NULL));
    s2_pair_inject(p, 1, &d->local, &from, junk, sizeof(junk));
    d->order = p->order++; /* behind it */
    return true;
}

static void what_comes_before_the_keys_is_held_and_then_checked(void)
{
    /* none; a forged one from the same place; from another, which costs a retransmit */
    for (unsigned forged = 0; forged < 3; forged++) {
        struct s2_ike_counters counters;
        struct s2_pair p;

        prepare(&p, forged, SMALL);
        p.end[1].defer_jobs = true;
        if (forged > 0)
            p.filter = forge_first;
        p.filter_arg = forged == 2 ? &p : NULL;
        p.end[1].config.remote.family = S2SVPN_FAMILY_IPV4;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, 5 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        s2_ike_get_counters(p.end[0].ike, &counters);
        CU_ASSERT_EQUAL(counters.retransmits, forged == 2 ? 1 : 0);
        CU_ASSERT_TRUE(split[1] >= 2);
        s2_ike_get_counters(p.end[1].ike, &counters);
        CU_ASSERT_EQUAL(counters.drops > 0, forged > 0);
        close_and_count(&p);
    }
}

/* ---- a peer with keys that means no good; end 1 is looked at */

static uint8_t bytes[S2_IKE_MESSAGE_MAX];

struct forge {
    uint8_t exchange;
    uint16_t number, total;
    uint8_t first;
    s2svpn_span plain;
    size_t before; /* unknown payloads in front of SKF */
    bool spoil;    /* its checksum */
};

/* What end 0 would send in its next request; returns what became of it. */
static enum s2svpn_drop send_forged(struct s2_pair *p, const struct forge *f)
{
    static uint64_t counter = 5000;
    struct s2_ike_sa *sa = sa_of(p, 0);
    const struct s2_ike_header h = {
        .spi_i = s2_ike_spi_i(sa),
        .spi_r = s2_ike_spi_r(sa),
        .version = S2_IKE_VERSION_2,
        .exchange = f->exchange,
        .flags = S2_IKE_FLAG_INITIATOR,
        .message_id = sa->out_id,
    };
    struct s2_ike_chain chain;
    struct s2_ike_sk_writer s;
    struct s2_writer w;

    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_ike_write_header(&w, &h);
    s2_ike_chain_begin(&chain, &w, NEXT_AT);
    for (size_t i = 0; i < f->before; i++) {
        s2_ike_payload_begin(&chain, 200);
        s2_ike_payload_end(&chain);
    }
    CU_ASSERT_EQUAL(
        s2_ike_skf_begin(&s, &w, sa->ike->env, &sa->keys, f->number, f->total, f->first),
        S2SVPN_OK);
    if (f->before > 0) { /* SKF hangs on the header: hang it on the last of them */
        bytes[NEXT_AT] = 200;
        bytes[chain.next_at] = S2_IKE_PAYLOAD_SKF;
    }
    s2_write_span(&w, f->plain);
    CU_ASSERT_EQUAL(s2_ike_sk_end(&s, &sa->ike->crypto, &sa->keys, true, counter++), S2SVPN_OK);
    bytes[w.len - 1] ^= f->spoil;
    return s2_ike_receive(p->end[1].ike, &p->end[1].config.local, &p->end[0].config.local, bytes,
                          w.len, p->now_ns);
}

static struct forge piece(uint16_t number, uint16_t total)
{
    return (struct forge){.exchange = S2_IKE_INFORMATIONAL,
                          .number = number,
                          .total = total,
                          .plain = s2_span(pattern, 20)};
}

static void connect_small(struct s2_pair *p, uint64_t seed)
{
    prepare(p, seed, SMALL);
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(p));
    CU_ASSERT_TRUE(sa_of(p, 1)->request_parts == NULL && sa_of(p, 0)->response_parts == NULL);
}

static void only_authentic_possible_new_fragments_are_kept(void)
{
    struct s2_pair p;
    struct forge f;

    connect_small(&p, 1);
    const struct s2_ike_sa *sa = sa_of(&p, 1);
    f = piece(1, 2);
    f.spoil = true;
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_AUTHENTICATION);
    f = piece(0, 2);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_MALFORMED);
    f = piece(3, 2);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_MALFORMED);
    f = piece(1, 65);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_LIMIT);
    f = piece(1, 2);
    f.exchange = S2_IKE_AUTH;
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_STATE);
    CU_ASSERT_PTR_NULL(sa->request_parts);

    f = piece(2, 3);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_NONE);
    const size_t calls = p.end[1].crypto.calls;
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_WINDOW);
    f = piece(1, 2);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_WINDOW);
    f = piece(1, 3);
    f.exchange = S2_IKE_CREATE_CHILD_SA;
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_WINDOW);
    CU_ASSERT_EQUAL(p.end[1].crypto.calls, calls); /* they cost nothing */
    f = piece(4, 4);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_NONE);
    CU_ASSERT_TRUE_FATAL(sa->request_parts != NULL);
    CU_ASSERT_TRUE(sa->request_parts->total == 4 && sa->request_parts->count == 1);
    close_and_count(&p); /* what is half there goes with its SA */
}

/* CVE-2026-12413: thirty payloads in a fragment, unknown ones too. All count, outside
 * and inside. */
static void thirty_payloads_and_more_are_counted(void)
{
    for (size_t n = 0; n < 40; n++) {
        struct s2_pair p;
        struct forge f;

        connect_small(&p, n);
        f = piece(1, 2);
        f.before = n;
        CU_ASSERT_EQUAL(send_forged(&p, &f), n + 1 <= S2_IKE_PAYLOADS_MAX
                                                 ? S2SVPN_DROP_NONE
                                                 : S2SVPN_DROP_IKE_MALFORMED);
        close_and_count(&p);
    }
    for (size_t n = 1; n < 40; n++) {
        uint8_t inner[40 * 4] = {0};
        struct s2_pair p;
        struct forge f;

        for (size_t i = 0; i < n; i++) {
            inner[4 * i] = i + 1 < n ? 200 : 0;
            inner[4 * i + 3] = 4;
        }
        connect_small(&p, n);
        f = piece(2, 2);
        f.plain = s2_span(inner + 2, 4 * n - 2);
        CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_NONE);
        f = piece(1, 2);
        f.first = 200;
        f.plain = s2_span(inner, 2);
        CU_ASSERT_EQUAL(send_forged(&p, &f),
                        n <= S2_IKE_PAYLOADS_MAX ? S2SVPN_DROP_NONE : S2SVPN_DROP_IKE_MALFORMED);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), n <= S2_IKE_PAYLOADS_MAX);
        close_and_count(&p);
    }
}

static void what_a_peer_can_make_us_keep_is_bounded(void)
{
    struct s2_pair p;
    unsigned kept = 0;

    fill_pattern();
    connect_small(&p, 1);
    const struct s2_ike_sa *sa = sa_of(&p, 1);
    for (uint16_t n = 1; n <= S2_IKE_FRAGMENTS_MAX; n++) {
        struct forge f = piece(n, S2_IKE_FRAGMENTS_MAX);

        f.plain = s2_span(pattern, 2000);
        const enum s2svpn_drop drop = send_forged(&p, &f);
        CU_ASSERT_TRUE(drop == (n <= 32 ? S2SVPN_DROP_NONE : S2SVPN_DROP_IKE_LIMIT));
        kept += drop == S2SVPN_DROP_NONE;
    }
    CU_ASSERT_TRUE_FATAL(sa->request_parts != NULL);
    CU_ASSERT_TRUE(sa->request_parts->len <= S2_IKE_MESSAGE_MAX);
    CU_ASSERT_EQUAL(kept, 32);
    /* The exchange ends another way: nothing stays. */
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_PTR_NULL(sa_of(&p, 1)->request_parts);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    close_and_count(&p);
}

static void fragments_are_for_those_who_agreed_on_them(void)
{
    struct s2_pair p;
    const struct forge f = piece(1, 2);

    prepare(&p, 1, SMALL);
    p.end[1].options.no_fragmentation = true;
    CU_ASSERT_TRUE_FATAL(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_STATE);
    CU_ASSERT_PTR_NULL(sa_of(&p, 1)->request_parts);
    close_and_count(&p);
}

/* The first one of a request cut anew, whose answer got lost: it must be authentic. */
static void a_request_cut_anew_is_answered_again(void)
{
    struct s2_pair p;
    struct forge f = piece(1, 1);

    connect_small(&p, 1);
    f.plain = s2_span(NULL, 0);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(sa_of(&p, 1)->in_id, sa_of(&p, 0)->out_id + 1);
    const unsigned sent = p.end[1].sent;
    f = piece(1, 3);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_NONE);
    CU_ASSERT_EQUAL(p.end[1].sent, sent + 1);
    f = piece(2, 3);
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_WINDOW);
    f = piece(1, 3);
    f.spoil = true;
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_WINDOW);
    f = piece(1, 3);
    f.exchange = S2_IKE_CREATE_CHILD_SA;
    CU_ASSERT_EQUAL(send_forged(&p, &f), S2SVPN_DROP_IKE_WINDOW);
    CU_ASSERT_EQUAL(p.end[1].sent, sent + 1);
    close_and_count(&p);
}

static void end_it(struct s2_pair_end *end, const char *callback)
{
    if (strcmp(callback, "send") != 0)
        return;
    end->hook = NULL;
    s2_ike_terminate(end->ike, end, false, end->pair->now_ns);
}

static void an_sa_may_end_while_its_fragments_leave(void)
{
    for (unsigned e = 0; e < 2; e++) {
        struct s2_pair p;

        connect_small(&p, e);
        memset(split, 0, sizeof(split));
        CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[1 - e].ike, &p.end[1 - e], p.now_ns), S2SVPN_OK);
        p.end[1].hook = end_it;
        if (e == 0) /* it asks, and not at once */
            CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[1].ike, &p.end[1], p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
        close_and_count(&p);
    }
}

const CU_TestInfo s2_test_fragment_exchange[] = {
    {"long exchanges are split and agreed", long_exchanges_are_split_and_agreed},
    {"what fits is not split", what_fits_is_not_split},
    {"the size counts all headers before IKE", the_size_counts_all_headers_before_ike},
    {"nothing is split unless both sides know how", nothing_is_split_unless_both_sides_know_how},
    {"all fragments are sent again and the first is answered",
     all_fragments_are_sent_again_and_the_first_is_answered},
    {"lost, doubled and reordered fragments settle", lost_doubled_and_reordered_fragments_settle},
    {"every allocation fails once", every_allocation_fails_once},
    {"every crypto call fails once", every_crypto_call_fails_once},
    {"what comes before the keys is held and then checked",
     what_comes_before_the_keys_is_held_and_then_checked},
    {"only authentic, possible, new fragments are kept",
     only_authentic_possible_new_fragments_are_kept},
    {"thirty payloads and more are counted (CVE-2026-12413)", thirty_payloads_and_more_are_counted},
    {"what a peer can make us keep is bounded", what_a_peer_can_make_us_keep_is_bounded},
    {"fragments are for those who agreed on them", fragments_are_for_those_who_agreed_on_them},
    {"a request cut anew is answered again", a_request_cut_anew_is_answered_again},
    {"an SA may end while its fragments leave", an_sa_may_end_while_its_fragments_leave},
    CU_TEST_INFO_NULL,
};
