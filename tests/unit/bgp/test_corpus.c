/* SPDX-License-Identifier: Apache-2.0 */
/* What malformed BGP costs, from tests/vectors/bgp_updates.txt: each line's bytes at once,
 * cut in two at every byte, and one by one; and what is accepted is written as it reads. The
 * file says what its columns mean. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/text.h"
#include "hand.h"

#define LINE_MOST 1024
#define ROWS_MOST 400
#define WORDS_MOST 32
#define BYTES_MOST (S2_BGP_MESSAGE_MAX + 64)
#define CUTS_MOST 300 /* of a longer message only some places are tried */

enum outcome { OK, DISCARD, WITHDRAW, RESET, CLOSED };

struct word {
    char name[16];
    size_t len;
    uint8_t bytes[128];
};

struct row {
    char name[160];
    bool open;       /* an OPEN is awaited, else the session is established */
    bool two_octets; /* the speaker's AS numbers */
    size_t len;
    uint8_t *bytes; /* from the first octet of the marker */
    enum outcome outcome;
    unsigned discarded;
    uint8_t code, subcode;
    bool left4, left6;
};

static struct hand h;
static struct word words[WORDS_MOST];
static size_t word_count;
static struct row rows[ROWS_MOST];
static size_t row_count;

/* ---- the file */

/* Without blanks at both ends. */
static char *trim(char *text)
{
    text += strspn(text, " ");
    for (size_t n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--)
        text[n - 1] = 0;
    return text;
}

/* One item of BYTES, "0a0b", "TEN" or either with "*N". */
static size_t read_item(char *item, uint8_t *out, size_t size)
{
    char *star = strchr(item, '*');
    uint64_t times = 1;
    uint8_t bytes[128];
    size_t len = 0, at = 0;

    if (star != NULL) {
        CU_ASSERT_FATAL(s2_read_number(star + 1, strlen(star + 1), 4096, &times));
        *star = 0;
    }
    for (size_t i = 0; isupper((unsigned char)item[0]) && len == 0; i++) {
        CU_ASSERT_FATAL(i < word_count);
        if (strcmp(words[i].name, item) != 0)
            continue;
        len = words[i].len;
        memcpy(bytes, words[i].bytes, len);
    }
    if (len == 0) {
        CU_ASSERT_FATAL(strlen(item) <= 2 * sizeof(bytes));
        len = hand_hex(bytes, item);
    }
    for (; times > 0; times--, at += len) {
        CU_ASSERT_FATAL(len <= size - at);
        memcpy(out + at, bytes, len);
    }
    return at;
}

static size_t read_bytes(char *text, uint8_t *out, size_t size)
{
    size_t len = 0;

    for (text += strspn(text, " "); *text != 0; text += strspn(text, " ")) {
        char *item = text;

        text += strcspn(text, " ");
        if (*text != 0)
            *text++ = 0;
        len += read_item(item, out + len, size - len);
    }
    return len;
}

static void read_word(char *text)
{
    struct word *w = &words[word_count++];
    char *value = strchr(text, ' ');

    CU_ASSERT_FATAL(word_count < WORDS_MOST && value != NULL);
    *value++ = 0;
    s2_copy_text(w->name, sizeof(w->name), text);
    w->len = read_bytes(value, w->bytes, sizeof(w->bytes));
}

/* WITHDRAWN / ATTRIBUTES / PREFIXES */
static void write_update(struct s2_writer *w, char *text)
{
    for (int part = 0; part < 3; part++) {
        char *end = strchr(text, '/');
        uint8_t bytes[BYTES_MOST];

        CU_ASSERT_FATAL((end != NULL) == (part < 2));
        if (end != NULL)
            *end = 0;
        const size_t len = read_bytes(text, bytes, sizeof(bytes));
        if (part < 2)
            s2_write_u16(w, (uint16_t)len);
        s2_write_bytes(w, bytes, len);
        text = end != NULL ? end + 1 : text;
    }
}

static void read_message(struct row *row, const char *kind, char *text)
{
    uint8_t bytes[BYTES_MOST], body[BYTES_MOST];
    struct s2_writer w;

    s2_writer_init(&w, bytes, sizeof(bytes));
    row->open = strcmp(kind, "open") == 0;
    row->two_octets = strcmp(kind, "update2") == 0;
    if (strcmp(kind, "raw") != 0)
        s2_bgp_write_begin(&w, row->open ? S2_BGP_TYPE_OPEN : S2_BGP_TYPE_UPDATE);
    if (strncmp(kind, "update", 6) == 0)
        write_update(&w, text);
    else
        s2_write_bytes(&w, body, read_bytes(text, body, sizeof(body)));
    if (strcmp(kind, "raw") != 0)
        s2_bgp_write_end(&w);
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    row->len = w.len;
    row->bytes = malloc(w.len);
    CU_ASSERT_FATAL(row->bytes != NULL);
    memcpy(row->bytes, bytes, w.len);
}

