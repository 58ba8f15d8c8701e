/* SPDX-License-Identifier: Apache-2.0 */
/* Fragments: the codec and the set of lib/ike/fragment.c and sk.c, then v2/split.c and
 * v2/gather.c with two engines whose packets are so small that IKE_AUTH and
 * CREATE_CHILD_SA don't fit into one. Some tests are named for a class of faults that
 * other implementations were published for. */
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

/* ---- SKF's form */

static void impossible_numbers_are_refused(void)
{
    static const struct {
        const char *name;
        uint16_t number, total;
        size_t len;
        s2svpn_status rc;
    } rows[] = {
        {"the only one", 1, 1, 40, S2SVPN_OK},
        {"the first of many", 1, 64, 40, S2SVPN_OK},
        {"the last of many", 64, 64, 40, S2SVPN_OK},
        {"number 0", 0, 1, 40, S2SVPN_E_MALFORMED},
        {"number and total 0", 0, 0, 40, S2SVPN_E_MALFORMED},
        {"total 0", 1, 0, 40, S2SVPN_E_MALFORMED},
        {"behind the last", 2, 1, 40, S2SVPN_E_MALFORMED},
        {"far behind the last", 65535, 64, 40, S2SVPN_E_MALFORMED},
        {"one too many", 1, 65, 40, S2SVPN_E_LIMIT},
        {"as many as can be written", 65535, 65535, 40, S2SVPN_E_LIMIT},
        {"cut off", 1, 1, 3, S2SVPN_E_MALFORMED},
        {"nothing else", 1, 1, 4, S2SVPN_OK},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t body[40] = {0};
        struct s2_ike_skf out = {77, 78};
        struct s2_reader r;

        s2_put_u16(body, rows[i].number);
        s2_put_u16(body + 2, rows[i].total);
        s2_reader_init(&r, body, rows[i].len);
        const s2svpn_status rc = s2_ike_parse_skf(&r, &out);
        CHECK_ROW(rows[i].name, rc == rows[i].rc);
        if (rows[i].rc == S2SVPN_OK)
            CHECK_ROW(rows[i].name, out.number == rows[i].number && out.total == rows[i].total);
        else
            CHECK_ROW(rows[i].name, out.number == 77 && out.total == 78);
    }
}

static const struct {
    const char *name;
    struct s2_ike_suite suite;
} suites[] = {
    {"CBC",
     {.encr = S2SVPN_ENCR_AES_CBC,
      .key_bits = 128,
      .integ = S2SVPN_INTEG_HMAC_SHA2_256_128,
      .prf = S2SVPN_PRF_HMAC_SHA2_256}},
    {"GCM", {.encr = S2SVPN_ENCR_AES_GCM_16, .key_bits = 256, .prf = S2SVPN_PRF_HMAC_SHA2_256}},
};

static struct s2_ike_keys keys_of(const struct s2_ike_crypto *c, const struct s2_ike_suite *suite)
{
    const s2svpn_span text = s2_span("what both know, and nonces too", 30);
    struct s2_ike_keys k = {0};

    CU_ASSERT_EQUAL_FATAL(s2_ike_derive_keys(c, suite, text, text, text, 1, 2, NULL, &k),
                          S2SVPN_OK);
    return k;
}

static size_t write_fragment(const struct s2_ike_crypto *c, const struct s2_env *env,
                             const struct s2_ike_keys *k, uint16_t number, s2svpn_span plain,
                             uint8_t *out, size_t size)
{
    const struct s2_ike_header h = {.spi_i = 1,
                                    .spi_r = 2,
                                    .version = S2_IKE_VERSION_2,
                                    .exchange = S2_IKE_AUTH,
                                    .flags = S2_IKE_FLAG_INITIATOR,
                                    .message_id = 1};
    struct s2_ike_sk_writer s;
    struct s2_writer w;

    s2_writer_init(&w, out, size);
    s2_ike_write_header(&w, &h);
    CU_ASSERT_EQUAL(s2_ike_skf_begin(&s, &w, env, k, number, 3, S2_IKE_PAYLOAD_IDI), S2SVPN_OK);
    s2_write_span(&w, plain);
    CU_ASSERT_EQUAL(s2_ike_sk_end(&s, c, k, true, number), S2SVPN_OK);
    return w.len;
}

