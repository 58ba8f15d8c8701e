/* SPDX-License-Identifier: Apache-2.0 */
/* Two workers judge packets of the same flows while the control thread changes rules,
 * members and ports; a program of its own, for thread sanitizers. POSIX threads, since
 * those sanitizers don't follow <threads.h>. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "firewall/world.h"

#define WORKERS 2
#define CHANGES 2000
#define LEAST_BATCHES 500
#define HERE "10.0.1.10"
#define OFFICE "192.168.0.9"
#define MEMBER "10.0.1.11"
#define GUEST "10.0.1.12"

struct shared {
    struct s2_env env;
    struct s2_epochs epochs;
    struct s2_firewall *fw;
    struct s2_firewall_group *group, *named;
    struct s2_firewall_port *steady;
    _Atomic(struct s2_firewall_port *) passing; /* one that goes, and another comes */
    _Atomic uint64_t now_ns;
    atomic_bool stop;
    atomic_size_t slow; /* workers that haven't made LEAST_BATCHES yet */
};

struct worker {
    pthread_t thread;
    struct shared *shared;
    size_t number, batches, wrong;
};

/* What each packet of a batch must come to, whatever the control thread does. */
enum verdict { PASSES, REFUSED, EITHER };
static const struct {
    struct packet packet;
    bool out;
    enum verdict verdict;
} rows[] = {
    {{OFFICE, HERE, TCP, 5, 22, ACK}, false, PASSES},  /* by every set of rules */
    {{OFFICE, HERE, TCP, 5, 24, ACK}, false, REFUSED}, /* by none */
    {{OFFICE, HERE, TCP, 5, 23, ACK}, false, EITHER},
    {{MEMBER, HERE, UDP, 5, 53}, false, PASSES}, /* a member that stays */
    {{GUEST, HERE, UDP, 5, 53}, false, EITHER},
    {{OFFICE, HERE, UDP, 5, 53}, false, REFUSED},    /* never a member */
    {{HERE, OFFICE, TCP, 22, 5, ACK}, true, EITHER}, /* its answer, or not yet opened */
    {{HERE, GUEST, UDP, 53, 5}, true, EITHER},
    {{HERE, OFFICE, ICMP, ECHO, 9}, true, EITHER},
    {{OFFICE, HERE, ICMP, ECHO, 9}, false, REFUSED},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static size_t judge(struct worker *t, struct s2_firewall_port *port, bool out, bool steady)
{
    struct wire wire[ROWS];
    struct s2_firewall_packet p[ROWS];
    enum verdict verdict[ROWS];
    size_t n = 0, wrong = 0;

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].out != out)
            continue;
        wire_write(&wire[n], port, &rows[i].packet);
        p[n] = wire[n].packet;
        verdict[n++] = rows[i].verdict;
    }
    s2_firewall_check(t->shared->fw, out ? S2_FIREWALL_OUT : S2_FIREWALL_IN, p, n,
                      atomic_load(&t->shared->now_ns));
    for (size_t i = 0; i < n; i++) {
        wrong += verdict[i] == REFUSED && p[i].drop != S2SVPN_DROP_SECURITY_GROUP;
        wrong += steady && verdict[i] == PASSES && p[i].drop != S2SVPN_DROP_NONE;
    }
    return wrong;
}

/* CUnit's checks aren't made for threads: count here, check in the test. */
static void *work(void *arg)
{
    struct worker *t = arg;
    struct shared *s = t->shared;

    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        s2_epoch_enter(&s->epochs, t->number);
        for (unsigned out = 0; out < 2; out++) {
            t->wrong += judge(t, s->steady, out, true);
            t->wrong +=
                judge(t, atomic_load_explicit(&s->passing, memory_order_acquire), out, false);
        }
        s2_epoch_leave(&s->epochs, t->number);
        if (++t->batches == LEAST_BATCHES)
            atomic_fetch_sub(&s->slow, 1);
    }
    return NULL;
}

static struct s2_firewall_port *make_port(struct shared *s, const char *address,
                                          struct s2_firewall_group *g)
{
    const s2svpn_address a = addr(address);
    struct s2_firewall_port *port;

