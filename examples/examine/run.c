/* SPDX-License-Identifier: Apache-2.0 */
/* One step after the other: wait until it may be taken, do its deed, look until it is decided
 * or its time is over. Twenty looks a second. */
#include "examine/examine.h"

#include <event2/event.h>
#include <s2svpn/fault.h>
#include <s2svpn/ping.h>
#include <stdio.h>
#include <string.h>

#define LOOK_US 50000
#define INSIDE_EVERY_NS (SECOND_NS / 2)
#define CUT_EVERY_NS (2 * SECOND_NS)
#define SETTLED_NS (5 * SECOND_NS / 2) /* since the tunnels changed: traffic has found its way */
#define GOODBYE_NS (3 * SECOND_NS)

static const struct planned *current(const struct examine *x)
{
    return &x->plan[x->at];
}

static s2svpn_tunnel *tunnel_of(const struct examine *x)
{
    return s2svpn_connection_tunnel(x->conn, current(x)->tunnel);
}

/* ---- the end */

static void finish(struct examine *x)
{
    const uint64_t now = x->now.now_ns;

    x->done = true;
    x->report.seconds = seconds_between(x->started_ns, now);
    event_del(x->tick);
    s2svpn_tunnel_clear_faults(s2svpn_connection_tunnel(x->conn, 0));
    if (s2svpn_connection_tunnel(x->conn, 1))
        s2svpn_tunnel_clear_faults(s2svpn_connection_tunnel(x->conn, 1));
    s2svpn_context_stop(x->program.ctx, now + GOODBYE_NS, now);
}

static void record(struct examine *x, const struct finding *f, double seconds)
{
    const struct planned *p = current(x);
    struct outcome o = {.run = x->report.runs,
                        .step = p->step->id,
                        .what = p->step->what,
                        .tunnel = p->step->once ? 0 : p->tunnel + 1,
                        .seconds = seconds,
                        .finding = *f};

    step_id(p->step, p->tunnel, o.id, sizeof(o.id));
    if (!x->quiet) {
        report_text_line(stdout, &o);
        fflush(stdout);
    }
    if (!report_add(&x->report, &o))
        x->report.ended = "no memory";
}

static void leave(struct examine *x, const char *why)
{
    struct finding f = {0};

    x->report.ended = why;
    for (; x->at < x->planned; x->at++) {
        find(&f, x->begun ? VERDICT_FAIL : VERDICT_SKIP, "%s",
             x->begun ? "not decided before the end" : "the end came before it");
        record(x, &f, x->begun ? seconds_between(x->began_ns, x->now.now_ns) : 0);
        x->begun = false;
    }
    finish(x);
}

void run_interrupt(void *examine)
{
    struct examine *x = examine;

    if (!x->done)
        leave(x, "told to end");
}

/* ---- from step to step */

/* Does the next one go on with what this one has provoked? */
static bool goes_on(const struct examine *x)
{
    const struct planned *here = current(x), *next = here + 1;

    return here->step->keeps && x->at + 1 < x->planned && next->tunnel == here->tunnel &&
           next->step->group == here->step->group && next->step == here->step + 1;
}

static void go_on(struct examine *x)
{
    x->begun = false;
    x->asked_ns = x->now.now_ns;
    if (++x->at < x->planned)
        return;
    if (report_is_good(&x->report) && (x->repeat == 0 || x->report.runs < x->repeat)) {
        x->report.runs++;
        x->at = 0;
        if (!x->quiet)
            printf("run %u\n", x->report.runs);
        return;
    }
    finish(x);
}

static void end_step(struct examine *x, const struct finding *f)
{
    const struct planned *p = current(x);

    record(x, f, seconds_between(x->began_ns, x->now.now_ns));
    if (f->verdict == VERDICT_FAIL &&
        (p->step->judge == judge_ike || p->step->judge == judge_ipsec ||
         p->step->judge == judge_bgp || p->step->judge == judge_return))
        x->given_up[p->tunnel] = true;
    if (f->verdict == VERDICT_FAIL && p->step->judge == judge_through)
        x->through_failed = true;
    x->kept = p->step->deed == DEED_PROVOKE && goes_on(x);
    if (p->step->deed == DEED_PROVOKE && !x->kept)
        s2svpn_tunnel_clear_faults(tunnel_of(x));
    go_on(x);
}

