/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the IKEv2 state machine with a half-open and an established SA, by a
 * peer that holds the keys. The input is a script of records; what they say is sealed
 * with the right keys, SPIs and message IDs, so that all behind the checksum is
 * reached.
 *
 *     operation (1) | choice (1) | length (2) | bytes
 *
 * It goes to end 1, the responder of both SAs, or with the highest bit of choice to end
 * 0, their initiator, of which the second one waits for the answer to IKE_AUTH.
 */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "ike/certificates.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

#define MOST_RECORDS 64
#define MOST_BYTES 2048
#define TO_INITIATOR 0x80
#define BY_CERTIFICATE 0x70 /* a COMMAND's choice from here on */
#define WINDOW 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum operation {
    RAW,           /* a datagram as it stands */
    REQUEST,       /* sealed; choice: SA and kind; first byte: first payload's type */
    RESPONSE,      /* sealed, to what is outstanding */
    INIT_REQUEST,  /* a chain behind a header that fits */
    INIT_RESPONSE, /* to what begins there */
    WAIT,
    COMMAND,
    FRAGMENT, /* as REQUEST and RESPONSE; first bytes: number, total, first payload's type */
    OPERATIONS
};

struct record {
    uint8_t operation, choice;
    unsigned to; /* end 0 or 1 */
    s2svpn_span bytes;
};

/* By the lowest three bits of a REQUEST's choice: the exchange, and how many requests
 * should have come before. */
static const struct {
    uint8_t exchange, ahead;
} kinds[8] = {
    {S2_IKE_AUTH, 0},
    {S2_IKE_CREATE_CHILD_SA, 0},
    {S2_IKE_INFORMATIONAL, 0},
    {38, 0}, /* nobody knows it */
    {S2_IKE_CREATE_CHILD_SA, 1},
    {S2_IKE_INFORMATIONAL, 1},
    {S2_IKE_INFORMATIONAL, 2},
    {S2_IKE_INFORMATIONAL, WINDOW},
};

static struct s2_ike_compose compose;
static struct s2_ike_config second; /* a second tunnel of end 0 */
static struct s2_fake_credentials mine[2];

static void give(struct s2_pair *p, unsigned to, size_t len)
{
    const struct s2_pair_end *end = &p->end[to];
    /* Exactly as long as it is, so that a read behind it is seen. */
    uint8_t *copy = malloc(len > 0 ? len : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, compose.bytes, len);
    (void)s2_ike_receive(end->ike, &end->config.local, &p->end[1 - to].config.local, copy, len,
                         p->now_ns);
    free(copy);
}

static struct s2_ike_sa *pick_sa(struct s2_pair *p, unsigned to, uint8_t choice)
{
    struct s2_ike *ike = p->end[to].ike;
    struct s2_table_cursor cursor = {0};
    struct s2_table_node *n;
    size_t skip = ike->by_spi.count > 0 ? choice % ike->by_spi.count : 0;

    while ((n = s2_table_next(&ike->by_spi, &cursor)) != NULL && skip > 0)
        skip--;
    return n != NULL ? S2_CONTAINER(n, struct s2_ike_sa, spi_node) : NULL;
}

/* The keys of an SA, from the other end if this one has none yet. */
static const struct s2_ike_keys *keys_of(struct s2_pair *p, unsigned to, const struct s2_ike_sa *sa)
{
    if (sa->keyed)
        return &sa->keys;
    const struct s2_ike_sa *theirs = s2_ike_find_spi(p->end[1 - to].ike, sa->spi_peer);

    return theirs != NULL && theirs->keyed ? &theirs->keys : NULL;
}

static uint64_t counter;

/* The header of what the SA may expect next. */
static void begin_sealed(const struct s2_ike_sa *sa, uint8_t exchange, uint8_t ahead, bool response)
{
    struct s2_ike_header h = {.version = S2_IKE_VERSION_2};

    h.spi_i = s2_ike_spi_i(sa);
    h.spi_r = s2_ike_spi_r(sa);
    h.flags = (uint8_t)((sa->initiator ? 0 : S2_IKE_FLAG_INITIATOR) |
                        (response ? S2_IKE_FLAG_RESPONSE : 0));
    h.message_id = response ? sa->out_id : sa->in_id + ahead;
    h.exchange = response ? sa->request.exchange : exchange;
    s2_ike_compose_plain(&compose, &h);
}

