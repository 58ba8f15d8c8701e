/* SPDX-License-Identifier: Apache-2.0 */
/* The watcher: reads key logs, opens what passes, counts what must not be. */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESP_HEADER_LEN 8
#define IP_IN_IP 4
#define DUMMY 59

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- key log lines */

/* "IPv4","source","destination","0xspi","encr","0xkey","integ","0xkey" */
struct line {
    char field[8][160];
};

static bool read_line(const char *text, struct line *l)
{
    for (size_t i = 0; i < 8; i++) {
        size_t n = 0;

        if (i > 0 && *text++ != ',')
            return false;
        if (*text++ != '"')
            return false;
        while (*text && *text != '"' && n + 1 < sizeof(l->field[i]))
            l->field[i][n++] = *text++;
        l->field[i][n] = '\0';
        if (*text++ != '"')
            return false;
    }
    return *text == '\0';
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t read_hex(const char *text, uint8_t *out, size_t most)
{
    size_t n = 0;

    if (strncmp(text, "0x", 2) != 0)
        return 0;
    for (text += 2; n < most && nibble(text[0]) >= 0 && nibble(text[1]) >= 0; text += 2)
        out[n++] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
    return n;
}

static uint16_t read_integ(const char *word)
{
    static const struct {
        const char *word;
        uint16_t id;
    } rows[] = {
        {"HMAC-SHA-1-96", S2SVPN_INTEG_HMAC_SHA1_96},
        {"HMAC-SHA-256-128", S2SVPN_INTEG_HMAC_SHA2_256_128},
        {"HMAC-SHA-384-192", S2SVPN_INTEG_HMAC_SHA2_384_192},
        {"HMAC-SHA-512-256", S2SVPN_INTEG_HMAC_SHA2_512_256},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strncmp(word, rows[i].word, strlen(rows[i].word)) == 0)
            return rows[i].id;
    return S2SVPN_INTEG_NONE;
}

static bool make_session(struct watch *w, struct watch_sa *sa, const struct line *l)
{
    const s2svpn_crypto_ops *crypto = s2svpn_crypto_openssl();
    uint8_t encr_key[64], integ_key[64];
    s2svpn_esp_session_spec spec = {.size = sizeof(spec)};
    const bool gcm = strncmp(l->field[4], "AES-GCM", 7) == 0;

    spec.encr = gcm ? S2SVPN_ENCR_AES_GCM_16 : S2SVPN_ENCR_AES_CBC;
    spec.encr_key = (s2svpn_span){encr_key, read_hex(l->field[5], encr_key, sizeof(encr_key))};
    spec.key_bits = (uint16_t)((spec.encr_key.len - (gcm ? 4 : 0)) * 8);
    spec.integ = gcm ? S2SVPN_INTEG_NONE : read_integ(l->field[6]);
    spec.integ_key = (s2svpn_span){integ_key, read_hex(l->field[7], integ_key, sizeof(integ_key))};
    sa->iv_len = gcm ? 8 : 16;
    sa->icv_len = gcm                                            ? 16
                  : spec.integ == S2SVPN_INTEG_HMAC_SHA1_96      ? 12
                  : spec.integ == S2SVPN_INTEG_HMAC_SHA2_256_128 ? 16
                  : spec.integ == S2SVPN_INTEG_HMAC_SHA2_384_192 ? 24
                                                                 : 32;
    if (!w->worker && crypto->esp_worker_new &&
        crypto->esp_worker_new(NULL, &w->worker) != S2SVPN_OK)
        return false;
    return crypto->esp_session_new(NULL, &spec, &sa->session) == S2SVPN_OK;
}

static struct watch_sa *add(struct watch *w)
{
    if (w->count == w->capacity) {
        const size_t want = w->capacity ? w->capacity * 2 : 32;
        struct watch_sa *bigger = realloc(w->sa, want * sizeof(*bigger));

        if (!bigger)
            return NULL;
        w->sa = bigger;
        w->capacity = want;
    }
    memset(&w->sa[w->count], 0, sizeof(*w->sa));
    return &w->sa[w->count++];
}

static bool is_gateway(const s2svpn_address *a)
{
    return a->bytes[0] == 198;
}

void watch_key(struct watch *w, bool of_device, const char *text)
{
    struct line l;
    s2svpn_address to;
    char keys[256];

    if (!read_line(text, &l) || !s2svpn_address_read(l.field[2], &to)) {
        w->broken = true;
        return;
    }
    const uint32_t spi = (uint32_t)strtoul(l.field[3], NULL, 16);
    const bool to_device = !is_gateway(&to);
    snprintf(keys, sizeof(keys), "%.20s %.80s %.20s %.80s", l.field[4], l.field[5], l.field[6],
             l.field[7]);
    for (size_t i = 0; i < w->count; i++) {
        struct watch_sa *sa = &w->sa[i];

        if (sa->spi == spi && sa->to_device == to_device && strcmp(sa->keys, keys) == 0) {
            sa->logged[of_device] = true;
            return;
        }
    }

    struct watch_sa *sa = add(w);
    if (!sa || !make_session(w, sa, &l)) {
        w->broken = true;
        return;
    }
    sa->spi = spi;
    sa->to_device = to_device;
    sa->logged[of_device] = true;
    memcpy(sa->keys, keys, sizeof(keys));
}

/* ---- the wire */

static bool contains(const uint8_t *p, size_t len, const uint8_t *what, size_t what_len)
{
    for (size_t i = 0; i + what_len <= len; i++) {
        const uint8_t *at = memchr(p + i, what[0], len - what_len + 1 - i);

        if (!at)
            return false;
        if (memcmp(at, what, what_len) == 0)
            return true;
        i = (size_t)(at - p);
    }
    return false;
}

/* The addresses of an inner header, source behind source or the other way round. */
static bool shows_plaintext(const uint8_t *p, size_t len)
{
    static const uint8_t hosts[] = {10, 0, 1, 10, 192, 168, 10, 20, 10, 0, 1, 10},
                         bgp[] = {169, 254, 10, 5, 169, 254, 10, 6, 169, 254, 10, 5},
                         bgp1[] = {169, 254, 11, 5, 169, 254, 11, 6, 169, 254, 11, 5};

    for (size_t i = 0; i <= 4; i += 4)
        if (contains(p, len, hosts + i, 8) || contains(p, len, bgp + i, 8) ||
            contains(p, len, bgp1 + i, 8))
            return true;
    return false;
}

static bool opens(const struct watch *w, const struct watch_sa *sa, const uint8_t *p, size_t len,
                  uint8_t *out)
{
    const size_t overhead = ESP_HEADER_LEN + (size_t)sa->iv_len + sa->icv_len;
    uint8_t copy[4096];
    s2svpn_esp_op op = {.session = sa->session, .spi = sa->spi, .out = out};

    if (len < overhead + 2 || len > sizeof(copy))
        return false;
    memcpy(copy, p, len);
    op.seq = get32(p + 4);
    op.iv = copy + ESP_HEADER_LEN;
    op.in[0].p = op.iv + sa->iv_len;
    op.in[0].len = (uint32_t)(len - overhead);
    op.icv = copy + len - sa->icv_len;
    s2svpn_crypto_openssl()->esp_open(NULL, w->worker, &op, 1);
    return op.result == S2SVPN_ESP_OK;
}

static bool is_of_the_scene(uint32_t a)
{
    return a == packet_address(10, 0, 1, 10) || a == packet_address(192, 168, 10, 20) ||
           (a & 0xfffffffcu) == packet_address(169, 254, 10, 4) ||
           (a & 0xfffffffcu) == packet_address(169, 254, 11, 4);
}

/* What is inside: a packet of the scene's, or a dummy, RFC 4303 section 2.6. */
static bool is_sense(const struct watch_sa *sa, const uint8_t *inner, size_t len)
{
    const size_t plain = len - ESP_HEADER_LEN - sa->iv_len - sa->icv_len;

    if (inner[plain - 1] == DUMMY)
        return true;
    return inner[plain - 1] == IP_IN_IP && plain > 20 && inner[0] == 0x45 &&
           is_of_the_scene(get32(inner + 12)) && is_of_the_scene(get32(inner + 16));
}

static void take_esp(struct watch *w, const s2svpn_datagram *d, const uint8_t *p, size_t len)
{
    const bool to_device = is_gateway(&d->local.address);
    const unsigned sender = to_device ? 0 : 1, receiver = 1 - sender;
    bool known = false, other_key = false;
    uint8_t inner[4096];

    w->esp++;
    if (len < ESP_HEADER_LEN) {
        w->stranger++;
        return;
    }
    for (size_t i = w->count; i-- > 0;) {
        struct watch_sa *sa = &w->sa[i];

        if (sa->spi != get32(p) || sa->to_device != to_device)
            continue;
        /* The receiver's newest key under this SPI must be the one that opens it. */
        other_key = other_key || (sa->logged[receiver] && !sa->logged[sender]);
        if (!sa->logged[sender])
            continue;
        known = true;
        if (!opens(w, sa, p, len, inner))
            continue;
        w->wrong_key += other_key;
        w->repeated += get32(p + 4) <= sa->last_seq;
        sa->last_seq = get32(p + 4);
        sa->packets++;
        w->nonsense += !is_sense(sa, inner, len);
        if (w->inner && inner[len - ESP_HEADER_LEN - sa->iv_len - sa->icv_len - 1] == IP_IN_IP)
            w->inner(w->inner_user, inner, (size_t)inner[2] << 8 | inner[3], d);
        return;
    }
    if (known)
        w->wrong_key++;
    else
        w->stranger++;
}

static void take_one(struct watch *w, const s2svpn_datagram *d, const uint8_t *p, size_t len)
{
    w->datagrams++;
    w->plaintext += shows_plaintext(p, len);
    if (d->local.role == S2SVPN_ROLE_NATT && len == 1 && p[0] == 0xff)
        return; /* a keepalive, RFC 3948 section 2.3 */
    if (d->local.role == S2SVPN_ROLE_RAW ||
        (d->local.role == S2SVPN_ROLE_NATT && len >= 4 && get32(p) != 0))
        take_esp(w, d, p, len);
    else
        w->ike++;
}

void watch_wire(struct watch *w, const s2svpn_datagram *d)
{
    const uint32_t step = d->segment ? d->segment : d->len;

    for (uint32_t at = 0; at < d->len; at += step)
        take_one(w, d, d->data + at, d->len - at < step ? d->len - at : step);
}

uint64_t watch_unheard(const struct watch *w)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        if (!w->sa[i].logged[w->sa[i].to_device])
            n += w->sa[i].packets;
    return n;
}