    if (s2_firewall_port_new(s->fw, &port) != S2SVPN_OK ||
        s2_firewall_port_set_addresses(port, &a, 1) != S2SVPN_OK ||
        s2_firewall_port_set_groups(port, &g, 1) != S2SVPN_OK)
        abort();
    return port;
}

static void set_rules(struct shared *s, bool more)
{
    const struct s2_firewall_rule in[] = {
        rule(TCP, 22, 22, "192.168.0.0/16"),
        group_rule(UDP, 53, 53, s->named),
        rule(TCP, 23, 23, "0.0.0.0/0"),
    };
    struct s2_firewall_rule all[2];

    s2_firewall_allow_all(all);
    set_in(s->group, in, more ? 3 : 2);
    set_out(s->group, all, more ? 2 : 0);
}

static void change(struct shared *s, unsigned i, struct s2_firewall_port **guest)
{
    struct s2_firewall_port *old;

    switch (i % 4) {
    case 0:
        set_rules(s, i / 4 % 2);
        break;
    case 1:
        if (*guest != NULL) {
            s2_firewall_port_free(*guest);
            *guest = NULL;
        } else {
            *guest = make_port(s, GUEST, s->named);
        }
        break;
    case 2:
        old = atomic_load(&s->passing);
        atomic_store_explicit(&s->passing, make_port(s, HERE, s->group), memory_order_release);
        s2_firewall_port_free(old);
        break;
    default:
        atomic_fetch_add(&s->now_ns, SECOND_NS);
        s2_firewall_expire(s->fw, atomic_load(&s->now_ns));
        break;
    }
}

static void set_up(struct shared *s)
{
    s->env = (struct s2_env){.memory = s2_memory_default()};
    s2_epochs_init(&s->epochs, WORKERS);
    atomic_init(&s->now_ns, 1000 * SECOND_NS);
    atomic_init(&s->stop, false);
    atomic_init(&s->slow, WORKERS);
    if (s2_firewall_new(&s->env, &s->epochs, NULL, &s->fw) != S2SVPN_OK ||
        s2_firewall_group_new(s->fw, &s->group) != S2SVPN_OK ||
        s2_firewall_group_new(s->fw, &s->named) != S2SVPN_OK)
        abort();
    set_rules(s, false);
    s->steady = make_port(s, HERE, s->group);
    atomic_init(&s->passing, make_port(s, HERE, s->group));
}

static void workers_see_whole_rules_while_they_change(void)
{
    struct shared s;
    struct worker worker[WORKERS];
    struct s2_firewall_port *guest = NULL;
    struct s2_firewall_counts counts;

    set_up(&s);
    struct s2_firewall_port *member = make_port(&s, MEMBER, s.named);
    for (size_t i = 0; i < WORKERS; i++) {
        worker[i] = (struct worker){.shared = &s, .number = i};
        if (pthread_create(&worker[i].thread, NULL, work, &worker[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < CHANGES || atomic_load(&s.slow) > 0; i++) {
        change(&s, i, &guest);
        if (i % 16 == 0)
            sched_yield();
    }
    atomic_store(&s.stop, true);
    for (size_t i = 0; i < WORKERS; i++) {
        CU_ASSERT_EQUAL(pthread_join(worker[i].thread, NULL), 0);
        CU_ASSERT(worker[i].batches >= LEAST_BATCHES);
        CU_ASSERT_EQUAL(worker[i].wrong, 0);
    }
    s2_firewall_port_free(member);
    s2_firewall_port_free(guest);
    s2_firewall_port_free(s.steady);
    s2_firewall_port_free(atomic_load(&s.passing));
    s2_epoch_reclaim(&s.epochs);
    s2_firewall_get_counts(s.fw, &counts);
    CU_ASSERT_EQUAL(counts.flows, 0);
    CU_ASSERT(counts.opened > 0);
    free_group(s.group);
    free_group(s.named);
    s2_firewall_free(s.fw);
    s2_epochs_clear(&s.epochs);
}

static const CU_TestInfo tests[] = {
    {"workers see whole rules while they change", workers_see_whole_rules_while_they_change},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"firewall/threads", tests}};

    return s2_run_suites(suites, 1, argc, argv);
}