static void give_sealed(struct s2_pair *p, const struct record *r, bool response)
{
    struct s2_ike_sa *sa = pick_sa(p, r->to, r->choice >> 3);
    const struct s2_ike_keys *keys = sa != NULL ? keys_of(p, r->to, sa) : NULL;

    if (keys == NULL || r->bytes.len < 1)
        return;
    begin_sealed(sa, kinds[r->choice % 8].exchange, kinds[r->choice % 8].ahead, response);
    if (s2_ike_sk_begin(&compose.sk, &compose.w, sa->ike->env, keys) != S2SVPN_OK)
        return;
    s2_write_patch_u8(&compose.w, compose.sk.chain.next_at, r->bytes.p[0]);
    s2_write_bytes(&compose.w, r->bytes.p + 1, r->bytes.len - 1);
    if (s2_ike_sk_end(&compose.sk, &sa->ike->crypto, keys, !sa->initiator, counter++) == S2SVPN_OK)
        give(p, r->to, compose.w.len);
}

static void give_fragment(struct s2_pair *p, const struct record *r)
{
    struct s2_ike_sa *sa = pick_sa(p, r->to, r->choice >> 3);
    const struct s2_ike_keys *keys = sa != NULL ? keys_of(p, r->to, sa) : NULL;

    if (keys == NULL || r->bytes.len < 3)
        return;
    begin_sealed(sa, kinds[r->choice % 4].exchange, 0, r->choice & 4);
    if (s2_ike_skf_begin(&compose.sk, &compose.w, sa->ike->env, keys, r->bytes.p[0], r->bytes.p[1],
                         r->bytes.p[2]) != S2SVPN_OK)
        return;
    s2_write_bytes(&compose.w, r->bytes.p + 3, r->bytes.len - 3);
    if (s2_ike_sk_end(&compose.sk, &sa->ike->crypto, keys, !sa->initiator, counter++) == S2SVPN_OK)
        give(p, r->to, compose.w.len);
}

static void give_init(struct s2_pair *p, const struct record *r, bool response)
{
    const struct s2_ike_sa *sa = pick_sa(p, r->to, r->choice);
    struct s2_ike_header h = {
        .spi_i = r->choice + 1u, .version = S2_IKE_VERSION_2, .exchange = S2_IKE_SA_INIT};

    if (r->bytes.len < 1 || (response && (sa == NULL || !sa->initiator)))
        return;
    h.flags = response ? S2_IKE_FLAG_RESPONSE : S2_IKE_FLAG_INITIATOR;
    if (response) {
        h.spi_i = sa->spi_own;
        h.spi_r = r->choice;
    }
    h.next_payload = r->bytes.p[0];
    s2_ike_compose_plain(&compose, &h);
    s2_write_bytes(&compose.w, r->bytes.p + 1, r->bytes.len - 1);
    if (s2_ike_write_end(&compose.w) == S2SVPN_OK)
        give(p, r->to, compose.w.len);
}

/* From now on that end's tunnels go by certificates, handshakes under way included. A
 * proof of one byte is right once in 256 times. */
static void go_by_certificate(struct s2_pair *p, unsigned to)
{
    struct s2_pair_end *e = &p->end[to];
    struct s2_table_cursor cursor = {0};
    struct s2_table_node *n;

    e->live->auth_by = S2_IKE_BY_CERTIFICATE;
    e->live->credentials = &mine[to].credentials;
    while ((n = s2_table_next(&e->ike->by_spi, &cursor)) != NULL) {
        struct s2_ike_sa *sa = S2_CONTAINER(n, struct s2_ike_sa, spi_node);

        if (sa->handshake != NULL && sa->handshake->proof == NULL)
            s2_ike_handshake_use(sa->handshake, &mine[to].credentials);
    }
    if (to == 0) {
        second.auth_by = S2_IKE_BY_CERTIFICATE;
        second.credentials = &mine[to].credentials;
    }
}

