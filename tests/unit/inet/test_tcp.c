/* SPDX-License-Identifier: Apache-2.0 */
/* TCP, one stream and a peer by hand: the table of states, and conversations in
 * the language of tcp_script.h. */
#include "inet/tcp.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"

#include "harness.h"
#include "tcp_script.h"

#define PASSIVE                                                                                    \
    "< S 0 0 mss=1000\n"                                                                           \
    "> SA 0 1 mss=1000\n"                                                                          \
    "< A 1 1\n"                                                                                    \
    "! opened passive\n"
#define ACTIVE                                                                                     \
    "connect\n"                                                                                    \
    "> S 0 0 mss=1000\n"                                                                           \
    "< SA 0 1 mss=1000\n"                                                                          \
    "! opened active\n"                                                                            \
    "> A 1 1\n"
/* The peer's window from the handshake on. */
#define PASSIVE_WINDOW(n)                                                                          \
    "< S 0 0 mss=1000 win=" #n "\n"                                                                \
    "> SA 0 1\n"                                                                                   \
    "< A 1 1 win=" #n "\n"                                                                         \
    "! opened passive\n"

static void run_rows(const struct script_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *wrong = run_script(rows[i].script);
        char text[400];

        s2_print(text, sizeof(text), "%s: %s", rows[i].name, wrong ? wrong : "fine");
        CHECK_ROW(text, wrong == NULL);
    }
}
#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* ---- the table, as a reviewer reads it */

static const char reviewed[] = "CLOSED OPEN SYN_SENT\n"
                               "CLOSED SYN SYN_RECEIVED\n"
                               "SYN_SENT SYN SYN_RECEIVED\n"
                               "SYN_SENT SYN_ACK ESTABLISHED\n"
                               "SYN_SENT CLOSE CLOSED\n"
                               "SYN_SENT RST CLOSED\n"
                               "SYN_SENT TIMEOUT CLOSED\n"
                               "SYN_SENT ABORT CLOSED\n"
                               "SYN_RECEIVED SYN CLOSED\n"
                               "SYN_RECEIVED ACK_SYN ESTABLISHED\n"
                               "SYN_RECEIVED CLOSE SYN_RECEIVED\n"
                               "SYN_RECEIVED RST CLOSED\n"
                               "SYN_RECEIVED TIMEOUT CLOSED\n"
                               "SYN_RECEIVED ABORT CLOSED\n"
                               "ESTABLISHED CLOSE FIN_WAIT_1\n"
                               "ESTABLISHED FIN CLOSE_WAIT\n"
                               "ESTABLISHED RST CLOSED\n"
                               "ESTABLISHED TIMEOUT CLOSED\n"
                               "ESTABLISHED ABORT CLOSED\n"
                               "FIN_WAIT_1 FIN CLOSING\n"
                               "FIN_WAIT_1 ACK_FIN FIN_WAIT_2\n"
                               "FIN_WAIT_1 RST CLOSED\n"
                               "FIN_WAIT_1 TIMEOUT CLOSED\n"
                               "FIN_WAIT_1 ABORT CLOSED\n"
                               "FIN_WAIT_2 FIN TIME_WAIT\n"
                               "FIN_WAIT_2 RST CLOSED\n"
                               "FIN_WAIT_2 TIMEOUT CLOSED\n"
                               "FIN_WAIT_2 ABORT CLOSED\n"
                               "CLOSE_WAIT CLOSE LAST_ACK\n"
                               "CLOSE_WAIT RST CLOSED\n"
                               "CLOSE_WAIT TIMEOUT CLOSED\n"
                               "CLOSE_WAIT ABORT CLOSED\n"
                               "CLOSING ACK_FIN TIME_WAIT\n"
                               "CLOSING RST CLOSED\n"
                               "CLOSING TIMEOUT CLOSED\n"
                               "CLOSING ABORT CLOSED\n"
                               "LAST_ACK ACK_FIN CLOSED\n"
                               "LAST_ACK RST CLOSED\n"
                               "LAST_ACK TIMEOUT CLOSED\n"
                               "LAST_ACK ABORT CLOSED\n"
                               "TIME_WAIT FIN TIME_WAIT\n"
                               "TIME_WAIT TIMEOUT CLOSED\n"
                               "TIME_WAIT ABORT CLOSED\n";

static void the_state_table_is_the_reviewed_one(void)
{
    char text[4096] = "";
    size_t len = 0;

    for (int s = 0; s < S2_TCP_STATES; s++) {
        for (int e = 0; e < S2_TCP_EVENTS; e++) {
            const enum s2_tcp_state next = s2_tcp_next_state(s, e);
            if (next != S2_TCP_STATES)
                len += s2_print(text + len, sizeof(text) - len, "%s %s %s\n", s2_tcp_state_name(s),
                                s2_tcp_event_name(e), s2_tcp_state_name(next));
        }
    }
    CU_ASSERT_STRING_EQUAL(text, reviewed);
}

/* ---- conversations */

