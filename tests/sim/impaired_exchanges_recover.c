/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange after the other is spoiled, each way that the list has, from the first
 * message on: the tunnels come up, are rekeyed by both sides, and are well. */
#include "campaign.h"

/* Rules of a row apply together; nth and count may be 0 and are then the seed's. */
static const struct row {
    const char *name;
    struct impair_rule rule[2];
} rows[] = {
    {"each IKE_SA_INIT comes again", {{.what = IMPAIR_REPLAY, .exchange = IKE_SA_INIT}}},
    {"each IKE_AUTH comes again", {{.what = IMPAIR_REPLAY, .exchange = IKE_AUTH}}},
    {"each CREATE_CHILD_SA comes again", {{.what = IMPAIR_REPLAY, .exchange = CREATE_CHILD_SA}}},
    {"each request comes again", {{.what = IMPAIR_REPLAY, .kind = IMPAIR_REQUEST}}},
    {"each message comes twice", {{.what = IMPAIR_DUPLICATE}}},
    {"ESP comes again and twice",
     {{.what = IMPAIR_REPLAY, .exchange = NOT_IKE, .from = IMPAIR_GATEWAY},
      {.what = IMPAIR_DUPLICATE, .exchange = NOT_IKE, .from = IMPAIR_DEVICE}}},
    {"an IKE_SA_INIT request is lost",
     {{.what = IMPAIR_DROP, .exchange = IKE_SA_INIT, .kind = IMPAIR_REQUEST, .count = 3}}},
    {"an IKE_SA_INIT response is lost",
     {{.what = IMPAIR_DROP, .exchange = IKE_SA_INIT, .kind = IMPAIR_RESPONSE, .count = 3}}},
    {"an IKE_AUTH request is lost",
     {{.what = IMPAIR_DROP, .exchange = IKE_AUTH, .kind = IMPAIR_REQUEST, .count = 3}}},
    {"an IKE_AUTH response is lost",
     {{.what = IMPAIR_DROP, .exchange = IKE_AUTH, .kind = IMPAIR_RESPONSE, .count = 3}}},
    {"a CREATE_CHILD_SA request is lost",
     {{.what = IMPAIR_DROP, .exchange = CREATE_CHILD_SA, .kind = IMPAIR_REQUEST, .count = 3}}},
    {"a CREATE_CHILD_SA response is lost",
     {{.what = IMPAIR_DROP, .exchange = CREATE_CHILD_SA, .kind = IMPAIR_RESPONSE, .count = 3}}},
    {"an INFORMATIONAL request is lost",
     {{.what = IMPAIR_DROP, .exchange = INFORMATIONAL, .kind = IMPAIR_REQUEST, .count = 3}}},
    {"an INFORMATIONAL response is lost",
     {{.what = IMPAIR_DROP, .exchange = INFORMATIONAL, .kind = IMPAIR_RESPONSE, .count = 3}}},
    {"bits of IKE_SA_INIT flip", {{.what = IMPAIR_FLIP, .exchange = IKE_SA_INIT, .count = 4}}},
    {"bits of IKE_AUTH flip", {{.what = IMPAIR_FLIP, .exchange = IKE_AUTH, .count = 4}}},
    {"bits of CREATE_CHILD_SA flip",
     {{.what = IMPAIR_FLIP, .exchange = CREATE_CHILD_SA, .count = 4}}},
    {"bits of ESP flip", {{.what = IMPAIR_FLIP, .exchange = NOT_IKE, .count = 30}}},
    {"messages are cut short", {{.what = IMPAIR_TRUNCATE, .count = 6}}},
    {"an old request is late", {{.what = IMPAIR_DELAY, .kind = IMPAIR_REQUEST, .count = 4}}},
    {"responses are late", {{.what = IMPAIR_DELAY, .kind = IMPAIR_RESPONSE, .count = 4}}},
    {"deletes are late, rekeys come again",
     {{.what = IMPAIR_DELAY, .exchange = INFORMATIONAL, .kind = IMPAIR_REQUEST, .count = 4},
      {.what = IMPAIR_REPLAY, .exchange = CREATE_CHILD_SA}}},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row v1_rows[] = {
    {"each message of main mode comes again", {{.what = IMPAIR_REPLAY, .exchange = MAIN_MODE}}},
    {"each message of quick mode comes again", {{.what = IMPAIR_REPLAY, .exchange = QUICK_MODE}}},
    {"each informational comes again", {{.what = IMPAIR_REPLAY, .exchange = INFORMATIONAL_1}}},
    {"each request comes again", {{.what = IMPAIR_REPLAY, .kind = IMPAIR_REQUEST}}},
    {"each message comes twice", {{.what = IMPAIR_DUPLICATE}}},
    {"ESP comes again and twice",
     {{.what = IMPAIR_REPLAY, .exchange = NOT_IKE, .from = IMPAIR_GATEWAY},
      {.what = IMPAIR_DUPLICATE, .exchange = NOT_IKE, .from = IMPAIR_DEVICE}}},
    {"a message of main mode is lost",
     {{.what = IMPAIR_DROP, .exchange = MAIN_MODE, .kind = IMPAIR_REQUEST, .count = 3}}},
    {"an answer of main mode is lost",
     {{.what = IMPAIR_DROP, .exchange = MAIN_MODE, .kind = IMPAIR_RESPONSE, .count = 3}}},
    {"a first or third message of quick mode is lost",
     {{.what = IMPAIR_DROP, .exchange = QUICK_MODE, .kind = IMPAIR_REQUEST, .count = 3}}},
    {"an answer of quick mode is lost",
     {{.what = IMPAIR_DROP, .exchange = QUICK_MODE, .kind = IMPAIR_RESPONSE, .count = 3}}},
    {"informationals are lost", {{.what = IMPAIR_DROP, .exchange = INFORMATIONAL_1, .count = 5}}},
    {"bits of main mode flip", {{.what = IMPAIR_FLIP, .exchange = MAIN_MODE, .count = 4}}},
    {"bits of quick mode flip", {{.what = IMPAIR_FLIP, .exchange = QUICK_MODE, .count = 4}}},
    {"bits of informationals flip",
     {{.what = IMPAIR_FLIP, .exchange = INFORMATIONAL_1, .count = 4}}},
    {"bits of ESP flip", {{.what = IMPAIR_FLIP, .exchange = NOT_IKE, .count = 30}}},
    {"messages are cut short", {{.what = IMPAIR_TRUNCATE, .count = 6}}},
    {"an old request is late", {{.what = IMPAIR_DELAY, .kind = IMPAIR_REQUEST, .count = 4}}},
    {"answers are late", {{.what = IMPAIR_DELAY, .kind = IMPAIR_RESPONSE, .count = 4}}},
    {"deletes are late, quick modes come again",
     {{.what = IMPAIR_DELAY, .exchange = INFORMATIONAL_1, .count = 4},
      {.what = IMPAIR_REPLAY, .exchange = QUICK_MODE}}},
};
#define V1_ROWS (sizeof(v1_rows) / sizeof(v1_rows[0]))

static void rekey_all(struct scene *s)
{
    for (size_t i = 0; i < 2; i++) {
        (void)!s2svpn_tunnel_rekey(s2svpn_connection_tunnel(s->cloud, i));
        (void)!s2svpn_tunnel_rekey(s2svpn_connection_tunnel(s->site, i));
    }
}

static void apply(struct campaign *c, const struct row *row, uint64_t seed)
{
    for (size_t i = 0; i < 2; i++) {
        struct impair_rule r = row->rule[i];

        if (i == 1 && r.what == IMPAIR_DROP)
            break; /* the row has no second one */
        if (r.what == IMPAIR_REPLAY)
            r.ns = seed % 2 ? 30 * SECOND : SECOND;
        if (r.what == IMPAIR_DELAY)
            r.ns = seed % 2 ? 30 * SECOND : 3 * SECOND;
        if (r.count) /* two tunnels: of the first exchanges there are two */
            r.from_nth = 1 + (unsigned)(seed / 2 % (r.exchange == CREATE_CHILD_SA ? 4 : 2));
        CHECK(impair_add(&c->impair, r));
    }
}

static void recover(uint64_t seed)
{
    const size_t count = scene_is_ikev1() ? V1_ROWS : ROWS;
    const struct row *row = &(scene_is_ikev1() ? v1_rows : rows)[seed % count];
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct campaign c;

    plan.seed = seed;
    seed /= count;
    plan.static_routes = seed % 2;
    plan.udp_only = seed % 3 == 0;
    plan.nat = seed % 4 == 0;
    plan.link.delay_ns = 20 * MILLISECOND;
    plan.job_max_ns = seed % 3 * 50 * MILLISECOND;
    if (campaign_begin(&c, &plan)) {
        apply(&c, row, seed);
        const bool comes_up = scene_wait(&c.s, scene_both_up, CAMPAIGN_BOUND_NS);
        scene_ping_for(&c.s, 200 * MILLISECOND, 60 * MINUTE);
        scene_run(&c.s, 10 * SECOND);
        c.level = c.scale.bytes;
        for (int i = 0; i < 4; i++) {
            rekey_all(&c.s);
            scene_run(&c.s, 7 * SECOND);
        }
        scene_run(&c.s, 40 * SECOND);
        const bool it_was_impaired = c.impair.done > 0;
        CHECK(it_was_impaired);
        const bool well = CHECK(comes_up) && campaign_calm(&c);
        if (well)
            campaign_judge(&c);
        if (!well || scene_is_verbose())
            scene_say("row: %s", row->name);
    }
    campaign_close(&c);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"whatever is spoiled, both tunnels are well in the end", recover,
         campaign_seeds(14 * ROWS)},
    };
    const struct scene_test v1_tests[] = {
        {"whatever is spoiled, both tunnels are well in the end", recover,
         campaign_seeds(4 * V1_ROWS)},
    };

    return scene_main_versions(argc, argv, "sim/impaired_exchanges_recover", tests,
                               sizeof(tests) / sizeof(tests[0]), v1_tests,
                               sizeof(v1_tests) / sizeof(v1_tests[0]));
}
