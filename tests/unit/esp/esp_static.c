/* SPDX-License-Identifier: Apache-2.0 */
/* For tests/interop: one SA with keys from the command line seals or opens packets that
 * come as lines of hexadecimal digits, each in memory of exactly its size.
 *
 *   esp_static seal|open ENCR BITS INTEG KEY INTEG_KEY SPI ESN WINDOW NUMBER
 *
 * ENCR and INTEG are IKEv2's numbers; keys in hexadecimal, "-": none; NUMBER: the last
 * sequence number that was given out or accepted, all 64 bits.
 *   seal: "NEXT_HEADER BYTES"  gives  "BYTES"
 *   open: "BYTES"              gives  "NONE NEXT_HEADER LENGTH BYTES", LENGTH being the
 *         inner IP packet's own, or the reason of the drop by its name */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "esp/esp.h"
#include "inet/inet.h"

#define LINE_MAX_LEN 140000
#define BYTES_MAX 66000

static struct s2_esp_lane lane;

static void die(const char *why)
{
    fprintf(stderr, "esp_static: %s\n", why);
    exit(1);
}

static size_t from_hex(const char *text, uint8_t *out)
{
    size_t n = 0;
    unsigned byte;

    if (strcmp(text, "-") == 0)
        return 0;
    for (; sscanf(text, "%2x", &byte) == 1 && n < BYTES_MAX; text += 2)
        out[n++] = (uint8_t)byte;
    if (*text != 0 && *text != '\n')
        die("not hexadecimal");
    return n;
}

static void print_hex(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", p[i]);
    putchar('\n');
}

static void seal_one(struct s2_esp_sa *sa, const char *line)
{
    static uint8_t inner[BYTES_MAX];
    char *end;
    struct s2_esp_seal v = {.sa = sa, .next_header = (uint8_t)strtoul(line, &end, 10)};
    const size_t len = from_hex(*end == ' ' ? end + 1 : end, inner);

    v.piece[0] = s2_span(inner, len);
    v.room = s2_esp_sealed_len(&sa->form, len);
    v.out = malloc(v.room);
    if (v.out == NULL)
        die("no memory");
    s2_esp_seal(&lane, &v, 1, 1);
    if (v.drop != S2SVPN_DROP_NONE)
        puts(s2svpn_drop_name((enum s2svpn_drop)v.drop));
    else
        print_hex(v.out, v.len);
    free(v.out);
}

static void open_one(struct s2_esp_sa *sa, const char *line)
{
    static uint8_t bytes[BYTES_MAX];
    const size_t len = from_hex(line, bytes), text = S2_ESP_HEADER_LEN + sa->form.iv_len;
    uint8_t *packet = malloc(len > 0 ? len : 1);
    struct s2_esp_open v = {.sa = sa, .p = packet, .len = len, .out = packet};
    struct s2_inet_view view;

    if (packet == NULL)
        die("no memory");
    memcpy(packet, bytes, len);
    v.out += len > text ? text : 0;
    s2_esp_open(&lane, &v, 1, 1);
    if (v.drop != S2SVPN_DROP_NONE) {
        puts(s2svpn_drop_name((enum s2svpn_drop)v.drop));
    } else {
        const bool ip = s2_inet_view(v.inner.p, v.inner.len, &view);

        printf("NONE %u %u ", v.next_header, ip ? view.total_len : 0u);
        print_hex(v.inner.p, v.inner.len);
    }
    free(packet);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_LEN];
    static uint8_t key[BYTES_MAX], integ_key[BYTES_MAX];
    const struct s2_env env = {.memory = s2_memory_default()};
    const s2svpn_crypto_ops *crypto = s2svpn_crypto_openssl();
    struct s2_esp_sa *sa;

    if (argc != 11 || crypto == NULL)
        die("see the comment at its head; needs OpenSSL");
    const bool seal = strcmp(argv[1], "seal") == 0;
    const struct s2_esp_spec spec = {
        .suite = {(uint16_t)strtoul(argv[2], NULL, 10), (uint16_t)strtoul(argv[3], NULL, 10),
                  (uint16_t)strtoul(argv[4], NULL, 10)},
        .encr_key = s2_span(key, from_hex(argv[5], key)),
        .integ_key = s2_span(integ_key, from_hex(argv[6], integ_key)),
        .spi = (uint32_t)strtoul(argv[7], NULL, 0),
        .esn = strtoul(argv[8], NULL, 10) != 0,
        .window = (uint32_t)strtoul(argv[9], NULL, 0),
        .outbound = seal,
    };
    const uint64_t number = strtoull(argv[10], NULL, 0);

    if (s2_esp_lane_init(&lane, crypto, NULL) != S2SVPN_OK ||
        s2_esp_sa_new(&env, crypto, NULL, &spec, &sa) != S2SVPN_OK)
        die("no such SA");
    if (seal)
        sa->seq = number;
    else if (number > 0)
        s2_esp_replay_accept(sa, number);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (seal)
            seal_one(sa, line);
        else
            open_one(sa, line);
    }
    s2_esp_sa_free(&env, sa);
    s2_esp_lane_clear(&lane);
    return 0;
}