/* ---- may it be taken? */

/* Nobody would come: don't wait. */
static bool is_hopeless(const struct examine *x)
{
    const struct step *s = current(x)->step;
    const unsigned t = current(x)->tunnel;

    if ((s->needs & NEED_BGP && !x->now.bgp) ||
        (s->needs & (NEED_ASKED | NEED_THROUGH) && !x->now.through.asked) ||
        (s->needs & NEED_THROUGH && x->through_failed))
        return true;
    if (s->needs & (NEED_IKE | NEED_IPSEC | NEED_UP))
        return x->given_up[t];
    if (s->needs & NEED_BOTH)
        return x->given_up[0] || x->given_up[1];
    return s->needs & NEED_ANY_UP && x->given_up[0] && x->given_up[1];
}

static bool is_settled(const struct examine *x)
{
    const struct step *s = current(x)->step;
    const uint64_t now = x->now.now_ns;

    if (s->deed != DEED_PROVOKE)
        return true;
    for (unsigned t = 0; t < 2; t++) {
        if ((s->needs & NEED_BOTH || t == current(x)->tunnel) &&
            now - x->now.tunnel[t].info.changed_ns < SETTLED_NS)
            return false;
    }
    return true;
}

/* @return true: it may be taken now. */
static bool may_begin(struct examine *x)
{
    const struct planned *p = current(x);
    const char *lacks = step_lacks(p->step, p->tunnel, &x->now, x->through.ever);
    const bool late = x->now.now_ns - x->asked_ns > x->wait_s * SECOND_NS;
    const bool idle = p->step->deed == DEED_CLEAR && !x->kept;
    struct finding f = {0};

    if (idle)
        lacks = "nothing has happened that it could come back from";
    if (lacks == NULL)
        return is_settled(x);
    if (!is_hopeless(x) && !late && !idle)
        return false;
    if (late && p->step->needs & (NEED_UP | NEED_IPSEC | NEED_IKE))
        x->given_up[p->tunnel] = true;
    find(&f, VERDICT_SKIP, "%s", lacks);
    record(x, &f, seconds_between(x->asked_ns, x->now.now_ns));
    go_on(x);
    return false;
}

/* ---- deeds */

static void ping_inside(struct examine *x, uint16_t len)
{
    if (s2svpn_tunnel_ping(tunnel_of(x), ++x->sequence, len) == S2SVPN_OK)
        x->now.tunnel[current(x)->tunnel].inside_sent++;
}

static void provoke(struct examine *x)
{
    const struct step *s = current(x)->step;
    struct finding f = {0};

    if (s2svpn_tunnel_provoke(tunnel_of(x), (enum s2svpn_fault)s->fault) == S2SVPN_OK)
        return;
    find(&f, VERDICT_FAIL, "%s can't be provoked: %s",
         s2svpn_fault_text((enum s2svpn_fault)s->fault),
         s2svpn_context_error(x->program.ctx)->message);
    end_step(x, &f);
    x->kept = false;
}

static void check_liveness(struct examine *x)
{
    struct finding f = {0};

    if (s2svpn_tunnel_check(tunnel_of(x)) == S2SVPN_OK)
        return;
    find(&f, VERDICT_WARN, "%s", s2svpn_context_error(x->program.ctx)->message);
    end_step(x, &f);
}