static void read_outcome(struct row *row, const char *text)
{
    static const char *const names[] = {"ok", "discard", "withdraw", "reset", "closed"};
    const char *left = strstr(text, "left");
    unsigned code, subcode, i = 0;

    while (i < 5 && strncmp(text, names[i], strlen(names[i])) != 0)
        i++;
    CU_ASSERT_FATAL(i < 5);
    row->outcome = (enum outcome)i;
    if (row->outcome == DISCARD)
        CU_ASSERT_EQUAL_FATAL(sscanf(text, "discard %u", &row->discarded), 1);
    if (row->outcome == RESET) {
        CU_ASSERT_EQUAL_FATAL(sscanf(text, "reset %u/%u", &code, &subcode), 2);
        row->code = (uint8_t)code;
        row->subcode = (uint8_t)subcode;
    }
    row->left4 = left != NULL ? strchr(left, '4') != NULL : row->outcome <= DISCARD;
    row->left6 = left != NULL ? strchr(left, '6') != NULL : row->outcome <= WITHDRAW;
}

static void read_row(char *line)
{
    struct row *row = &rows[row_count++];
    char *field[4] = {line};

    CU_ASSERT_FATAL(row_count < ROWS_MOST);
    for (int i = 1; i < 4; i++) {
        field[i] = strchr(field[i - 1], '|');
        CU_ASSERT_FATAL(field[i] != NULL);
        *field[i]++ = 0;
    }
    *row = (struct row){.len = 0};
    s2_copy_text(row->name, sizeof(row->name), trim(field[0]));
    read_message(row, trim(field[1]), field[2]);
    read_outcome(row, trim(field[3]));
}

static void read_file(void)
{
    const char *source = getenv("S2_SRC");
    char path[512], line[LINE_MOST];

    s2_print(path, sizeof(path), "%s/tests/vectors/bgp_updates.txt", source != NULL ? source : ".");
    FILE *f = fopen(path, "r");
    CU_ASSERT_FATAL(f != NULL);
    row_count = word_count = 0;
    while (fgets(line, sizeof(line), f) != NULL) {
        char *text = trim(line);

        if (strncmp(text, "let ", 4) == 0)
            read_word(text + 4);
        else if (text[0] != 0 && text[0] != '#')
            read_row(text);
    }
    fclose(f);
    CU_ASSERT_FATAL(row_count > 200);
}

static void release_rows(void)
{
    while (row_count > 0)
        free(rows[--row_count].bytes);
}

/* ---- a row */

static struct s2_bgp_info info(void)
{
    struct s2_bgp_info out;

    s2_bgp_get_info(h.peer, &out);
    return out;
}

static void send_good(const struct row *row, const char *prefixes)
{
    hand_send_update(&h, "",
                     row->two_octets ? "800e1a 000201 10 00000000000000000000ffffc0000201 00"
                                       " 2020010db8 40010100 4002040201fc00 400304c0000201"
                                     : "800e1a 000201 10 00000000000000000000ffffc0000201 00"
                                       " 2020010db8 40010100 40020602010000fc00 400304c0000201",
                     prefixes);
}

/* A session where the row's bytes are awaited. */
static void begin(const struct row *row)
{
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    open.four_octet_as = !row->two_octets;
    hand_open(&h, &spec);
    if (!row->open) {
        hand_establish(&h, &open);
        send_good(row, "100a00");
        CHECK_ROW(row->name, info().prefixes_in == 2);
        return;
    }
    s2_bgp_start(h.peer, h.now_ns);
    h.stream[HAND_OURS].up = true;
    CHECK_ROW(row->name, s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns));
}

/* Nothing but the rest of a stream that still makes sense to both. */
static void check_goes_on(const struct row *row)
{
    if (row->open) {
        CHECK_ROW(row->name, hand_state(&h) == S2_BGP_OPEN_CONFIRM);
        return;
    }
    CHECK_ROW(row->name, hand_state(&h) == S2_BGP_ESTABLISHED && h.notifications == 0);
    CHECK_ROW(row->name, hand_has(&h, "10.0.0.0/16") == row->left4);
    CHECK_ROW(row->name, hand_has(&h, "2001:db8::/32") == row->left6);
    CHECK_ROW(row->name, info().attributes_discarded == row->discarded ||
                             (row->outcome == WITHDRAW && info().attributes_discarded > 0));
    CHECK_ROW(row->name, info().treated_as_withdraw == (row->outcome == WITHDRAW));
    CHECK_ROW(row->name, h.ended == 0);
    send_good(row, "180a4d01");
    CHECK_ROW(row->name, hand_has(&h, "10.77.1.0/24"));
}