static void every_handshake_opens_one_stream(void)
{
    static const struct script_row rows[] = {
        {"passive", PASSIVE},
        {"active", ACTIVE},
        {"text on SYN and ACK", "connect\n> S 0 0\n"
                                "< SA 0 1 len=10\n! opened active\n! received 10\n> A 1 11\n"},
        {"FIN on SYN and ACK", "connect\n> S 0 0\n"
                               "< SFA 0 1\n! opened active\n! closed PEER_FIN\n> FA 1 2\n"},
        {"both at once", "connect\n> S 0 0\n< S 0 0\n> SA 0 1\n"
                         "< SA 0 1\n! opened active\n> A 1 1\n"},
        {"both at once, plain ACK", "connect\n> S 0 0\n< S 0 0\n> SA 0 1\n"
                                    "< A 1 1\n! opened active\n"},
        {"SYN twice", "< S 0 0\n> SA 0 1\n< S 0 0\n> SA 0 1\n< A 1 1\n! opened passive\n"},
        {"text on SYN waits for its repetition",
         "< S 0 0 len=50\n> SA 0 1\n< A 1 1 len=50\n! opened passive\n! received 50\n"},
        {"text with the last ACK",
         "< S 0 0\n> SA 0 1\n< A 1 1 len=5\n! opened passive\n! received 5\n"},
        {"text before opened waits", "connect\n> S 0 0\nsend 10\n"
                                     "< SA 0 1\n! opened active\n> A 1 1 len=10\n"},
        {"a wrong ACK of our SYN is reset", "connect\n> S 0 0\n< SA 0 5\n> R 5 0\n"
                                            "< SA 0 1\n! opened active\n> A 1 1\n"},
        {"a wrong ACK of our SYN and ACK is reset",
         "< S 0 0\n> SA 0 1\n< A 1 9\n> R 9 0\n< A 1 1\n! opened passive\n"},
        {"an ACK alone doesn't open", "connect\n> S 0 0\n< A 1 1\n"},
    };

    RUN_ROWS(rows);
}

static void handshakes_that_fail_say_how(void)
{
    static const struct script_row rows[] = {
        {"refused", "connect\n> S 0 0\n< RA 0 1\n! closed REFUSED\n"},
        {"RST without ACK is ignored", "connect\n> S 0 0\n< R 0 0\n"},
        {"RST with a wrong ACK is ignored", "connect\n> S 0 0\n< RA 0 2\n"},
        {"no answer to SYN", "connect\n> S 0 0\n"
                             "wait 1000\n> S 0 0\nwait 2000\n> S 0 0\nwait 4000\n> S 0 0\n"
                             "wait 8000\n> S 0 0\nwait 16000\n> S 0 0\n"
                             "wait 13999\nwait 1\n! closed TIMEOUT\nwait 100000\n"},
        {"no answer to SYN and ACK", "< S 0 0\n> SA 0 1\n"
                                     "wait 44999\n"
                                     "> SA 0 1\n> SA 0 1\n> SA 0 1\n> SA 0 1\n> SA 0 1\n"
                                     "wait 1\n> RA 1 1\nwait 100000\n"},
        {"nobody listens", "listen 0\n< S 0 0\n> RA 0 1\n"},
        {"another port", "< S 0 0 to=80\n> RA 0 1\n"},
        {"listening ends half way",
         "< S 0 0\n> SA 0 1\nlisten 0\n< A 1 1\n> R 1 0\n< A 1 1\n> R 1 0\n"},
        {"reset half way, then anew",
         "< S 0 0\n> SA 0 1\n< R 1 0\n< S 0 0\n> SA 0 1\n< A 1 1\n! opened passive\n"},
        {"a new SYN half way, then anew",
         "< S 0 0\n> SA 0 1\n< S 100 0\n< S 100 0\n> SA 0 101\n< A 101 1\n! opened passive\n"},
        {"an old RST half way is ignored",
         "< S 0 0\n> SA 0 1\n< R 0 0\n< A 1 1\n! opened passive\n"},
        {"refused after both at once",
         "connect\n> S 0 0\n< S 0 0\n> SA 0 1\n< R 1 0\n! closed REFUSED\n"},
        {"ACK to a listener", "< A 5 7\n> R 7 0\n"},
        {"RST to a listener", "< R 5 7\n< RA 5 7\n"},
        {"SYN and FIN to a listener", "< SF 0 0\n"},
        {"no flags to a listener", "< - 0 0\n"},
        {"FIN to nobody", "< F 0 0 to=80 len=3\n> RA 0 4\n"},
        {"RST to nobody", "< R 0 0 to=80\n"},
        {"closed before the answer",
         "connect\n> S 0 0\nclose\n! closed CLOSED\n< SA 0 1\n> R 1 0\n"},
        {"aborted before the answer", "connect\n> S 0 0\nabort\n< SA 0 1\n> R 1 0\n"},
        {"no memory to accept", "starve 0\n< S 0 0\n> RA 0 1\n< S 0 0\n> SA 0 1\n"},
        {"no memory to connect", "starve 0\nconnect\n! can't connect\n" ACTIVE},
    };

    RUN_ROWS(rows);
}

static void lost_syn_makes_sending_careful(void)
{
    static const struct script_row rows[] = {
        /* RFC 5681 section 3.1: one segment; RFC 6298 section 5.7: three seconds */
        {"active", "connect\n> S 0 0\nwait 1000\n> S 0 0\n"
                   "< SA 0 1 mss=1000\n! opened active\n> A 1 1\n"
                   "send 3000\n> A 1 1 len=1000\nwait 2999\nwait 1\n> A 1 1 len=1000\n"},
        {"not lost", ACTIVE "send 5000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n"
                            "> A 2001 1 len=1000\n> A 3001 1 len=1000\nwait 999\nwait 1\n"
                            "> A 1 1 len=1000\n"},
    };

    RUN_ROWS(rows);
}

static void segments_fit_the_peer_and_the_tunnel(void)
{
    static const struct script_row rows[] = {
        {"no option means 536", "< S 0 0\n> SA 0 1\n< A 1 1\n! opened passive\n"
                                "send 1000\n> A 1 1 len=536\n> A 537 1 len=464\n"},
        {"a ridiculous option", "< S 0 0 mss=1\n> SA 0 1\n< A 1 1\n! opened passive\n"
                                "send 100\n> A 1 1 len=48\n> A 49 1 len=48\n> A 97 1 len=4\n"},
        {"more than the tunnel takes", "< S 0 0 mss=9000\n> SA 0 1\n< A 1 1\n! opened passive\n"
                                       "send 1001\n> A 1 1 len=1000\n> A 1001 1 len=1\n"},
        {"more than we build", "mtu 9000\n< S 0 0 mss=8960\n> SA 0 1 mss=8960\n< A 1 1\n"
                               "! opened passive\nsend 2009\n> A 1 1 len=2008\n> A 2009 1 len=1\n"},
        {"the MTU shrinks", PASSIVE "mtu 540\nsend 600\n> A 1 1 len=500\n> A 501 1 len=100\n"
                                    "wait 1000\n> A 1 1 len=500\n"},
        {"no MTU is too small", PASSIVE "mtu 0\nsend 49\n> A 1 1 len=48\n> A 49 1 len=1\n"},
    };

    RUN_ROWS(rows);
}

