/* SPDX-License-Identifier: Apache-2.0 */
/* 20,000 IKE SAs in one engine: what a look-up costs doesn't grow with them, half-open
 * ones are bounded and counted, and memory goes back to its level. Costs are counted,
 * in members that a look-up passes, never timed. End 0 is 20,000 customers, end 1 their
 * gateway. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "fake_env.h"
#include "harness.h"
#include "ike/fake_crypto.h"
#include "ike/sa.h"

#define MANY 20000
#define QUEUE 4096
#define PORT 500

struct datagram {
    unsigned to;
    s2svpn_endpoint local, remote;
    size_t len;
    uint8_t p[1024];
};

struct crowd;
struct side {
    struct crowd *crowd;
    unsigned number;
    struct s2_fake_env fake;
    struct s2_fake_crypto crypto;
    struct s2_ike *ike;
    struct s2_ike_config *config; /* MANY of them */
    size_t held;                  /* bytes */
    uint32_t spi;
    unsigned sa_ups, sa_downs, children;
    bool mute; /* what it sends is lost */
};

struct crowd {
    struct side side[2];
    struct datagram *queue;
    size_t first, count;
    uint64_t now_ns;
};

/* ---- memory, in bytes */

static size_t *held_of; /* of the side that runs */

static void *allocate(void *user, size_t size)
{
    size_t *p = calloc(1, size + 16);

    (void)user;
    if (p == NULL)
        abort();
    p[0] = size;
    *held_of += size;
    return (char *)p + 16;
}

static void release(void *user, void *p)
{
    if (p == NULL)
        return;
    size_t *start = (size_t *)(void *)((char *)p - 16);

    (void)user;
    *held_of -= start[0];
    free(start);
}

static const s2svpn_memory memory = {
    .size = sizeof(memory), .allocate = allocate, .release = release};

/* ---- the network and a vpn of the simplest kind */

static void on_send(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                    const uint8_t *p, size_t len)
{
    struct side *s = user;
    struct crowd *c = s->crowd;

    if (s->mute || c->count == QUEUE || len > sizeof(c->queue[0].p))
        return;
    struct datagram *d = &c->queue[(c->first + c->count++) % QUEUE];
    d->to = 1 - s->number;
    d->local = *remote;
    d->remote = *local;
    d->len = len;
    memcpy(d->p, p, len);
}

static void deliver_all(struct crowd *c)
{
    while (c->count > 0) {
        struct datagram d = c->queue[c->first];
        struct side *s = &c->side[d.to];

        c->first = (c->first + 1) % QUEUE;
        c->count--;
        held_of = &s->held;
        (void)s2_ike_receive(s->ike, &d.local, &d.remote, d.p, d.len, c->now_ns);
    }
}

static s2svpn_job_state on_start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    struct s2_fake_crypto none = {0};

    (void)user;
    return s2_fake_crypto_ops()->start_job(&none, job, result);
}

static void on_cancel_job(void *user, s2svpn_job *job)
{
    (void)user;
    (void)job;
}

/* Customer n's address is 10.0.0.0 + n. */
static const struct s2_ike_config *config_of(const struct side *s, const s2svpn_endpoint *local,
                                             const s2svpn_endpoint *remote)
{
    const s2svpn_address *a = s->number == 0 ? &local->address : &remote->address;
    const uint32_t n = s2_address_ipv4_value(a) - 0x0a000000;

    return n < MANY ? &s->config[n] : NULL;
}

static size_t on_candidates(void *user, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                            const struct s2_ike_config **out, size_t max)
{
    const struct s2_ike_config *config = config_of(user, local, remote);

    if (config == NULL || max == 0)
        return 0;
    *out = config;
    return 1;
}

static void on_identify(void *user, uint64_t ticket, const s2svpn_endpoint *local,
                        const s2svpn_endpoint *remote, const struct s2_ike_id *idi,
                        const struct s2_ike_id *idr, s2svpn_span certificate)
{
    struct side *s = user;

    (void)certificate;
    (void)idi;
    (void)idr;
    s2_ike_identified(s->ike, ticket, config_of(s, local, remote), s->crowd->now_ns);
}

