/* SPDX-License-Identifier: Apache-2.0 */
/* The steps, as a table, and the order in which they are taken. */
#ifndef S2_EXAMINE_STEPS_H
#define S2_EXAMINE_STEPS_H

#include "examine/facts.h"

/* What must be so before a step is taken; else it is skipped. */
enum need {
    NEED_IPSEC = 1u << 0,   /* a child SA of its tunnel */
    NEED_UP = 1u << 1,      /* its tunnel is up */
    NEED_BOTH = 1u << 2,    /* both are */
    NEED_BGP = 1u << 3,     /* the document has BGP */
    NEED_THROUGH = 1u << 4, /* --ping, and it was answered once */
    NEED_ASKED = 1u << 5,   /* --ping */
    NEED_ANY_UP = 1u << 6,  /* one tunnel at least */
    NEED_IKE = 1u << 7,     /* an IKE SA of its tunnel */
};

/* What is done at its beginning. */
enum deed {
    DEED_NONE,
    DEED_PROVOKE,     /* .fault */
    DEED_CLEAR,       /* end the faults of its tunnel */
    DEED_PING_INSIDE, /* again and again, from the tunnel's inside address */
    DEED_SIZES,       /* look for the longest ping that passes */
    DEED_CUT,         /* a ping that is too long, to be cut */
    DEED_CHECK,       /* ask its IKE whether it is there */
};

struct step {
    const char *id;
    const char *what; /* for people, and JUnit's name */
    uint8_t group;    /* those of a number are taken for tunnel 1, then for tunnel 2; 0: each row
                       * by itself for both */
    bool once;        /* not of each tunnel */
    bool keeps;       /* what was provoked goes on into the next row, which ends it */
    uint8_t deed;     /* enum deed */
    uint8_t fault;    /* enum s2svpn_fault */
    uint8_t needs;    /* enum need */
    uint16_t limit_s; /* 0: --wait */
    judge_fn *judge;
};

extern const struct step steps[];
extern const size_t step_count;

#define PLAN_MAX 96
struct planned {
    const struct step *step;
    unsigned tunnel;
};
/* "failover" or "failover-1"? */
bool step_matches(const struct step *s, unsigned tunnel, const char *name, size_t len);
/* "failover-1", or "through" */
void step_id(const struct step *s, unsigned tunnel, char *out, size_t size);
/* @param only  names between commas; NULL: all steps.
 * @return how many; 0: a name is none, *bad says which. */
size_t plan_make(const char *only, size_t tunnels, struct planned *out, const char **bad);
/* May it be taken? NULL, or why not. @p up: at least once each tunnel was up. */
const char *step_lacks(const struct step *s, unsigned tunnel, const struct facts *now,
                       bool answered_once);

#endif