static s2svpn_status read_fragment(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                                   uint8_t *message, size_t len, struct s2_ike_skf *skf,
                                   uint8_t *first, s2svpn_span *plain)
{
    struct s2_ike_payloads list;
    struct s2_ike_header h;
    struct s2_reader r;

    s2_reader_init(&r, message, len);
    if (s2_ike_parse_header(&r, &h) != S2SVPN_OK ||
        s2_ike_parse_payloads(&r, h.next_payload, &list) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    const struct s2_ike_payload *payload = s2_ike_find(&list, S2_IKE_PAYLOAD_SKF);
    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    s2svpn_status rc = s2_ike_parse_skf(&r, skf);
    *first = payload->next;
    return rc == S2SVPN_OK ? s2_ike_sk_open(c, k, false, message, len, payload, plain) : rc;
}

static void go_round(const char *name, const struct s2_ike_crypto *c, const struct s2_ike_keys *k)
{
    struct s2_fake_env fake;
    uint8_t plain[100], message[300];

    s2_fake_env_init(&fake, 1);
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)i;
    for (size_t len = 0; len <= sizeof(plain); len++) {
        const uint16_t number = (uint16_t)(1 + len % 3);
        struct s2_ike_skf skf = {0};
        s2svpn_span got = {0};
        uint8_t first = 0;

        const size_t size =
            write_fragment(c, &fake.env, k, number, s2_span(plain, len), message, sizeof(message));
        CHECK_ROW(name,
                  size == S2_IKE_HEADER_LEN + 8 + k->encr->iv_len + s2_ike_sk_sealed_len(k, len));
        CHECK_ROW(name, read_fragment(c, k, message, size, &skf, &first, &got) == S2SVPN_OK &&
                            skf.number == number && skf.total == 3 && got.len == len &&
                            first == (number == 1 ? S2_IKE_PAYLOAD_IDI : S2_IKE_PAYLOAD_NONE) &&
                            memcmp(got.p, plain, len) == 0);
    }
}

static void fragments_go_round_with_cbc_and_gcm(void)
{
    struct s2_fake_crypto user = {0};
    const struct s2_ike_crypto c[] = {{s2_fake_crypto_ops(), &user},
                                      {s2svpn_crypto_openssl(), NULL}};

    for (size_t i = 0; i < COUNT(c); i++) {
        for (size_t s = 0; c[i].ops != NULL && s < COUNT(suites); s++) {
            const struct s2_ike_keys k = keys_of(&c[i], &suites[s].suite);

            go_round(suites[s].name, &c[i], &k);
        }
    }
}

/* RFC 7383 section 2.5: number and total are under the checksum, AEAD or not. */
static void no_byte_of_a_fragment_can_be_changed(void)
{
    struct s2_fake_crypto user = {0};
    const struct s2_ike_crypto c[] = {{s2_fake_crypto_ops(), &user},
                                      {s2svpn_crypto_openssl(), NULL}};

    for (size_t i = 0; i < 2 * COUNT(c); i++) {
        const struct s2_ike_crypto *one = &c[i / 2];
        struct s2_fake_env fake;
        uint8_t message[300], changed[300];

        if (one->ops == NULL)
            continue;
        s2_fake_env_init(&fake, 1);
        const struct s2_ike_keys k = keys_of(one, &suites[i % 2].suite);
        const size_t len = write_fragment(one, &fake.env, &k, 2, s2_span("a piece of it", 13),
                                          message, sizeof(message));
        for (size_t at = 0; at < len; at++) {
            struct s2_ike_skf skf;
            s2svpn_span got;
            uint8_t first;

            memcpy(changed, message, len);
            changed[at] ^= 1;
            CHECK_ROW(suites[i % 2].name,
                      read_fragment(one, &k, changed, len, &skf, &first, &got) != S2SVPN_OK);
        }
        /* and no shorter one, not even without room for what must be there */
        for (size_t cut = S2_IKE_HEADER_LEN + 4; cut < len; cut++) {
            struct s2_ike_skf skf;
            s2svpn_span got;
            uint8_t first;

            memcpy(changed, message, len);
            s2_put_u32(changed + 24, (uint32_t)cut);
            s2_put_u16(changed + S2_IKE_HEADER_LEN + 2, (uint16_t)(cut - S2_IKE_HEADER_LEN));
            CHECK_ROW(suites[i % 2].name,
                      read_fragment(one, &k, changed, cut, &skf, &first, &got) != S2SVPN_OK);
        }
    }
}