static void text_arrives_once_and_in_order(void)
{
    static const struct script_row rows[] = {
        {"ACK is delayed", PASSIVE "< A 1 1 len=100\n! received 100\nwait 39\nwait 1\n> A 1 101\n"},
        {"the second is acknowledged at once",
         PASSIVE "< A 1 1 len=100\n! received 100\n"
                 "< A 101 1 len=50\n! received 50\n> A 1 151\n"
                 "wait 1000\n"},
        {"ACK rides on text", PASSIVE "< A 1 1 len=100\n! received 100\nsend 3\n"
                                      "> A 1 101 len=3\n< A 101 4\nwait 1000\n"},
        {"a hole", PASSIVE "< A 101 1 len=100\n> A 1 1\n< A 1 1 len=100\n"
                           "! received 100\n! received 100\n> A 1 201\n"},
        {"two holes", PASSIVE "< A 301 1 len=100\n> A 1 1\n< A 101 1 len=100\n> A 1 1\n"
                              "< A 1 1 len=100\n! received 100\n! received 100\n> A 1 201\n"
                              "< A 201 1 len=100\n! received 100\n! received 100\n> A 1 401\n"},
        {"across the wrap", PASSIVE "< A 301 1 len=400\n> A 1 1\n< A 1 1 len=300\n"
                                    "! received 300\n! received 400\n> A 1 701\n"},
        {"overlap from the left", PASSIVE "< A 51 1 len=100\n> A 1 1\n< A 1 1 len=100\n"
                                          "! received 100\n! received 50\n> A 1 151\n"},
        {"overlap swallows", PASSIVE "< A 51 1 len=10\n> A 1 1\n< A 1 1 len=100\n"
                                     "! received 100\n> A 1 101\n"},
        {"islands that touch", PASSIVE "< A 11 1 len=10\n> A 1 1\n< A 31 1 len=10\n> A 1 1\n"
                                       "< A 16 1 len=20\n> A 1 1\n< A 1 1 len=10\n"
                                       "! received 10\n! received 30\n> A 1 41\n"},
        {"all old", PASSIVE "< A 1 1 len=100\n! received 100\n< A 1 1 len=100\n> A 1 101\n"},
        {"half old", PASSIVE "< A 1 1 len=100\n! received 100\n< A 51 1 len=100\n"
                             "! received 50\n> A 1 151\n"},
        {"behind the window", PASSIVE "< A 65536 1 len=10\n> A 1 1\n"},
        {"over the window's end is cut", PASSIVE "< A 65530 1 len=10\n> A 1 1\n"},
        {"without ACK it isn't taken", PASSIVE "< - 1 1 len=10\n"},
        {"no memory for the island", PASSIVE "starve 0\n< A 101 1 len=100\n> A 1 1\n"
                                             "< A 1 1 len=100\n! received 100\n"
                                             "< A 101 1 len=100\n! received 100\n> A 1 201\n"},
        {"a window's pure ACK counts", PASSIVE "send 10\n> A 1 1 len=10\n"
                                               "< A 65536 11\nwait 10000\n"},
    };

    RUN_ROWS(rows);
}

static void the_peer_rules_the_window(void)
{
    static const struct script_row rows[] = {
        {"a small one is filled", PASSIVE_WINDOW(100) "send 250\n> A 1 1 len=100\n"
                                                      "< A 1 101 win=100\n> A 101 1 len=100\n"
                                                      "< A 1 201 win=100\n> A 201 1 len=50\n"},
        {"a silly one isn't, until its time",
         PASSIVE_WINDOW(1000) "send 3000\n> A 1 1 len=1000\n< A 1 1001 win=10\nwait 999\n"
                              "wait 1\n> A 1001 1 len=10\n< A 1 1011 win=1000\n"
                              "> A 1011 1 len=1000\n"},
        {"a closed one is probed",
         PASSIVE_WINDOW(0) "send 10\nwait 999\nwait 1\n> A 1 1 len=1\n< A 1 1 win=0\n"
                           "wait 1999\nwait 1\n> A 1 1 len=1\n< A 1 2 win=0\n"
                           "wait 3999\nwait 1\n> A 2 1 len=1\n< A 1 2 win=100\n> A 2 1 len=9\n"
                           "< A 1 11\nwait 100000\n"},
        {"what a probe brought needs no other",
         PASSIVE_WINDOW(0) "send 1\nwait 1000\n> A 1 1 len=1\n< A 1 2 win=0\nwait 2000000\n"},
        {"it closes under text", PASSIVE_WINDOW(1000) "send 1000\n> A 1 1 len=1000\n"
                                                      "< A 1 1 win=0\nwait 1000\nwait 1999\n"
                                                      "wait 1\n> A 1 1 len=1\n"
                                                      "< A 1 1 win=1000\n> A 1 1 len=1000\n"},
        {"FIN probes, too",
         PASSIVE_WINDOW(
             0) "close\nwait 1000\n> FA 1 1\n< A 1 2\n< FA 1 2\n! closed CLOSED\n> A 2 2\n"},
        {"the probes' answers keep it alive",
         PASSIVE_WINDOW(0) "send 1\nwait 240000\n"
                           "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                           "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                           "< A 1 1 win=0\nwait 240000\n"
                           "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                           "< A 1 1 win=0\nwait 240000\n"
                           "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"},
        {"silence doesn't", PASSIVE_WINDOW(0) "send 1\nwait 662999\n"
                                              "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                                              "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                                              "> A 1 1 len=1\n"
                                              "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                                              "> A 1 1 len=1\n> A 1 1 len=1\n> A 1 1 len=1\n"
                                              "> A 1 1 len=1\n> A 1 1 len=1\n"
                                              "wait 1\n! closed TIMEOUT\n> RA 1 1\n"},
        {"an old segment can't change it",
         PASSIVE_WINDOW(1000) "send 500\n> A 1 1 len=500\n< A 11 501 win=1000\n"
                              "< A 1 501 win=0\nsend 5\n> A 501 1 len=5\n"},
    };

    RUN_ROWS(rows);
}

