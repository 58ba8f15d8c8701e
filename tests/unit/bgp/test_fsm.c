/* SPDX-License-Identifier: Apache-2.0 */
/* The state table: printed and compared with the reviewed fsm.txt, and every cell
 * walked on a live connection. */
#include "bgp/fsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "hand.h"

#define TABLE_SIZE 16384

static void print_table(struct s2_buffer *b)
{
    for (unsigned state = S2_BGP_IDLE; state <= S2_BGP_ESTABLISHED; state++) {
        s2_buffer_print(b, "%s\n", s2_bgp_state_text((enum s2_bgp_state)state));
        for (unsigned event = 0; event < S2_BGP_EVENTS; event++) {
            const struct s2_bgp_transition t =
                s2_bgp_fsm((enum s2_bgp_state)state, (enum s2_bgp_event)event);

            s2_buffer_print(b, "    %-30s %-40s %s\n", s2_bgp_event_text((enum s2_bgp_event)event),
                            s2_bgp_action_text(t.action), s2_bgp_state_text(t.next));
        }
    }
}

/* After a change that is meant: S2_UPDATE=1 writes the file, git diff shows what to
 * review. */
static void the_printed_table_is_the_reviewed_one(void)
{
    static char reviewed[TABLE_SIZE];
    const char *source = getenv("S2_SRC");
    char path[512];
    struct s2_buffer b;

    s2_print(path, sizeof(path), "%s/tests/unit/bgp/fsm.txt", source != NULL ? source : ".");
    s2_buffer_init(&b, s2_memory_default(), TABLE_SIZE);
    print_table(&b);
    CU_ASSERT_EQUAL_FATAL(b.rc, S2SVPN_OK);
    FILE *f = fopen(path, getenv("S2_UPDATE") != NULL ? "w+" : "r");
    CU_ASSERT_FATAL(f != NULL);
    if (getenv("S2_UPDATE") != NULL)
        fwrite(b.data, 1, b.len, f);
    rewind(f);
    const size_t len = fread(reviewed, 1, sizeof(reviewed), f);
    fclose(f);
    CU_ASSERT_EQUAL(len, b.len);
    CU_ASSERT(len == b.len && memcmp(reviewed, b.data, len) == 0);
    s2_buffer_clear(&b);
}

/* Our connection of a fresh peer in this state. */
static void bring(struct hand *h, enum s2_bgp_state state)
{
    const struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();

    hand_open(h, &spec);
    h->unconnected = state == S2_BGP_ACTIVE;
    if (state == S2_BGP_ESTABLISHED) {
        hand_establish(h, &open);
    } else if (state == S2_BGP_OPEN_CONFIRM) {
        hand_confirm(h, &open);
    } else if (state != S2_BGP_IDLE) {
        s2_bgp_start(h->peer, h->now_ns);
        h->stream[HAND_OURS].up = true;
    }
    if (state == S2_BGP_OPEN_SENT)
        CU_ASSERT(s2_bgp_stream_up(h->peer, &h->stream[HAND_OURS], true, h->now_ns));
    CU_ASSERT_EQUAL_FATAL(h->peer->conn[0].state, state);
}

/* What must be seen from outside of an action. */
static bool was_done(struct hand *h, enum s2_bgp_action action, unsigned connects, size_t sent)
{
    const struct hand_stream *s = &h->stream[HAND_OURS];
    const bool more = s->len > sent;

    switch (action) {
    case S2_BGP_DO_CONNECT:
        return h->connects == connects + 1 && h->peer->conn[0].retry.armed;
    case S2_BGP_DO_OPEN:
    case S2_BGP_DO_CONFIRM:
    case S2_BGP_DO_ALIVE:
        return more && !s->closed;
    case S2_BGP_DO_HEARD:
        return !more && !s->closed && h->peer->conn[0].hold.armed;
    case S2_BGP_DO_NOTIFY:
    case S2_BGP_DO_FSM_ERROR:
        return more && s->closed && h->peer->conn[0].stream == NULL;
    case S2_BGP_DO_RELEASE:
        return !more && h->peer->conn[0].stream == NULL;
    default:
        return !more && !s->closed;
    }
}