static uint32_t on_child_spi(void *user, void *owner)
{
    struct side *s = user;

    (void)owner;
    return 0x1000 + ++s->spi;
}

static void on_release_spi(void *user, void *owner, uint32_t spi)
{
    (void)user;
    (void)owner;
    (void)spi;
}

static void on_sa_up(void *user, void *owner, const struct s2_ike_sa_info *info)
{
    struct side *s = user;

    (void)owner;
    (void)info;
    s->sa_ups++;
}

static void on_sa_down(void *user, void *owner, enum s2_ike_reason reason, const char *detail,
                       bool was_up, bool last, uint64_t now_ns)
{
    struct side *s = user;

    (void)owner;
    (void)reason;
    (void)detail;
    (void)was_up;
    (void)last;
    (void)now_ns;
    s->sa_downs++;
}

static bool on_child_up(void *user, void *owner, const struct s2_ike_child *child, uint64_t now_ns)
{
    struct side *s = user;

    (void)owner;
    (void)child;
    (void)now_ns;
    s->children++;
    return true;
}

static void on_child_down(void *user, void *owner, uint32_t spi_in, enum s2_ike_reason reason,
                          uint64_t now_ns)
{
    struct side *s = user;

    (void)owner;
    (void)spi_in;
    (void)reason;
    (void)now_ns;
    s->children--;
}

static const struct s2_ike_ops ops = {
    .send = on_send,
    .start_job = on_start_job,
    .cancel_job = on_cancel_job,
    .candidates = on_candidates,
    .identify = on_identify,
    .child_spi = on_child_spi,
    .release_spi = on_release_spi,
    .sa_up = on_sa_up,
    .sa_down = on_sa_down,
    .child_up = on_child_up,
    .child_down = on_child_down,
};

/* ---- life */

static void configure(struct side *s, uint32_t n)
{
    struct s2_ike_config *c = &s->config[n];
    const s2svpn_address customer = s2_address_ipv4(0x0a000000 + n);
    const s2svpn_address gateway = s2_address_ipv4(0xc0000201);

    *c = (struct s2_ike_config){
        .owner = c,
        .local = {.address = s->number == 0 ? customer : gateway,
                  .port = PORT,
                  .role = S2SVPN_ROLE_IKE},
        .remote = s->number == 0 ? gateway : customer,
        .remote_port = PORT,
        .remote_natt_port = 4500,
        .ike = {.encr = {{S2SVPN_ENCR_AES_GCM_16, 128}},
                .prf = {S2SVPN_PRF_HMAC_SHA2_256},
                .ke = {S2SVPN_KE_CURVE25519},
                .encr_count = 1,
                .prf_count = 1,
                .ke_count = 1},
        .local_net = {.address = s2_address_ipv4(0), .length = 0},
        .remote_net = {.address = s2_address_ipv4(0), .length = 0},
        .ike_lifetime_s = 28800,
        .child_lifetime_s = 3600,
        .rekey_margin_s = 270,
        .rekey_fuzz_percent = 100,
        .dpd_timeout_s = 30,
    };
    c->esp = c->ike;
    (void)s2_secret_set(&c->psk, "a shared secret", 15);
}

static void open_crowd(struct crowd *c)
{
    *c = (struct crowd){.now_ns = 1000 * S2_SECOND};
    c->queue = calloc(QUEUE, sizeof(*c->queue));
    for (unsigned e = 0; e < 2; e++) {
        struct side *s = &c->side[e];
        const struct s2_ike_options options = {.crypto = s2_fake_crypto_ops(),
                                               .crypto_user = &s->crypto};

        s->crowd = c;
        s->number = e;
        held_of = &s->held;
        s2_fake_env_init(&s->fake, e + 1);
        s->fake.env.memory = &memory;
        s->config = calloc(MANY, sizeof(*s->config));
        CU_ASSERT_TRUE_FATAL(s->config != NULL && c->queue != NULL);
        for (uint32_t n = 0; n < MANY; n++)
            configure(s, n);
        CU_ASSERT_EQUAL_FATAL(s2_ike_new(&s->fake.env, &options, &ops, s, &s->ike), S2SVPN_OK);
    }
}