static void lost_text_is_sent_again(void)
{
    static const struct script_row rows[] = {
        {"back-off, then the end",
         PASSIVE "send 10\n> A 1 1 len=10\nwait 999\nwait 1\n> A 1 1 len=10\n"
                 "wait 2000\n> A 1 1 len=10\nwait 4000\n> A 1 1 len=10\nwait 8000\n"
                 "> A 1 1 len=10\nwait 16000\n> A 1 1 len=10\nwait 32000\n> A 1 1 len=10\n"
                 "wait 60000\n> A 1 1 len=10\nwait 60000\n> A 1 1 len=10\n"
                 "wait 60000\n> A 1 1 len=10\nwait 60000\n> A 1 1 len=10\n"
                 "wait 60000\n> A 1 1 len=10\nwait 60000\n> A 1 1 len=10\n"
                 "wait 60000\n> A 1 1 len=10\nwait 60000\n> A 1 1 len=10\n"
                 "wait 60000\n> A 1 1 len=10\nwait 59999\nwait 1\n> RA 11 1\n! closed "
                 "TIMEOUT\nwait 100000\n"},
        {"the back-off ends with the loss",
         PASSIVE "send 10\n> A 1 1 len=10\nwait 1000\n> A 1 1 len=10\n< A 1 11\n"
                 "send 10\n> A 11 1 len=10\nwait 999\nwait 1\n> A 11 1 len=10\n< A 1 21\n"
                 "send 10\n> A 21 1 len=10\nwait 5\n< A 1 31\n"
                 "send 10\n> A 31 1 len=10\nwait 1000\n> A 31 1 len=10\n"},
        {"a long way makes patient", /* srtt 2 s, then rttvar 1 s: 2 + 4 */
         "connect\n> S 0 0\nwait 900\n< SA 0 1 mss=1000\n! opened active\n> A 1 1\n"
         "send 10\n> A 1 1 len=10\nwait 2699\nwait 1\n> A 1 1 len=10\n"},
        {"one timeout, then all behind it",
         PASSIVE "send 3000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "wait 1000\n> A 1 1 len=1000\n< A 1 1001\n"
                 "> A 1001 1 len=1000\n> A 2001 1 len=1000\n< A 1 3001\nwait 100000\n"},
        {"what arrived isn't sent again",
         PASSIVE "send 3000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "wait 1000\n> A 1 1 len=1000\n< A 1 3001\nwait 100000\n"},
        {"three duplicate ACKs",
         PASSIVE "send 6000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1\n> A 4001 1 len=1000\n< A 1 1\n"
                 "> A 5001 1 len=1000\n< A 1 1\n> A 1 1 len=1000\n"
                 "< A 1 6001\nwait 100000\n"},
        {"Karn: what went twice isn't measured", /* or 900 ms would make it 1012 ms */
         PASSIVE "send 4000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\nwait 500\n< A 1 1\n< A 1 1\n< A 1 1\n"
                 "> A 1 1 len=1000\nwait 400\n< A 1 4001\nsend 10\n> A 4001 1 len=10\n"
                 "wait 999\nwait 1\n> A 4001 1 len=10\n"},
        {"a partial ACK names the next hole",
         PASSIVE "send 6000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1\n> A 4001 1 len=1000\n< A 1 1\n"
                 "> A 5001 1 len=1000\n< A 1 1\n> A 1 1 len=1000\n"
                 "< A 1 2001\n> A 2001 1 len=1000\n< A 1 6001\n"},
        {"other windows and text aren't duplicates",
         PASSIVE "send 1000\n> A 1 1 len=1000\n< A 1 1 win=100\n< A 1 1 win=101\n"
                 "< A 1 1 win=102\n< A 1 1 len=1 win=102\n! received 1\n< A 2 1 win=103\n"},
        {"the echo of a timeout isn't loss",
         PASSIVE "send 2000\n> A 1 1 len=1000\n> A 1001 1 len=1000\nwait 1000\n"
                 "> A 1 1 len=1000\n< A 1 1001\n> A 1001 1 len=1000\n"
                 "< A 1 1001\n< A 1 1001\n< A 1 1001\n< A 1 1001\n"},
        {"FIN", PASSIVE "close\n> FA 1 1\nwait 1000\n> FA 1 1\n< A 1 2\n"},
        {"text and FIN", PASSIVE "send 10\n> A 1 1 len=10\nclose\n> FA 11 1\n"
                                 "wait 1000\n> FA 1 1 len=10\n< A 1 12\nwait 10000\n"},
        {"a pause shrinks the window",
         PASSIVE "send 4000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 4001\nwait 1001\nsend 6000\n"
                 "> A 4001 1 len=1000\n> A 5001 1 len=1000\n> A 6001 1 len=1000\n"
                 "> A 7001 1 len=1000\n"},
        {"slow start doubles",
         PASSIVE "send 9000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1001\n> A 4001 1 len=1000\n"
                 "> A 5001 1 len=1000\n< A 1 2001\n> A 6001 1 len=1000\n> A 7001 1 len=1000\n"},
    };

    RUN_ROWS(rows);
}

/* RFC 6298 section 2 and 5, and Karn. */
static void the_retransmission_timer_follows_the_rules(void)
{
    static const struct script_row rows[] = {
        {"2.1: one second without a measurement", "connect\n> S 0 0\nwait 999\nwait 1\n> S 0 0\n"},
        {"2.2: the first one gives srtt + 4 * srtt / 2",
         "connect\n> S 0 0\nwait 600\n< SA 0 1 mss=1000\n! opened active\n> A 1 1\n"
         "send 1\n> A 1 1 len=1\nwait 1799\nwait 1\n> A 1 1 len=1\n"},
        {"2.3: the next one moves it by an eighth and a quarter", /* srtt 550, rttvar 325 */
         "connect\n> S 0 0\nwait 600\n< SA 0 1 mss=1000\n! opened active\n> A 1 1\n"
         "send 1\n> A 1 1 len=1\nwait 200\n< A 1 2\nsend 1\n> A 2 1 len=1\n"
         "wait 1849\nwait 1\n> A 2 1 len=1\n"},
        {"2.4: never below a second", PASSIVE "send 1\n> A 1 1 len=1\nwait 1\n< A 1 2\n"
                                              "send 1\n> A 2 1 len=1\nwait 999\nwait 1\n"
                                              "> A 2 1 len=1\n"},
        {"3: Karn, what timed out isn't measured", /* or 1900 ms would make it longer */
         PASSIVE "send 1\n> A 1 1 len=1\nwait 1000\n> A 1 1 len=1\nwait 900\n< A 1 2\n"
                 "send 1\n> A 2 1 len=1\nwait 999\nwait 1\n> A 2 1 len=1\n"},
        {"3: Karn, a SYN that went twice isn't measured", /* but section 5.7 */
         "connect\n> S 0 0\nwait 1000\n> S 0 0\nwait 10\n< SA 0 1\n! opened active\n> A 1 1\n"
         "send 1\n> A 1 1 len=1\nwait 2999\nwait 1\n> A 1 1 len=1\n"},
        {"3: Karn, what a partial ACK resends isn't measured", /* or 900 ms: 1012 */
         PASSIVE "send 3500\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=500\n< A 1 1\n< A 1 1\n< A 1 1\n> A 1 1 len=1000\n"
                 "send 500\n> A 3501 1 len=500\nwait 500\n< A 1 3001\n> A 3001 1 len=1000\n"
                 "wait 400\n< A 1 4001\nsend 10\n> A 4001 1 len=10\nwait 999\nwait 1\n"
                 "> A 4001 1 len=10\n"},
        {"5.1: more text doesn't start it anew",
         PASSIVE "send 1\n> A 1 1 len=1\nwait 600\nsend 1\n> A 2 1 len=1\nwait 399\nwait 1\n"
                 "> A 1 1 len=2\n"},
        {"5.2: nothing under way, no timer",
         PASSIVE "send 1\n> A 1 1 len=1\nwait 5\n< A 1 2\nwait 500000\n"},
        {"5.3: an ACK of new text starts it anew",
         PASSIVE "send 2000\n> A 1 1 len=1000\n> A 1001 1 len=1000\nwait 600\n< A 1 1001\n"
                 "wait 999\nwait 1\n> A 1001 1 len=1000\n"},
        {"5.3: an ACK of nothing new doesn't",
         PASSIVE "send 2000\n> A 1 1 len=1000\n> A 1001 1 len=1000\nwait 600\n< A 1 1\n"
                 "wait 399\nwait 1\n> A 1 1 len=1000\n"},
        {"5.5: each timeout doubles it, to a minute",
         PASSIVE "send 1\n> A 1 1 len=1\nwait 1000\n> A 1 1 len=1\nwait 1999\nwait 1\n"
                 "> A 1 1 len=1\nwait 3999\nwait 1\n> A 1 1 len=1\nwait 7999\nwait 1\n"
                 "> A 1 1 len=1\nwait 15999\nwait 1\n> A 1 1 len=1\nwait 31999\nwait 1\n"
                 "> A 1 1 len=1\nwait 59999\nwait 1\n> A 1 1 len=1\n"},
    };

    RUN_ROWS(rows);
}

/* RFC 5681 section 3 and 4, RFC 6582, RFC 3042. */
static void congestion_is_answered_by_the_rules(void)
{
    static const struct script_row rows[] = {
        {"3.1: after a timeout one segment, then slow start to half, then a segment a flight",
         PASSIVE "send 6000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\nwait 1000\n> A 1 1 len=1000\n" /* ssthresh 2000 */
                 "< A 1 1001\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "< A 1 2001\n> A 3001 1 len=1000\n" /* 2500 */
                 "< A 1 4001\n> A 4001 1 len=1000\n> A 5001 1 len=1000\n"},
        {"3.1: the window grows by what is acknowledged, not by ACKs",
         PASSIVE "send 9000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 101\n< A 1 201\n< A 1 301\n< A 1 401\n"
                 "< A 1 501\n> A 4001 1 len=1000\n"},
        {"3.2: two duplicates let one new segment out each and resend nothing (RFC 3042)",
         PASSIVE "send 9000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1\n> A 4001 1 len=1000\n< A 1 1\n"
                 "> A 5001 1 len=1000\nwait 999\n"},
        {"3.2: the third resends, a fourth lets new text out, the end halves the window",
         PASSIVE "send 20000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1\n> A 4001 1 len=1000\n< A 1 1\n"
                 "> A 5001 1 len=1000\n< A 1 1\n> A 1 1 len=1000\n" /* ssthresh 3000 */
                 "< A 1 1\n> A 6001 1 len=1000\n"
                 "< A 1 6001\n> A 7001 1 len=1000\n"},
        {"3.2: a duplicate that tells a window is none",
         PASSIVE "send 9000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1 win=9001\n< A 1 1 win=9002\n< A 1 1 win=9003\n"
                 "< A 1 1 win=9004\n"},
        {"RFC 6582: each partial ACK resends one, and the loss is one event",
         PASSIVE "send 6000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 1\n> A 4001 1 len=1000\n< A 1 1\n"
                 "> A 5001 1 len=1000\n< A 1 1\n> A 1 1 len=1000\n< A 1 1001\n"
                 "> A 1001 1 len=1000\n< A 1 2001\n> A 2001 1 len=1000\n< A 1 6001\n"
                 "wait 100000\n"},
        {"4.1: a pause takes back what the window had grown",
         PASSIVE "send 4000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n> A 2001 1 len=1000\n"
                 "> A 3001 1 len=1000\n< A 1 2001\n< A 1 4001\nwait 2000\nsend 9000\n"
                 "> A 4001 1 len=1000\n> A 5001 1 len=1000\n> A 6001 1 len=1000\n"
                 "> A 7001 1 len=1000\n"},
        {"4.2: text behind a hole, and the one that fills it, are acknowledged at once",
         PASSIVE "< A 11 1 len=10\n> A 1 1\n< A 21 1 len=10\n> A 1 1\n"
                 "< A 1 1 len=10\n! received 10\n! received 20\n> A 1 31\n"},
    };

    RUN_ROWS(rows);
}

/* RFC 9293 section 3.8.4. */
static void keepalives_find_out_who_is_gone(void)
{
    static const struct script_row rows[] = {
        {"none unless they are asked for", PASSIVE "wait 100000000\n"},
        {"a peer that answers lives",
         PASSIVE "keepalive 10000\nwait 9999\nwait 1\n> A 0 1\n< A 1 1\nwait 9999\nwait 1\n"
                 "> A 0 1\n< A 1 1\nwait 10000\n> A 0 1\n"},
        {"one that doesn't is asked five times",
         PASSIVE "keepalive 10000\nwait 10000\n> A 0 1\nwait 10000\n> A 0 1\nwait 10000\n"
                 "> A 0 1\nwait 10000\n> A 0 1\nwait 10000\n> A 0 1\nwait 9999\nwait 1\n"
                 "! closed TIMEOUT\n> RA 1 1\n"},
        {"a late answer counts from anew",
         PASSIVE "keepalive 10000\nwait 40000\n> A 0 1\n> A 0 1\n> A 0 1\n> A 0 1\nwait 5000\n"
                 "< A 1 1\nwait 9999\nwait 1\n> A 0 1\n"},
        {"text from the peer is an answer",
         PASSIVE "keepalive 10000\nwait 6000\n< A 1 1 len=5\n! received 5\nwait 9999\n> A 1 6\n"
                 "wait 1\n> A 0 6\n"},
        {"what is under way waits for its own answer",
         PASSIVE "keepalive 1500\nsend 1\n> A 1 1 len=1\nwait 1000\n> A 1 1 len=1\nwait 1999\n"
                 "wait 1\n> A 1 1 len=1\n< A 1 2\nwait 1499\nwait 1\n> A 1 1\n"},
        {"a wild answer is none",
         PASSIVE "keepalive 10000\nwait 50000\n> A 0 1\n> A 0 1\n> A 0 1\n> A 0 1\n> A 0 1\n"
                 "< R 5000000 1\nwait 9999\nwait 1\n! closed TIMEOUT\n> RA 1 1\n"},
        {"a reset is an answer, too",
         PASSIVE "keepalive 10000\nwait 10000\n> A 0 1\n< R 1 0\n! closed RESET\nwait 100000\n"},
        {"off again", PASSIVE "keepalive 10000\nwait 5000\nkeepalive 0\nwait 1000000\n"},
        {"asked for before it is opened",
         "connect\n> S 0 0\nkeepalive 10000\n"
         "< SA 0 1\n! opened active\n> A 1 1\nwait 9999\nwait 1\n> A 0 1\n"},
        {"closing has timers of its own",
         PASSIVE "keepalive 10000\nclose\n> FA 1 1\n< A 1 2\nwait 179999\nwait 1\n"
                 "! closed TIMEOUT\n"},
        {"closing without an answer, too",
         PASSIVE "keepalive 1500\nclose\n> FA 1 1\nwait 1000\n> FA 1 1\nwait 2000\n> FA 1 1\n"
                 "< A 1 2\nwait 179999\nwait 1\n! closed TIMEOUT\n"},
    };

    RUN_ROWS(rows);
}

static void every_way_to_close_ends_in_order(void)
{
    static const struct script_row rows[] = {
        {"we first", PASSIVE "close\n> FA 1 1\n< A 1 2\n< FA 1 2\n! closed CLOSED\n> A 2 2\n"},
        {"we first, one answer", PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n"},
        {"both at once", PASSIVE "close\n> FA 1 1\n< FA 1 1\n> A 2 2\n< A 2 2\n! closed CLOSED\n"},
        {"the peer first", PASSIVE "< FA 1 1\n! closed PEER_FIN\n> FA 1 2\n< A 2 2\n"
                                   "< A 2 2\n> R 2 0\n"},
        {"the peer first, our answer to its last text",
         PASSIVE "on received send 5\n< FA 1 1 len=10\n! received 10\n! closed PEER_FIN\n"
                 "> FA 1 12 len=5\n< A 12 7\n"},
        {"the peer first, more queued than its window takes",
         PASSIVE_WINDOW(100) "send 150\n> A 1 1 len=100\n< FA 1 1 win=100\n! closed PEER_FIN\n"
                             "> A 101 2\n< A 2 101 win=100\n> FA 101 2 len=50\n< A 2 152\n"},
        {"half closed: the peer goes on",
         PASSIVE "close\n> FA 1 1\n< A 1 2\n< A 1 2 len=50\n! received 50\n"
                 "< A 51 2 len=50\n! received 50\n> A 2 101\n"
                 "< FA 101 2 len=10\n! received 10\n! closed CLOSED\n> A 2 112\n"},
        {"half closed in vain", PASSIVE "close\n> FA 1 1\n< A 1 2\nwait 30000\n"
                                        "< A 1 2 len=1\n! received 1\nwait 179999\n> A 2 2\n"
                                        "wait 1\n! closed TIMEOUT\n"},
        {"FIN before its text", PASSIVE "< FA 101 1\n> A 1 1\n< A 1 1 len=100\n! received 100\n"
                                        "! closed PEER_FIN\n> FA 1 102\n"},
        {"text behind FIN is none", PASSIVE "< FA 11 1\n> A 1 1\n< A 1 1 len=50\n! received 10\n"
                                            "! closed PEER_FIN\n> FA 1 12\n"},
        {"a FIN that text has overtaken is none",
         PASSIVE "< A 51 1 len=50\n> A 1 1\n< FA 61 1\n> A 1 1\n"
                 "< A 1 1 len=50\n! received 50\n! received 50\n> A 1 101\n"
                 "< FA 101 1\n! closed PEER_FIN\n> FA 1 102\n"},
        {"our last ACK was lost", PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n"
                                          "wait 20000\n< FA 1 2\n> A 2 2\n"
                                          "wait 20000\n< FA 1 2\n> A 2 2\n"
                                          "wait 30000\n< FA 1 2\n> R 2 0\n"},
        {"TIME-WAIT: a reset is no reason to forget",
         PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n< R 2 0\n"
                 "< FA 1 2\n> A 2 2\n"},
        {"TIME-WAIT: a new SYN opens",
         PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n"
                 "< S 500 0\n> SA 65538 501\n< A 501 65539\n! opened passive\n"},
        {"TIME-WAIT: an old SYN doesn't",
         PASSIVE "close\n> FA 1 1\n< FA 1 2\n! closed CLOSED\n> A 2 2\n< S 0 0\n> A 2 2\n"},
        {"closed when both at once has opened it",
         "connect\n> S 0 0\n< S 0 0\n> SA 0 1\nclose\n< A 1 1\n> FA 1 1\n"
         "< FA 1 2\n! closed CLOSED\n> A 2 2\n"},
        {"abort", PASSIVE "abort\n> RA 1 1\n< A 1 1\n> R 1 0\n"},
        {"abort behind text", PASSIVE "send 10\n> A 1 1 len=10\nabort\n> RA 11 1\n"},
        {"abort half closed", PASSIVE "close\n> FA 1 1\n< A 1 2\nabort\n> RA 2 1\n"},
        {"close twice", PASSIVE "close\n> FA 1 1\nclose\n"},
        {"nothing is taken behind close", PASSIVE "close\n> FA 1 1\nsend 10\n! took 0\n"},
        {"reset while closing", PASSIVE "close\n> FA 1 1\n< R 1 0\n! closed RESET\n"},
        {"reset after the peer's FIN", PASSIVE "< FA 1 1\n! closed PEER_FIN\n> FA 1 2\n"
                                               "< R 2 0\n< A 2 2\n> R 2 0\n"},
    };

    RUN_ROWS(rows);
}

/* RFC 5961. */
static void blind_attacks_are_challenged(void)
{
    static const struct script_row rows[] = {
        {"a reset at the number", PASSIVE "< R 1 0\n! closed RESET\n"},
        {"a reset in the window", PASSIVE "< R 2 0\n> A 1 1\n< R 65535 0\n> A 1 1\n"},
        {"a reset outside", PASSIVE "< R 0 0\n< R 70000 0\n"},
        {"SYN at the number", PASSIVE "< S 1 0\n> A 1 1\n"},
        {"SYN anywhere", PASSIVE "< S 500000 0\n> A 1 1\n< SA 0 1\n> A 1 1\n"},
        {"an ACK of what wasn't sent", PASSIVE "< A 1 2 len=5\n> A 1 1\n"},
        {"an ACK too old", PASSIVE "< A 1 -65535 len=5\n> A 1 1\n"},
        {"an ACK a little old", PASSIVE "< A 1 -65534 len=5\n! received 5\n"},
        {"a bare ACK outside", PASSIVE "< A -5 1\n> A 1 1\n< A 70000 1\n> A 1 1\n"},
        {"ten in five seconds",
         PASSIVE "< R 2 0\n> A 1 1\n< R 3 0\n> A 1 1\n< S 1 0\n> A 1 1\n< R 2 0\n> A 1 1\n"
                 "< R 2 0\n> A 1 1\n< R 2 0\n> A 1 1\n< R 2 0\n> A 1 1\n< R 2 0\n> A 1 1\n"
                 "< A 1 9\n> A 1 1\n< A -9 1\n> A 1 1\n< R 2 0\n< S 1 0\n< A 1 9\n"
                 "wait 4999\n< R 2 0\nwait 1\n< R 2 0\n> A 1 1\n"},
    };

    RUN_ROWS(rows);
}

static void callbacks_may_call_anything(void)
{
    static const struct script_row rows[] = {
        {"abort when opened: no text follows",
         "on opened abort\n< S 0 0\n> SA 0 1\n< A 1 1 len=5\n! opened passive\n> RA 1 6\n"},
        {"close when opened", "on opened close\n< S 0 0\n> SA 0 1\n< A 1 1 len=5\n"
                              "! opened passive\n! received 5\n> FA 1 6\n"},
        {"send when opened", "on opened send 7\nconnect\n> S 0 0\n< SA 0 1\n! opened active\n"
                             "> A 1 1 len=7\n"},
        {"abort when received: no more follows",
         PASSIVE "< A 101 1 len=100\n> A 1 1\non received abort\n< A 1 1 len=100\n"
                 "! received 100\n> RA 1 201\n"},
        {"close when received",
         PASSIVE "on received close\n< A 1 1 len=5\n! received 5\n> FA 1 6\n"},
        {"connect when closed", PASSIVE "on closed connect\n< R 1 0\n! closed RESET\n> S 0 0\n"},
        {"send when closed", PASSIVE "on closed send 5\n< R 1 0\n! closed RESET\n! took 0\n"},
        {"close when closed", PASSIVE "on closed close\n< R 1 0\n! closed RESET\n"},
        {"abort when closed", PASSIVE "on closed abort\n< R 1 0\n! closed RESET\n"},
        {"abort when the peer closed",
         PASSIVE "on closed abort\n< FA 1 1\n! closed PEER_FIN\n> RA 1 2\n< A 2 1\n> R 1 0\n"},
        {"a packet when received", PASSIVE "on received < A 101 1 len=100\n< A 1 1 len=100\n"
                                           "! received 100\n! received 100\n> A 1 201\n"},
        {"a packet when opened", "on opened < A 6 1 len=10\n< S 0 0\n> SA 0 1\n< A 1 1 len=5\n"
                                 "! opened passive\n! received 5\n! received 10\n> A 1 16\n"},
        {"a reset when received", PASSIVE "on received < R 101 0\n< A 1 1 len=100\n"
                                          "! received 100\n! closed RESET\n"},
        {"time when received", PASSIVE "on received wait 100\n< A 1 1 len=100\n"
                                       "! received 100\n> A 1 101\n"},
    };

    RUN_ROWS(rows);
}

static void want_of_memory_is_waited_out(void)
{
    static const struct script_row rows[] = {
        {"nothing taken, asked again", PASSIVE "starve 0\nsend 10\n! took 0\nwait 999\n"
                                               "wait 1\n! sendable\nsend 10\n> A 1 1 len=10\n"},
        {"before it is opened", "connect\n> S 0 0\nstarve 0\nsend 10\n! took 0\nwait 10\n"
                                "< SA 0 1\n! opened active\n! sendable\n> A 1 1\n"},
        {"the first buffer serves", PASSIVE "send 4000\n> A 1 1 len=1000\n> A 1001 1 len=1000\n"
                                            "> A 2001 1 len=1000\n> A 3001 1 len=1000\n"
                                            "starve 0\nsend 1000\n! took 96\n"
                                            "< A 1 2001\n! sendable\n> A 4001 1 len=96\n"},
    };

    RUN_ROWS(rows);
}

/* ---- numbers that nobody guesses */

struct probe {
    struct s2_fake_env fake;
    struct s2_host *host;
    uint32_t iss;
    uint16_t port;
};

static void keep_syn(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct probe *probe = user;
    struct s2_tcp_segment s;
    struct s2_inet_view v;

    (void)now_ns;
    if (!s2_inet_view(p, len, &v) || !s2_tcp_parse(p, &v, &s))
        return;
    probe->iss = s.seq;
    probe->port = s.source_port;
}

static void ignore_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)passive, (void)now_ns;
}