static void every_cell_does_what_it_says(void)
{
    static struct hand h;
    char row[128];

    for (unsigned state = S2_BGP_IDLE; state <= S2_BGP_ESTABLISHED; state++) {
        for (unsigned event = 0; event < S2_BGP_EVENTS; event++) {
            const struct s2_bgp_transition t =
                s2_bgp_fsm((enum s2_bgp_state)state, (enum s2_bgp_event)event);
            struct s2_bgp_conn *c;

            bring(&h, (enum s2_bgp_state)state);
            c = &h.peer->conn[0];
            h.unconnected = false;
            h.peer->conn[0].open = hand_open_message();
            const unsigned connects = h.connects;
            const size_t sent =
                state == S2_BGP_ACTIVE || state == S2_BGP_IDLE ? 0 : h.stream[HAND_OURS].len;
            if (state == S2_BGP_ACTIVE && event == S2_BGP_EV_STREAM_UP)
                c->stream = &h.stream[HAND_OURS];
            s2_print(row, sizeof(row), "%s, %s", s2_bgp_state_text((enum s2_bgp_state)state),
                     s2_bgp_event_text((enum s2_bgp_event)event));
            s2_bgp_enter(h.peer, h.now_ns);
            s2_bgp_step(c, (enum s2_bgp_event)event);
            CHECK_ROW(row, c->state == t.next);
            CHECK_ROW(row, was_done(&h, t.action, connects, sent));
            CHECK_ROW(row, (h.peer->session == c) == (c->state == S2_BGP_ESTABLISHED));
            h.peer->depth--; /* as it is: nothing is settled */
            hand_close(&h);
        }
    }
}

/* ---- the same from outside: each message in each state that has a stream */

static const struct {
    const char *row;
    enum s2_bgp_state state;
    uint8_t type;
    const char *hex;
    uint8_t code, subcode; /* of the answer; 0: none */
    enum s2_bgp_state next;
} messages[] = {
    {"KEEPALIVE in OpenSent", S2_BGP_OPEN_SENT, 4, "", 5, 1, S2_BGP_IDLE},
    {"UPDATE in OpenSent", S2_BGP_OPEN_SENT, 2, "00000000", 5, 1, S2_BGP_IDLE},
    {"REFRESH in OpenSent", S2_BGP_OPEN_SENT, 5, "00010001", 5, 1, S2_BGP_IDLE},
    {"NOTIFICATION in OpenSent", S2_BGP_OPEN_SENT, 3, "0602", 0, 0, S2_BGP_IDLE},
    {"OPEN in OpenConfirm", S2_BGP_OPEN_CONFIRM, 1, "04fc00001ec000020100", 5, 2, S2_BGP_IDLE},
    {"UPDATE in OpenConfirm", S2_BGP_OPEN_CONFIRM, 2, "00000000", 5, 2, S2_BGP_IDLE},
    {"REFRESH in OpenConfirm", S2_BGP_OPEN_CONFIRM, 5, "00010001", 5, 2, S2_BGP_IDLE},
    {"NOTIFICATION in OpenConfirm", S2_BGP_OPEN_CONFIRM, 3, "0606", 0, 0, S2_BGP_IDLE},
    {"KEEPALIVE in OpenConfirm", S2_BGP_OPEN_CONFIRM, 4, "", 0, 0, S2_BGP_ESTABLISHED},
    {"OPEN in Established", S2_BGP_ESTABLISHED, 1, "04fc00001ec000020100", 5, 3, S2_BGP_IDLE},
    {"UPDATE in Established", S2_BGP_ESTABLISHED, 2, "00000000", 0, 0, S2_BGP_ESTABLISHED},
    {"bad UPDATE in Established", S2_BGP_ESTABLISHED, 2, "ffff0000", 3, 1, S2_BGP_IDLE},
    {"REFRESH in Established", S2_BGP_ESTABLISHED, 5, "00010001", 0, 0, S2_BGP_ESTABLISHED},
    {"unknown REFRESH in Established", S2_BGP_ESTABLISHED, 5, "ffff00ff", 0, 0, S2_BGP_ESTABLISHED},
    {"KEEPALIVE in Established", S2_BGP_ESTABLISHED, 4, "", 0, 0, S2_BGP_ESTABLISHED},
    {"NOTIFICATION in Established", S2_BGP_ESTABLISHED, 3, "0400", 0, 0, S2_BGP_IDLE},
    {"unknown NOTIFICATION in Established", S2_BGP_ESTABLISHED, 3, "ffff00", 0, 0, S2_BGP_IDLE},
};