static void plain_room_is_the_most_that_fits(void)
{
    struct s2_fake_crypto user = {0};
    const struct s2_ike_crypto c = {s2_fake_crypto_ops(), &user};

    for (size_t s = 0; s < COUNT(suites); s++) {
        const struct s2_ike_keys k = keys_of(&c, &suites[s].suite);

        for (size_t sealed = 0; sealed < 400; sealed++) {
            const size_t room = s2_ike_sk_plain_room(&k, sealed);

            CHECK_ROW(suites[s].name, room == 0 || s2_ike_sk_sealed_len(&k, room) <= sealed);
            CHECK_ROW(suites[s].name, s2_ike_sk_sealed_len(&k, room + 1) > sealed);
        }
    }
}

/* ---- the set */

static uint8_t pattern[S2_IKE_MESSAGE_MAX];

static s2svpn_status add(struct s2_fake_env *fake, struct s2_ike_fragments **set, uint16_t number,
                         uint16_t total, size_t at, size_t len, size_t limit)
{
    const struct s2_ike_fragment f = {.skf = {number, total},
                                      .exchange = S2_IKE_AUTH,
                                      .first = (uint8_t)(number == 1 ? 35 : 0),
                                      .hash = number,
                                      .plain = s2_span(pattern + at, len)};

    return s2_ike_fragments_add(&fake->env, set, &f, limit);
}

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + i / 256);
}

static uint16_t number_in(unsigned order, uint16_t i, uint16_t total)
{
    switch (order) {
    case 0:
        return (uint16_t)(i + 1);
    case 1:
        return (uint16_t)(total - i);
    case 2: /* from both ends to the middle */
        return (uint16_t)(i % 2 == 0 ? i / 2 + 1 : total - i / 2);
    default: /* all but the first, which is last */
        return (uint16_t)(i + 1 < total ? i + 2 : 1);
    }
}

/* CVE-2016-10396: an order of fragments that makes each arrival look at all others.
 * Here each costs one allocation, its own, whatever came before. */
static void no_order_costs_more_than_another(void)
{
    fill_pattern();
    for (unsigned order = 0; order < 4; order++) {
        struct s2_fake_env fake;
        struct s2_ike_fragments *set = NULL;
        uint8_t *p = NULL;
        size_t len = 0;

        s2_fake_env_init(&fake, 1);
        for (uint16_t i = 0; i < S2_IKE_FRAGMENTS_MAX; i++) {
            const uint16_t n = number_in(order, i, S2_IKE_FRAGMENTS_MAX);
            const struct s2_ike_skf skf = {n, S2_IKE_FRAGMENTS_MAX};

            CU_ASSERT_FALSE(s2_ike_fragments_complete(set));
            CU_ASSERT_TRUE(s2_ike_fragments_want(set, S2_IKE_AUTH, &skf));
            CU_ASSERT_EQUAL(
                add(&fake, &set, n, S2_IKE_FRAGMENTS_MAX, (n - 1u) * 100, 100, S2_IKE_MESSAGE_MAX),
                S2SVPN_OK);
            CU_ASSERT_FALSE(s2_ike_fragments_want(set, S2_IKE_AUTH, &skf));
            CU_ASSERT_EQUAL(fake.allocations, i + 2u);
        }
        CU_ASSERT_TRUE_FATAL(s2_ike_fragments_complete(set));
        CU_ASSERT_TRUE(set->first == 35 && set->hash == 1);
        CU_ASSERT_EQUAL(s2_ike_fragments_take(&fake.env, &set, &p, &len), S2SVPN_OK);
        CU_ASSERT_EQUAL(fake.allocations, S2_IKE_FRAGMENTS_MAX + 2u);
        CU_ASSERT_TRUE(set == NULL && len == 6400 && memcmp(p, pattern, len) == 0);
        s2_free(&fake.env, p);
        CU_ASSERT_EQUAL(fake.live, 0);
    }
}