static void ignore_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                            uint64_t now_ns)
{
    (void)user, (void)tcp, (void)p, (void)len, (void)now_ns;
}

static void ignore_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)now_ns;
}

static void ignore_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    (void)user, (void)tcp, (void)end, (void)now_ns;
}

static const struct s2_host_ops probe_ops = {keep_syn, ignore_opened, ignore_received,
                                             ignore_sendable, ignore_closed};

/* The SYN that a host with this key and this randomness sends at this time. */
static void probe_syn(struct probe *probe, uint64_t key, uint64_t seed, uint64_t now_ns)
{
    const struct s2_host_spec spec = {
        .address = s2_address_ipv4(0x0a000001), .peer = s2_address_ipv4(0x0a000002), .mtu = 1500};
    struct s2_tcp *tcp;

    s2_fake_env_init(&probe->fake, key);
    probe->fake.random_state = seed;
    CU_ASSERT_EQUAL_FATAL(s2_host_new(&probe->fake.env, &spec, &probe_ops, probe, &probe->host),
                          S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_tcp_connect(probe->host, 179, NULL, now_ns, &tcp), S2SVPN_OK);
    s2_host_free(probe->host);
}

/* RFC 6528 section 3. */
static void sequence_numbers_follow_key_ports_and_clock(void)
{
    const uint64_t now_ns = 5 * S2_SECOND;
    struct probe first, other;

    probe_syn(&first, 1, 1, now_ns);
    CU_ASSERT(first.port >= 49152);
    probe_syn(&other, 1, 1, now_ns);
    CU_ASSERT_EQUAL(other.iss, first.iss);
    CU_ASSERT_EQUAL(other.port, first.port);
    probe_syn(&other, 1, 1, now_ns + 4000 * 250);
    CU_ASSERT_EQUAL(other.iss - first.iss, 250);
    probe_syn(&other, 1, 2, now_ns);
    CU_ASSERT_NOT_EQUAL(other.port, first.port);
    CU_ASSERT_NOT_EQUAL(other.iss, first.iss);
    probe_syn(&other, 2, 1, now_ns);
    CU_ASSERT_EQUAL(other.port, first.port);
    CU_ASSERT_NOT_EQUAL(other.iss, first.iss);
}