static void each_message_has_its_answer_in_each_state(void)
{
    static struct hand h;

    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        bring(&h, messages[i].state);
        hand_send_hex(&h, HAND_OURS, messages[i].type, messages[i].hex);
        CHECK_ROW(messages[i].row, hand_state(&h) == messages[i].next);
        CHECK_ROW(messages[i].row,
                  messages[i].code == 0 ||
                      hand_was_told(&h, HAND_OURS, messages[i].code, messages[i].subcode));
        CHECK_ROW(messages[i].row, h.stream[HAND_OURS].closed == (messages[i].next == S2_BGP_IDLE));
        CHECK_ROW(messages[i].row, !h.stream[HAND_OURS].aborted);
        hand_close(&h);
    }
}

/* ---- timers */

static void hold_time_0_means_neither_keepalives_nor_an_end(void)
{
    static struct hand h;
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    open.hold_time_s = 0;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    const size_t sent = h.stream[HAND_OURS].len;
    hand_wait(&h, 3600 * S2_SECOND);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    CU_ASSERT_EQUAL(h.stream[HAND_OURS].len, sent);
    hand_close(&h);
}

static const struct {
    const char *row;
    enum s2_bgp_state state;
    unsigned lives_s, ends_s;
} patience[] = {
    {"four minutes for an OPEN", S2_BGP_OPEN_SENT, 239, 240},
    {"the hold time for a KEEPALIVE", S2_BGP_OPEN_CONFIRM, 29, 30},
    {"the hold time in a session", S2_BGP_ESTABLISHED, 29, 30},
};

static void silence_is_borne_as_long_as_the_state_says(void)
{
    static struct hand h;

    for (size_t i = 0; i < sizeof(patience) / sizeof(patience[0]); i++) {
        bring(&h, patience[i].state);
        hand_wait(&h, patience[i].lives_s * S2_SECOND);
        CHECK_ROW(patience[i].row, hand_state(&h) == patience[i].state);
        hand_wait(&h, (patience[i].ends_s - patience[i].lives_s) * S2_SECOND);
        CHECK_ROW(patience[i].row, hand_state(&h) == S2_BGP_IDLE);
        CHECK_ROW(patience[i].row, hand_was_told(&h, HAND_OURS, 4, 0));
        hand_close(&h);
    }
}

/* What came since the hand opened the second stream, as if both had connected. */
static void a_rival_in_open_confirm_is_measured_by_identifiers(void)
{
    static struct hand h;

    for (int higher = 0; higher < 2; higher++) {
        const struct s2_bgp_spec spec = hand_spec();
        struct s2_bgp_open open = hand_open_message();

        open.router_id = higher ? UINT32_MAX : 1;
        hand_open(&h, &spec);
        hand_confirm(&h, &open);
        h.stream[HAND_THEIRS].up = true;
        CU_ASSERT(s2_bgp_stream_up(h.peer, &h.stream[HAND_THEIRS], false, h.now_ns));
        CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_OPEN_CONFIRM);
        hand_send_open(&h, HAND_THEIRS, &open);
        /* the speaker with the higher identifier keeps what it opened */
        CU_ASSERT(hand_was_told(&h, higher ? HAND_OURS : HAND_THEIRS, 6, 7));
        CU_ASSERT(!h.stream[higher ? HAND_THEIRS : HAND_OURS].closed);
        CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_OPEN_CONFIRM);
        hand_send_message(&h, higher ? HAND_THEIRS : HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
        CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
        hand_close(&h);
    }
}

const CU_TestInfo s2_test_fsm[] = {
    {"the printed table is the reviewed one", the_printed_table_is_the_reviewed_one},
    {"every cell does what it says", every_cell_does_what_it_says},
    {"each message has its answer in each state", each_message_has_its_answer_in_each_state},
    {"hold time 0 means neither KEEPALIVEs nor an end",
     hold_time_0_means_neither_keepalives_nor_an_end},
    {"silence is borne as long as the state says", silence_is_borne_as_long_as_the_state_says},
    {"a rival in OpenConfirm is measured by identifiers",
     a_rival_in_open_confirm_is_measured_by_identifiers},
    CU_TEST_INFO_NULL,
};