void watch_clear(struct watch *w)
{
    const s2svpn_crypto_ops *crypto = s2svpn_crypto_openssl();

    for (size_t i = 0; i < w->count; i++)
        crypto->esp_session_free(NULL, w->sa[i].session);
    if (w->worker && crypto->esp_worker_free)
        crypto->esp_worker_free(NULL, w->worker);
    free(w->sa);
    memset(w, 0, sizeof(*w));
}

/* ---- who still listens */

static bool listens(struct scene_side *side, uint32_t spi)
{
    const uint64_t now_ns = s2svpn_sim_now(side->scene->sim);
    uint8_t p[64] = {(uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8), (uint8_t)spi,
                     0x7f};
    s2svpn_datagram d = {.local = side->local[1], .data = p, .len = sizeof(p)};

    d.remote = side->local[1];
    d.remote.address =
        side == &side->scene->gateway ? scene_device_address() : scene_gateway_address(0);
    const uint64_t before = s2svpn_context_drops(side->ctx, S2SVPN_DROP_ESP_UNKNOWN_SPI);
    s2svpn_receive_outside(s2svpn_context_worker(side->ctx, 0), &d, 1, now_ns);
    return s2svpn_context_drops(side->ctx, S2SVPN_DROP_ESP_UNKNOWN_SPI) == before;
}

static bool was_asked(const struct watch *w, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (w->sa[k].spi == w->sa[i].spi && w->sa[k].to_device == w->sa[i].to_device)
            return true;
    return false;
}

bool watch_only_current_children_live(const struct watch *w, struct scene_side *side,
                                      const s2svpn_connection *conn, unsigned *live)
{
    const bool device = side == &side->scene->device;
    unsigned current = 0, known = 0;

    *live = 0;
    for (size_t k = 0; k < 2; k++)
        current += scene_tunnel(conn, k).spi_in != 0;
    for (size_t i = 0; i < w->count; i++) {
        const uint32_t spi = w->sa[i].spi;

        if (w->sa[i].to_device != device || was_asked(w, i) || !listens(side, spi))
            continue;
        ++*live;
        for (size_t k = 0; k < 2; k++)
            known += scene_tunnel(conn, k).spi_in == spi;
    }
    return *live == current && known == current;
}