static void check_outcome(const struct row *row)
{
    if (row->outcome <= WITHDRAW) {
        check_goes_on(row);
    } else if (row->outcome == RESET) {
        CHECK_ROW(row->name, hand_was_told(&h, HAND_OURS, row->code, row->subcode));
        CHECK_ROW(row->name, h.notifications == 1 && h.sent && h.code == row->code);
    } else {
        CHECK_ROW(row->name, h.notifications == 1 && !h.sent);
        CHECK_ROW(row->name, h.stream[HAND_OURS].closed);
    }
    if (row->outcome > WITHDRAW) {
        CHECK_ROW(row->name, hand_state(&h) == S2_BGP_IDLE && info().prefixes_in == 0);
        CHECK_ROW(row->name, row->open || h.ended == 2);
    }
}

/* The bytes in pieces of first, then size each. */
static void run(const struct row *row, size_t first, size_t size)
{
    begin(row);
    hand_send(&h, HAND_OURS, row->bytes, first);
    for (size_t at = first; at < row->len; at += size)
        hand_send(&h, HAND_OURS, row->bytes + at, size < row->len - at ? size : row->len - at);
    check_outcome(row);
    hand_close(&h);
}

static void each_line_costs_what_the_file_says(void)
{
    read_file();
    for (size_t i = 0; i < row_count; i++)
        run(&rows[i], rows[i].len, 1);
    release_rows();
}

static void it_costs_the_same_wherever_it_is_cut(void)
{
    read_file();
    for (size_t i = 0; i < row_count; i++) {
        const size_t len = rows[i].len, step = len / CUTS_MOST + 1;

        for (size_t cut = 1; cut < len; cut += step)
            run(&rows[i], cut, len);
        run(&rows[i], 1, 1);
    }
    release_rows();
}

/* ---- the way back */

static s2svpn_span attributes_of(const struct row *row)
{
    struct s2_reader r;

    s2_reader_init(&r, row->bytes, row->len);
    s2_read_skip(&r, S2_BGP_HEADER_LEN, "header");
    s2_read_skip(&r, s2_read_u16(&r, "withdrawn"), "withdrawn");
    return s2_read_span(&r, s2_read_u16(&r, "attributes"), "attributes");
}

/* Attributes of the row to a set, written, and read to a set: it is the same one, and
 * nothing of it is malformed any more. */
static void check_way_back(const struct row *row, size_t as_size)
{
    const struct s2_bgp_write_options options = {.as_size = as_size,
                                                 .next_hop = s2_address_ipv4(0xc0000201)};
    static struct s2_bgp_parsed parsed;
    uint8_t bytes[2 * S2_BGP_MESSAGE_MAX];
    struct s2_bgp_error why;
    struct s2_writer w;

    (void)!s2_bgp_parse_attributes(attributes_of(row), row->two_octets ? 2 : 4, &parsed, &why);
    if (parsed.cost >= S2_BGP_COST_WITHDRAW)
        return;
    struct s2_bgp_set *set = s2_bgp_intern(h.bgp, &parsed.values);
    CU_ASSERT_FATAL(set != NULL);
    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_bgp_write_set(&w, set, &options);
    CHECK_ROW(row->name, s2_writer_finish(&w) == S2SVPN_OK);
    CHECK_ROW(row->name,
              s2_bgp_parse_attributes(s2_span(bytes, w.len), as_size, &parsed, &why) == S2SVPN_OK);
    CHECK_ROW(row->name, parsed.cost == S2_BGP_COST_NONE);
    struct s2_bgp_set *again = s2_bgp_intern(h.bgp, &parsed.values);
    CHECK_ROW(row->name, again == set);
    s2_bgp_set_release(h.bgp, again);
    s2_bgp_set_release(h.bgp, set);
}

static void what_is_accepted_is_written_as_it_reads(void)
{
    const struct s2_bgp_spec spec = hand_spec();

    read_file();
    hand_open(&h, &spec);
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].open || rows[i].outcome > DISCARD)
            continue;
        check_way_back(&rows[i], 4);
        check_way_back(&rows[i], 2);
    }
    hand_close(&h);
    release_rows();
}

const CU_TestInfo s2_test_corpus[] = {
    {"each line costs what the file says", each_line_costs_what_the_file_says},
    {"it costs the same wherever it is cut", it_costs_the_same_wherever_it_is_cut},
    {"what is accepted is written as it reads", what_is_accepted_is_written_as_it_reads},
    CU_TEST_INFO_NULL,
};
