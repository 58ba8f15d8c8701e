/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the IKEv1 state machine with an established phase 1 SA and one in main
 * mode, by a peer that holds the keys. The input is a script of records; what they say is
 * hashed and sealed with the right keys and IVs, so that all behind HASH is reached.
 *
 *     operation (1) | choice (1) | length (2) | bytes
 *
 * It goes to end 1, the responder of both SAs, or with the highest bit of choice to end 0.
 */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "ike/v1/v1.h"
#include "ike/v1_pair.h"

#define MOST_RECORDS 64
#define MOST_BYTES 2048
#define TO_INITIATOR 0x80
#define AGGRESSIVE 0x40 /* choice of a command: what begins after it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum operation {
    RAW,    /* a datagram as it stands */
    SEALED, /* choice: SA and exchange; the chain behind HASH, its first byte the first type */
    LATER,  /* the same as a later message of the SA's newest quick mode */
    PLAIN,  /* a chain behind the header of an SA */
    FIRST,  /* a chain behind the header of a first message */
    WAIT,
    COMMAND,
    OPERATIONS
};

struct record {
    uint8_t operation, choice;
    unsigned to; /* end 0 or 1 */
    s2svpn_span bytes;
};

static const uint8_t exchanges[4] = {S2_IKE1_QUICK, S2_IKE1_INFORMATIONAL, S2_IKE1_MAIN,
                                     S2_IKE1_TRANSACTION};

static struct s2_ike1_compose compose;
static uint32_t message_id;

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

/* The newest quick mode that waits for something, or NULL. */
static const struct s2_ike1_quick *newest_quick(const struct s2_ike_sa *sa)
{
    const struct s2_ike1_quick *newest = NULL;

    S2_LIST_EACH(&sa->v1->quicks, it) {
        newest = S2_CONTAINER(it, const struct s2_ike1_quick, link);
    }
    return newest != NULL && newest->making != NULL ? newest : NULL;
}

/* The bytes are the chain; the first of them is the first payload's type. */
static void add_chain(const struct record *r)
{
    s2_write_patch_u8(&compose.w, compose.chain.next_at, r->bytes.p[0]);
    s2_write_bytes(&compose.w, r->bytes.p + 1, r->bytes.len - 1);
}

static void give_sealed(struct s2_pair *p, const struct record *r, bool later)
{
    struct s2_ike_sa *sa = pick_sa(p, r->to, r->choice >> 2);

    if (sa == NULL || sa->v1->keys.prf == NULL || r->bytes.len < 1)
        return;
    const struct s2_ike_crypto *crypto = &sa->ike->crypto;
    const struct s2_ike1_quick *q = later ? newest_quick(sa) : NULL;
    struct s2_ike1_keys keys = sa->v1->keys;
    struct s2_ike1_iv iv = sa->v1->iv;
    s2svpn_span ni = s2_span(NULL, 0);
    uint32_t id = ++message_id;

    if (later && q == NULL)
        return;
    if (q != NULL) {
        id = q->message_id;
        iv = q->iv;
        ni = q->initiator ? s2_span(q->making->nonce, sizeof(q->making->nonce)) : ni;
    } else if (s2_ike1_iv_message(crypto, &keys, &sa->v1->iv, id, &iv) != S2SVPN_OK) {
        return;
    }
    s2_ike1_compose(&compose, sa, q != NULL ? S2_IKE1_QUICK : exchanges[r->choice % 4], id);
    if (q != NULL && !q->initiator) { /* the third message: HASH(3) alone */
        uint8_t hash[S2_IKE1_HASH_MAX];

        if (s2_ike1_hash_3(crypto, &keys, id,
                           s2_span(q->making->peer_nonce, q->making->peer_nonce_len),
                           s2_span(q->making->nonce, sizeof(q->making->nonce)), hash) != S2SVPN_OK)
            return;
        s2_ike1_write_payload(&compose.chain, S2_IKE1_PAYLOAD_HASH,
                              s2_span(hash, s2_ike1_hash_len(&keys)));
        add_chain(r);
        if (s2_ike1_seal(&compose.w, crypto, &keys, &iv) == S2SVPN_OK)
            give(p, r->to, compose.w.len);
        return;
    }
    s2_ike1_hashed_begin(&compose.chain, &compose.w, &keys);
    add_chain(r);
    if (s2_ike1_hashed_end(&compose.w, crypto, &keys, id, ni, &iv) == S2SVPN_OK)
        give(p, r->to, compose.w.len);
}