/* CVE-2016-1287: a length check and the queue that disagree. Here both are one sum. */
static void the_sum_of_all_lengths_is_limited(void)
{
    static const size_t first[] = {0, 1, 499, 500, 999, 1000};
    struct s2_fake_env fake;

    s2_fake_env_init(&fake, 1);
    for (size_t i = 0; i < COUNT(first); i++) {
        struct s2_ike_fragments *set = NULL;
        uint8_t *p = NULL;
        size_t len = 0;

        CU_ASSERT_EQUAL(add(&fake, &set, 1, 2, 0, first[i], 1000), S2SVPN_OK);
        const size_t live = fake.live;
        CU_ASSERT_EQUAL(add(&fake, &set, 2, 2, first[i], 1001 - first[i], 1000), S2SVPN_E_LIMIT);
        CU_ASSERT_TRUE(set->count == 1 && set->len == first[i] && fake.live == live);
        CU_ASSERT_EQUAL(add(&fake, &set, 1, 3, 0, 1001, 1000), S2SVPN_E_LIMIT);
        CU_ASSERT_TRUE(set->total == 2 && fake.live == live);
        CU_ASSERT_EQUAL(add(&fake, &set, 2, 2, first[i], 1000 - first[i], 1000), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_ike_fragments_take(&fake.env, &set, &p, &len), S2SVPN_OK);
        CU_ASSERT_TRUE(len == 1000 && memcmp(p, pattern, len) == 0);
        s2_free(&fake.env, p);
    }
    CU_ASSERT_EQUAL(fake.live, 0);
}

static void more_pieces_replace_and_fewer_are_not_wanted(void)
{
    static const struct {
        const char *name;
        uint8_t exchange;
        uint16_t number, total;
        bool wanted;
    } rows[] = {
        {"the same", S2_IKE_AUTH, 2, 4, false},
        {"another", S2_IKE_AUTH, 1, 4, true},
        {"another of another exchange", S2_IKE_INFORMATIONAL, 1, 4, false},
        {"of fewer", S2_IKE_AUTH, 1, 3, false},
        {"of one", S2_IKE_AUTH, 1, 1, false},
        {"of more", S2_IKE_AUTH, 2, 5, true},
    };
    struct s2_fake_env fake;
    struct s2_ike_fragments *set = NULL;

    s2_fake_env_init(&fake, 1);
    CU_ASSERT_EQUAL(add(&fake, &set, 2, 4, 0, 10, 1000), S2SVPN_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike_skf skf = {rows[i].number, rows[i].total};

        CHECK_ROW(rows[i].name,
                  s2_ike_fragments_want(set, rows[i].exchange, &skf) == rows[i].wanted);
    }
    CU_ASSERT_EQUAL(add(&fake, &set, 5, 5, 0, 7, 1000), S2SVPN_OK);
    CU_ASSERT_TRUE(set->total == 5 && set->count == 1 && set->len == 7);
    CU_ASSERT_EQUAL(fake.live, 2);
    s2_ike_fragments_free(&fake.env, &set);
    CU_ASSERT_TRUE(set == NULL && fake.live == 0);
}

static bool build_set(struct s2_fake_env *fake, void *arg)
{
    struct s2_ike_fragments *set = NULL;
    uint8_t *p = NULL;
    size_t len;

    (void)arg;
    const bool good = add(fake, &set, 1, 2, 0, 10, 1000) == S2SVPN_OK &&
                      add(fake, &set, 3, 3, 0, 10, 1000) == S2SVPN_OK &&
                      add(fake, &set, 1, 3, 0, 10, 1000) == S2SVPN_OK &&
                      add(fake, &set, 2, 3, 0, 0, 1000) == S2SVPN_OK &&
                      s2_ike_fragments_take(&fake->env, &set, &p, &len) == S2SVPN_OK;
    s2_ike_fragments_free(&fake->env, &set);
    s2_free(&fake->env, p);
    return good;
}

static void a_set_survives_every_failed_allocation(void)
{
    s2_fail_every_allocation(build_set, NULL);
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

const CU_TestInfo s2_test_fragment[] = {
    {"impossible numbers are refused", impossible_numbers_are_refused},
    {"fragments go round with CBC and GCM", fragments_go_round_with_cbc_and_gcm},
    {"no byte of a fragment can be changed", no_byte_of_a_fragment_can_be_changed},
    {"plain room is the most that fits", plain_room_is_the_most_that_fits},
    {"no order costs more than another (CVE-2016-10396)", no_order_costs_more_than_another},
    {"the sum of all lengths is limited (CVE-2016-1287)", the_sum_of_all_lengths_is_limited},
    {"more pieces replace and fewer are not wanted", more_pieces_replace_and_fewer_are_not_wanted},
    {"a set survives every failed allocation", a_set_survives_every_failed_allocation},
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