static void command(struct s2_pair *p, unsigned to, uint8_t choice)
{
    struct s2_pair_end *e = &p->end[to];

    if (choice >= BY_CERTIFICATE) {
        go_by_certificate(p, to);
        return;
    }
    switch (choice % 6) {
    case 0:
        (void)!s2_ike_rekey_sa(e->ike, e, p->now_ns);
        break;
    case 1:
        for (size_t i = 0; i < e->children; i++)
            (void)!s2_ike_rekey_child(e->ike, e, e->child[i].spi_in, p->now_ns);
        break;
    case 2:
        (void)!s2_ike_check(e->ike, e, p->now_ns);
        break;
    case 3:
        (void)s2_pair_initiate(p, to);
        break;
    case 4:
        s2_ike_terminate(e->ike, e, true, p->now_ns);
        break;
    default:
        e->defer_jobs = !e->defer_jobs;
    }
}

static void perform(struct s2_pair *p, const struct record *r)
{
    switch (r->operation % OPERATIONS) {
    case RAW:
        compose.bytes = compose.own;
        memcpy(compose.bytes, r->bytes.p, r->bytes.len);
        give(p, r->to, r->bytes.len);
        break;
    case REQUEST:
        give_sealed(p, r, false);
        break;
    case RESPONSE:
        give_sealed(p, r, true);
        break;
    case INIT_REQUEST:
        give_init(p, r, false);
        break;
    case INIT_RESPONSE:
        give_init(p, r, true);
        break;
    case WAIT:
        s2_pair_run_for(p, r->choice * (r->choice & 1 ? S2_MS : S2_SECOND));
        break;
    case FRAGMENT:
        give_fragment(p, r);
        break;
    default:
        command(p, r->to, r->choice);
    }
}

static void prepare(struct s2_pair *p)
{
    counter = 1000;
    s2_fake_credentials_init(&mine[0], 'L');
    s2_fake_credentials_add(&mine[0], 'A', 'L', '-', 100);
    s2_fake_credentials_init(&mine[1], 'R');
    s2_fake_credentials_add(&mine[1], 'A', 'R', '-', 100);
    s2_pair_init(p, 1);
    p->trace = false;
    for (size_t e = 0; e < 2; e++) {
        p->end[e].config.ike.ke[0] = p->end[e].config.esp.ke[0] = S2SVPN_KE_CURVE25519;
        p->end[e].options.limits.sas = 16;
        p->end[e].options.request_window = WINDOW;
    }
    if (!s2_pair_connect(p))
        abort();
    /* And one that is half open: a second tunnel of end 0, up to IKE_AUTH. */
    second = p->end[0].config;
    second.owner = &second;
    p->manual = true;
    if (s2_ike_initiate(p->end[0].ike, &second, p->now_ns) != S2SVPN_OK || !s2_pair_deliver(p, 1) ||
        !s2_pair_deliver(p, 0))
        abort();
    while (p->queued > 0)
        free(p->queue[--p->queued].p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct s2_pair p;
    struct s2_reader r;

    prepare(&p);
    s2_reader_init(&r, data, size);
    for (size_t n = 0; n < MOST_RECORDS && r.left > 0; n++) {
        struct record record = {.operation = s2_read_u8(&r, "operation")};

        record.choice = s2_read_u8(&r, "choice");
        record.to = (record.choice & TO_INITIATOR) != 0 ? 0 : 1;
        record.choice &= (uint8_t)~TO_INITIATOR;
        record.bytes = s2_read_span(&r, s2_read_u16(&r, "length"), "bytes");
        if (r.rc != S2SVPN_OK || record.bytes.len > MOST_BYTES)
            break;
        if (p.end[0].children + 4 < S2_PAIR_CHILDREN && p.end[1].children + 4 < S2_PAIR_CHILDREN)
            perform(&p, &record);
        while (p.queued > S2_PAIR_QUEUE / 2)
            free(p.queue[--p.queued].p);
    }
    s2_pair_close(&p);
    for (size_t e = 0; e < 2; e++) {
        if (!s2_pair_balances(&p.end[e]) || p.end[e].fake.live != 0 || p.end[e].job_count != 0 ||
            mine[e].credentials.users != 0)
            abort();
    }
    return 0;
}