static void give_plain(struct s2_pair *p, const struct record *r)
{
    const struct s2_ike_sa *sa = pick_sa(p, r->to, r->choice >> 2);

    if (sa == NULL || r->bytes.len < 1)
        return;
    uint8_t exchange = exchanges[r->choice % 4];
    if (exchange == S2_IKE1_MAIN && sa->v1->aggressive)
        exchange = S2_IKE1_AGGRESSIVE;
    s2_ike1_compose(&compose, sa, exchange, 0);
    if (sa->initiator && sa->spi_peer == 0) /* an answer brings the peer's cookie */
        s2_put_u64(compose.bytes + 8, 1);
    add_chain(r);
    if (s2_ike1_write_end(&compose.w) == S2SVPN_OK)
        give(p, r->to, compose.w.len);
}

static void give_first(struct s2_pair *p, const struct record *r)
{
    const struct s2_ike1_header h = {
        .cookie_i = r->choice + 1u, .version = S2_IKE1_VERSION, .exchange = S2_IKE1_MAIN};

    if (r->bytes.len < 1)
        return;
    s2_writer_init(&compose.w, compose.bytes, sizeof(compose.bytes));
    s2_ike1_write_header(&compose.w, &h);
    s2_ike1_chain_begin(&compose.chain, &compose.w);
    add_chain(r);
    if (s2_ike1_write_end(&compose.w) == S2SVPN_OK)
        give(p, r->to, compose.w.len);
}

static void command(struct s2_pair *p, unsigned to, uint8_t choice)
{
    struct s2_pair_end *e = &p->end[to];

    e->live->aggressive = (choice & AGGRESSIVE) != 0;
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
        memcpy(compose.bytes, r->bytes.p, r->bytes.len);
        give(p, r->to, r->bytes.len);
        break;
    case SEALED:
        give_sealed(p, r, false);
        break;
    case LATER:
        give_sealed(p, r, true);
        break;
    case PLAIN:
        give_plain(p, r);
        break;
    case FIRST:
        give_first(p, r);
        break;
    case WAIT:
        s2_pair_run_for(p, r->choice * (r->choice & 1 ? S2_MS : S2_SECOND));
        break;
    default:
        command(p, r->to, r->choice);
    }
}

static void prepare(struct s2_pair *p)
{
    static struct s2_ike_config second;

    message_id = 1000;
    s2_pair_init_v1(p, 1);
    p->trace = false;
    for (size_t e = 0; e < 2; e++) {
        p->end[e].config.ike.ke[0] = p->end[e].config.esp.ke[0] = S2SVPN_KE_ECP_256;
        p->end[e].options.limits.sas = 16;
    }
    if (!s2_pair_connect(p))
        abort();
    /* And one in main mode: a second tunnel of end 0, up to the public values. */
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
        if (p.end[0].children + 6 < S2_PAIR_CHILDREN && p.end[1].children + 6 < S2_PAIR_CHILDREN)
            perform(&p, &record);
        while (p.queued > S2_PAIR_QUEUE / 2)
            free(p.queue[--p.queued].p);
    }
    s2_pair_close(&p);
    for (size_t e = 0; e < 2; e++) {
        if (!s2_pair_balances(&p.end[e]) || p.end[e].fake.live != 0 || p.end[e].job_count != 0)
            abort();
    }
    return 0;
}