static void close_crowd(struct crowd *c)
{
    for (size_t e = 0; e < 2; e++) {
        held_of = &c->side[e].held;
        s2_ike_free(c->side[e].ike);
        CU_ASSERT_EQUAL(c->side[e].held, 0);
        free(c->side[e].config);
    }
    free(c->queue);
}

static void run_for(struct crowd *c, uint64_t ns)
{
    const uint64_t end_ns = c->now_ns + ns;

    while (c->now_ns < end_ns) {
        c->now_ns = end_ns - c->now_ns > S2_SECOND ? c->now_ns + S2_SECOND : end_ns;
        for (size_t e = 0; e < 2; e++) {
            held_of = &c->side[e].held;
            while (s2_timers_next(&c->side[e].fake.timers) <= c->now_ns)
                s2_timers_advance(&c->side[e].fake.timers, c->now_ns, 1000);
        }
        deliver_all(c);
    }
}

static void start(struct crowd *c, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++) {
        held_of = &c->side[0].held;
        CU_ASSERT_EQUAL(s2_ike_initiate(c->side[0].ike, &c->side[0].config[n], c->now_ns),
                        S2SVPN_OK);
        deliver_all(c);
    }
}

static void forget_all(struct crowd *c, unsigned e)
{
    held_of = &c->side[e].held;
    for (uint32_t n = 0; n < MANY; n++)
        s2_ike_forget(c->side[e].ike, &c->side[e].config[n]);
}

/* ---- what a look-up costs: members that one of them passes on average, in hundredths,
 * and the longest chain */

static void measure(const struct s2_table *t, size_t *hundredths, size_t *longest)
{
    size_t passed = 0;

    *longest = 0;
    for (size_t b = 0; b < t->bucket_count; b++) {
        size_t len = 0;

        for (const struct s2_table_node *n = t->buckets[b]; n != NULL; n = n->next)
            len++;
        passed += len * (len + 1) / 2;
        *longest = len > *longest ? len : *longest;
    }
    *hundredths = t->count > 0 ? 100 * passed / t->count : 0;
}

static void check_cost(const char *row, const struct s2_table *t, size_t members)
{
    size_t hundredths, longest;

    measure(t, &hundredths, &longest);
    CHECK_ROW(row, t->count == members);
    CHECK_ROW(row, hundredths <= 200); /* two members, however many there are */
    CHECK_ROW(row, longest <= 12);
}

static void a_look_up_costs_the_same_among_many(void)
{
    static const uint32_t steps[] = {100, 1000, 5000, MANY};
    struct crowd c;
    char row[64];
    uint32_t at = 0;

    open_crowd(&c);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        start(&c, at, steps[i]);
        at = steps[i];
        for (unsigned e = 0; e < 2; e++) {
            s2_print(row, sizeof(row), "end %u, %u SAs", e, at);
            CHECK_ROW(row, c.side[e].sa_ups == at && c.side[e].children == at);
            check_cost(row, &c.side[e].ike->by_spi, at);
            check_cost(row, &c.side[e].ike->owners, at);
        }
        check_cost(row, &c.side[1].ike->by_init, at);
    }
    /* One more is refused, by each side for itself. */
    struct s2_ike_config more = c.side[0].config[0];
    more.owner = &more;
    held_of = &c.side[0].held;
    CU_ASSERT_EQUAL(s2_ike_initiate(c.side[0].ike, &more, c.now_ns), S2SVPN_E_LIMIT);
    /* All are found by their owner and by their SPI, and still answer. */
    for (uint32_t n = 0; n < MANY; n += 97) {
        struct s2_ike_sa_info info;

        CU_ASSERT_TRUE(s2_ike_get_info(c.side[1].ike, &c.side[1].config[n], &info));
        CU_ASSERT_PTR_NOT_NULL(s2_ike_find_spi(c.side[1].ike, info.spi_r));
        held_of = &c.side[1].held;
        CU_ASSERT_EQUAL(s2_ike_check(c.side[1].ike, &c.side[1].config[n], c.now_ns), S2SVPN_OK);
        deliver_all(&c);
    }
    run_for(&c, 40 * S2_SECOND);
    CU_ASSERT_EQUAL(c.side[1].sa_downs, 0);
    close_crowd(&c);
}