const CU_TestInfo s2_test_tcp[] = {
    {"the state table is the reviewed one", the_state_table_is_the_reviewed_one},
    {"every handshake opens one stream", every_handshake_opens_one_stream},
    {"handshakes that fail say how", handshakes_that_fail_say_how},
    {"a lost SYN makes sending careful", lost_syn_makes_sending_careful},
    {"segments fit the peer and the tunnel", segments_fit_the_peer_and_the_tunnel},
    {"text arrives once and in order", text_arrives_once_and_in_order},
    {"the peer rules the window", the_peer_rules_the_window},
    {"lost text is sent again", lost_text_is_sent_again},
    {"the retransmission timer follows the rules", the_retransmission_timer_follows_the_rules},
    {"congestion is answered by the rules", congestion_is_answered_by_the_rules},
    {"keepalives find out who is gone", keepalives_find_out_who_is_gone},
    {"every way to close ends in order", every_way_to_close_ends_in_order},
    {"blind attacks are challenged", blind_attacks_are_challenged},
    {"callbacks may call anything", callbacks_may_call_anything},
    {"want of memory is waited out", want_of_memory_is_waited_out},
    {"sequence numbers follow key, ports and clock", sequence_numbers_follow_key_ports_and_clock},
    CU_TEST_INFO_NULL,
};
