/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been seen of a device, as plain values, and what a step makes of it. No context,
 * no clock, no I/O: watch.c fills the facts in, judge.c reads them.
 */
#ifndef S2_EXAMINE_FACTS_H
#define S2_EXAMINE_FACTS_H

#include <s2svpn/fault.h>
#include <s2svpn/tunnel.h>

#define WORDS_MAX 320
#define SECOND_NS 1000000000ull

struct tunnel_facts {
    s2svpn_tunnel_info info;
    /* events, counted */
    uint32_t child_new, child_rekeyed;
    uint32_t bgp_up, bgp_down;
    uint32_t unanswered; /* liveness checks of the device's, for a fault that we provoked */
    /* pings between the inside addresses: ours, their answers, and the device's own */
    uint32_t inside_sent, inside_answered, inside_asked;
    uint32_t in_lately; /* packets that came by it within the last two seconds */
    /* the last words of the library: IKE, BGP's last setback, BGP between other addresses */
    char ike_said[WORDS_MAX], bgp_said[WORDS_MAX], stranger[WORDS_MAX];
    uint64_t ike_said_ns, bgp_said_ns, stranger_ns;
    uint32_t prefixes;
    char announced[WORDS_MAX]; /* the first of them */
    uint16_t longest;          /* ping with DF that came back, in the search for the MTU */
    bool searched;             /* that is over */
};

/* From a VPC host to --ping's address, every fifth of a second since a step's beginning. */
struct through_facts {
    bool asked;                  /* --ping was given */
    uint32_t sent, answered;     /* since the step began */
    uint32_t lost;               /* of those sent two seconds ago or earlier */
    uint64_t first_ns;           /* when the first of them was answered; 0: none */
    uint64_t last_ns;            /* and the last */
    bool cut_sent, cut_answered; /* one too long for the tunnel, without DF */
};

struct facts {
    uint64_t now_ns;
    bool over; /* the step's time */
    bool bgp;  /* the document has BGP */
    uint32_t customer_asn, amazon_asn;
    uint32_t limit;  /* of prefixes */
    uint64_t strays; /* IKE requests from addresses that no tunnel expects */
    char ping[S2SVPN_ADDRESS_TEXT], vpc[S2SVPN_PREFIX_TEXT], instance[S2SVPN_ADDRESS_TEXT];
    char outside[2][S2SVPN_ADDRESS_TEXT], customer[S2SVPN_ADDRESS_TEXT]; /* the document's */
    char algorithms[2][2][64]; /* of each tunnel the document's, for IKE and ESP */
    struct tunnel_facts tunnel[2];
    struct through_facts through;
};

enum verdict { VERDICT_NONE, VERDICT_PASS, VERDICT_WARN, VERDICT_FAIL, VERDICT_SKIP };
/* "PASS"; "pass" is JSON's. */
const char *verdict_text(enum verdict v);
const char *verdict_word(enum verdict v);

struct finding {
    enum verdict verdict;
    char words[WORDS_MAX];
};

/* Decide, or leave it at NONE: go on waiting. @p was: at the step's beginning; @p now.over:
 * NONE isn't allowed any more. */
typedef void judge_fn(const struct facts *was, const struct facts *now, unsigned tunnel,
                      struct finding *out);

judge_fn judge_ike, judge_ipsec, judge_inside, judge_bgp, judge_prefixes, judge_through, judge_nat,
    judge_mtu, judge_fragments;
judge_fn judge_dpd, judge_rekey, judge_delete, judge_reset, judge_withdraw, judge_over_limit,
    judge_return, judge_failover, judge_no_dpd, judge_maintenance;

void find(struct finding *out, enum verdict verdict, const char *format, ...) S2SVPN_PRINTF(3, 4);
double seconds_between(uint64_t from_ns, uint64_t to_ns);

#endif