/* What is left when all have gone is the engine and its empty tables; a second crowd
 * needs no more than the first. */
static void memory_returns_to_its_level_after_many(void)
{
    size_t level[2] = {0}, peak[2] = {0};
    struct crowd c;

    open_crowd(&c);
    for (unsigned wave = 0; wave < 2; wave++) {
        start(&c, 0, MANY / 2);
        for (unsigned e = 0; e < 2; e++) {
            CU_ASSERT_EQUAL(c.side[e].ike->by_spi.count, MANY / 2);
            CU_ASSERT_TRUE(wave == 0 || c.side[e].held == peak[e]);
            peak[e] = c.side[e].held;
            CU_ASSERT_TRUE(peak[e] / (MANY / 2) < 4096); /* of one SA with its child */
        }
        forget_all(&c, 0);
        forget_all(&c, 1);
        c.side[0].children = c.side[1].children = 0; /* forgotten silently */
        for (unsigned e = 0; e < 2; e++) {
            struct s2_ike_counters counters;

            s2_ike_get_counters(c.side[e].ike, &counters);
            CU_ASSERT_EQUAL(counters.sas, 0);
            CU_ASSERT_EQUAL(c.side[e].ike->owners.count, 0);
            CU_ASSERT_TRUE(wave == 0 || c.side[e].held == level[e]);
            level[e] = c.side[e].held;
        }
    }
    close_crowd(&c);
}

/* Peers that never come to IKE_AUTH: cookies from a hundred on, and no more than a
 * thousand half-open ones from those that do answer cookies. */
static void half_open_sas_are_bounded_among_many(void)
{
    struct s2_ike_counters counters;
    struct crowd c;

    open_crowd(&c);
    start(&c, 0, 5000); /* a thousand times five honest ones */
    const size_t before = c.side[1].held;
    for (uint32_t n = 5000; n < 8000; n++) {
        /* IKE_SA_INIT, the cookie, IKE_SA_INIT again, and then nothing. */
        held_of = &c.side[0].held;
        CU_ASSERT_EQUAL(s2_ike_initiate(c.side[0].ike, &c.side[0].config[n], c.now_ns), S2SVPN_OK);
        while (c.count > 0) {
            struct datagram d = c.queue[c.first];

            c.first = (c.first + 1) % QUEUE;
            c.count--;
            if (d.to == 1 && d.p[18] != S2_IKE_SA_INIT)
                continue;
            held_of = &c.side[d.to].held;
            (void)s2_ike_receive(c.side[d.to].ike, &d.local, &d.remote, d.p, d.len, c.now_ns);
        }
    }
    s2_ike_get_counters(c.side[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.half_open, 1000);
    CU_ASSERT_EQUAL(counters.sas, 6000);
    CU_ASSERT_EQUAL(counters.cookies_sent, 2900); /* all but the first hundred */
    check_cost("half open, by address", &c.side[1].ike->by_init, 6000);
    /* After their time they are gone, and the honest ones are not. */
    c.side[0].mute = true;
    run_for(&c, 31 * S2_SECOND);
    s2_ike_get_counters(c.side[1].ike, &counters);
    CU_ASSERT_EQUAL(counters.half_open, 0);
    CU_ASSERT_EQUAL(counters.sas, 5000);
    CU_ASSERT_EQUAL(c.side[1].held, before);
    close_crowd(&c);
}

const CU_TestInfo s2_test_many[] = {
    {"a look-up costs the same among many", a_look_up_costs_the_same_among_many},
    {"memory returns to its level after many", memory_returns_to_its_level_after_many},
    {"half-open SAs are bounded among many", half_open_sas_are_bounded_among_many},
    CU_TEST_INFO_NULL,
};