static void begin_step(struct examine *x)
{
    const struct planned *p = current(x);
    struct tunnel_facts *f = &x->now.tunnel[p->tunnel];

    x->begun = true;
    x->began_ns = x->now.now_ns;
    through_begin(&x->through);
    through_facts(&x->through, x->now.now_ns, &x->now.through);
    f->longest = 0;
    f->searched = false;
    x->was = x->now;
    x->ping_ns = 0;
    if (p->step->deed == DEED_SIZES)
        search_begin(&x->search, f->info.mtu);
    else if (p->step->deed == DEED_CLEAR)
        s2svpn_tunnel_clear_faults(tunnel_of(x));
    else if (p->step->deed == DEED_PROVOKE)
        provoke(x);
    else if (p->step->deed == DEED_CHECK)
        check_liveness(x);
}

static void look_for_size(struct examine *x)
{
    struct tunnel_facts *f = &x->now.tunnel[current(x)->tunnel];
    s2svpn_tunnel_pings pings = {.size = sizeof(pings)};
    uint16_t len;

    s2svpn_tunnel_get_pings(tunnel_of(x), &pings);
    len = search_step(&x->search, pings.sequence == x->sequence ? pings.len : 0, x->now.now_ns);
    if (len)
        ping_inside(x, len);
    f->longest = x->search.good;
    f->searched = x->search.now == 0;
}

/* What goes on while it is looked at. */
static void keep_doing(struct examine *x)
{
    const uint64_t now = x->now.now_ns;
    const uint8_t deed = current(x)->step->deed;

    if (deed == DEED_SIZES)
        look_for_size(x);
    if (now < x->ping_ns)
        return;
    if (deed == DEED_PING_INSIDE) {
        x->ping_ns = now + INSIDE_EVERY_NS;
        ping_inside(x, 0);
    } else if (deed == DEED_CUT) {
        x->ping_ns = now + CUT_EVERY_NS;
        through_cut(&x->through, now);
    }
}

/* ---- the loop */

static void take(struct examine *x)
{
    const struct planned *p = current(x);
    struct finding f = {0};

    if (!x->begun) {
        if (!may_begin(x))
            return;
        begin_step(x); /* what it has changed is seen with the next look */
        return;
    }
    keep_doing(x);
    x->now.over =
        x->now.now_ns - x->began_ns > (p->step->limit_s ? p->step->limit_s : x->wait_s) * SECOND_NS;
    p->step->judge(&x->was, &x->now, p->tunnel, &f);
    if (f.verdict == VERDICT_NONE && x->now.over)
        find(&f, VERDICT_FAIL, "not decided in time");
    if (f.verdict != VERDICT_NONE)
        end_step(x, &f);
}

/* Who asks only when nothing comes must not see our pings, and with IKEv1 their answers would
 * do for an answer to ours. */
static bool is_quiet(const struct examine *x)
{
    const struct step *s = current(x)->step;

    return x->begun &&
           (s->deed == DEED_CHECK || (s->deed == DEED_PROVOKE && s->fault == S2SVPN_FAULT_NO_DPD));
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct examine *x = arg;
    const uint64_t now = s2svpn_host_now();

    (void)fd;
    (void)what;
    if (x->done)
        return;
    watch_look(&x->watch, now);
    for (unsigned t = 0; t < 2; t++)
        x->given_up[t] = x->given_up[t] && !x->now.tunnel[t].info.up;
    if ((x->now.tunnel[0].info.up || x->now.tunnel[1].info.up) && !is_quiet(x))
        through_tick(&x->through, now);
    through_facts(&x->through, now, &x->now.through);
    if (x->timeout_s && now - x->started_ns > x->timeout_s * SECOND_NS)
        leave(x, "the time of --timeout is over");
    else
        take(x);
}

void run_begin(struct examine *x)
{
    const struct timeval every = {.tv_usec = LOOK_US};

    x->watch.facts = &x->now;
    x->watch.ctx = x->program.ctx;
    x->watch.conn = x->conn;
    x->report.runs = 1;
    x->started_ns = x->asked_ns = x->now.now_ns = s2svpn_host_now();
    x->tick = event_new(x->program.base, -1, EV_PERSIST, on_tick, x);
    if (!watch_begin(&x->watch) || x->tick == NULL || event_add(x->tick, &every) != 0)
        program_fail(&x->program, s2svpn_context_error(x->program.ctx));
}
