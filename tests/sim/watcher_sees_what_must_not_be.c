/* SPDX-License-Identifier: Apache-2.0 */
/* The campaigns trust their watcher: so each of its complaints is provoked once, with
 * real packets that are spoiled, and each of the campaign's scales is shown to move. */
#include "campaign.h"

#include <string.h>

#define PING_LEN 100 /* shorter than the ping of below, longer than BGP's */

/* The last ESP packet that somebody sent. */
struct sample {
    s2svpn_datagram d;
    uint8_t data[2048];
};

static void keep(void *user, s2svpn_sim *sim, s2svpn_datagram *d, s2svpn_sim_fate *fate,
                 uint64_t now_ns)
{
    static const uint8_t marker[4]; /* of IKE */
    struct sample *s = user;

    (void)sim;
    (void)fate;
    (void)now_ns;
    if (d->local.role == S2SVPN_ROLE_IKE || d->len < PING_LEN || d->len > sizeof(s->data) ||
        memcmp(d->data, marker, sizeof(marker)) == 0)
        return;
    s->d = *d;
    memcpy(s->data, d->data, d->len);
    s->d.data = s->data;
}

static bool begin(struct campaign *c, struct sample *sample, uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    if (!campaign_open(c, &plan))
        return false;
    s2svpn_sim_set_filter(c->s.sim, keep, sample);
    scene_ping(&c->s.device, PING_LEN);
    scene_run(&c->s, SECOND);
    campaign_judge_wire(c); /* nothing to complain about so far */
    return CHECK(sample->d.len > PING_LEN);
}

static void wire(uint64_t seed)
{
    static struct sample sample;
    struct campaign c;

    if (begin(&c, &sample, seed)) {
        struct watch *w = &c.watch;

        watch_wire(w, &sample.d);
        CHECK(w->repeated == 1 && w->wrong_key == 0);
        sample.data[sample.d.len - 1] ^= 1;
        watch_wire(w, &sample.d);
        CHECK(w->wrong_key == 1 && w->stranger == 0);
        sample.data[0] ^= 0x80;
        watch_wire(w, &sample.d);
        CHECK(w->stranger == 1 && w->plaintext == 0 && w->nonsense == 0);
        packet_echo(sample.data + 20, ECHO_REQUEST, c.s.device.address, c.s.gateway.address, 1, 1,
                    32);
        watch_wire(w, &sample.d);
        CHECK(w->plaintext == 1);
        watch_key(w, false, "no line");
        CHECK(w->broken);
    }
    campaign_close(&c);
}

/* A child that nobody uses any more but still listens is noticed: just after a rekey the
 * old one does. */
static void live_children(uint64_t seed)
{
    static struct sample sample;
    struct campaign c;
    unsigned live = 0;

    if (begin(&c, &sample, seed)) {
        CHECK(watch_only_current_children_live(&c.watch, &c.s.device, c.s.site, &live));
        CHECK(live == 2);
        CHECK(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(c.s.site, 0)) == S2SVPN_OK);
        scene_run(&c.s, SECOND);
        CHECK(!watch_only_current_children_live(&c.watch, &c.s.device, c.s.site, &live));
        CHECK(live == 3);
        scene_run(&c.s, CAMPAIGN_LINGER_NS);
        CHECK(watch_only_current_children_live(&c.watch, &c.s.device, c.s.site, &live));
        CHECK(c.scale.bytes > 0 && c.scale.peak >= c.scale.bytes);
    }
    campaign_close(&c);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"on the wire", wire, 2},
        {"at an end that keeps too much", live_children, 2},
    };

    return scene_main(argc, argv, "sim/watcher_sees_what_must_not_be", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
