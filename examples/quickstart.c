/* SPDX-License-Identifier: Apache-2.0 */
/* The quickstart: brings a Site-to-Site VPN connection up, cuts the tunnel that carries
 * the traffic and watches it move to the other. The exit status is 0 only if all of that
 * happened. quickstart.h says who plays; the launcher beside this file builds it. */
#include "quickstart.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY_MS 20
#define UP_WITHIN_NS (30 * SECOND_NS)
#define CALM_NS (3 * SECOND_NS) /* pings before the cut */
#define HINT_EVERY_NS (5 * SECOND_NS)
#define MOVED_WITHIN_NS (45 * SECOND_NS) /* dead-peer detection and BGP's hold time: 30 s each */
#define AFTER_NS (2 * SECOND_NS)         /* pings by the other tunnel */
#define LEAST_PINGS 5

/* What happens now. */
enum act { ACT_COMING_UP, ACT_PINGING, ACT_CUT, ACT_MOVED, ACT_LAST_ANSWERS };

struct play {
    struct quickstart q;
    enum act act;
    uint64_t act_ns;     /* since when */
    uint64_t hint_ns;    /* when to say next that we still wait */
    uint64_t packets[2]; /* of each tunnel, device to gateway, when the act began */
    size_t moved_from;   /* the first ping that was sent after traffic had moved */
    char what_not[256];  /* what didn't happen, a sentence; "": all did */
};

static void begin_act(struct play *p, enum act act)
{
    p->act = act;
    p->act_ns = s2svpn_host_now();
    p->hint_ns = p->act_ns + HINT_EVERY_NS;
    for (size_t i = 0; i < 2; i++)
        p->packets[i] = stage_tunnel(&p->q.device, i).packets_out;
}

/* The play ends here, and this is why it isn't a success. The first reason stays. */
static void end_with(struct play *p, const char *format, ...) S2SVPN_PRINTF(2, 3);
static void end_with(struct play *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (p->what_not[0] == 0)
        vsnprintf(p->what_not, sizeof(p->what_not), format, args);
    va_end(args);
    event_base_loopbreak(p->q.base);
}

/* ---- coming up */

/* What both tunnels' being up means; the first thing that is missing in words. */
static bool is_up(const struct side *side, size_t tunnel, char *missing, size_t size)
{
    const s2svpn_tunnel_info info = stage_tunnel(side, tunnel);

    if (!info.up)
        snprintf(missing, size, "tunnel %zu is not up at the %s: %s%s%s", tunnel + 1, side->name,
                 s2svpn_tunnel_phase_text(info.phase), info.reason[0] ? ", " : "", info.reason);
    else if (info.accepted_routes != 1)
        snprintf(missing, size, "BGP has brought %u prefixes by tunnel %zu to the %s, not one",
                 info.accepted_routes, tunnel + 1, side->name);
    else
        return true;
    return false;
}

static bool is_all_up(const struct quickstart *q, char *missing, size_t size)
{
    s2svpn_route route;

    for (size_t i = 0; i < 2; i++) {
        if (!is_up(&q->device, i, missing, size) || !is_up(&q->gateway, i, missing, size))
            return false;
    }
    if (!q->device.has_route)
        snprintf(missing, size, "the device has not learned 10.0.0.0/16 by BGP");
    else if (!q->gateway.has_route)
        snprintf(missing, size, "the gateway has not learned 192.168.0.0/16 by BGP");
    else if (!stage_propagated(q, &route) || !route.usable)
        snprintf(missing, size, "192.168.0.0/16 is not propagated into the main route table");
    else
        return true;
    return false;
}

static void look_coming_up(struct play *p, uint64_t now_ns)
{
    char missing[224];
    s2svpn_route route;

    if (is_all_up(&p->q, missing, sizeof(missing)) && stage_propagated(&p->q, &route)) {
        show(&p->q, "gateway", "192.168.0.0/16 is propagated into the main route table: target %s",
             route.target_id.text);
        begin_act(p, ACT_PINGING);
        if (!ping_begin(&p->q))
            end_with(p, "no timer for the pings");
    } else if (now_ns - p->act_ns > UP_WITHIN_NS) {
        end_with(p, "after %d s %s", (int)(UP_WITHIN_NS / SECOND_NS), missing);
    } else if (now_ns > p->hint_ns) {
        p->hint_ns += HINT_EVERY_NS;
        show(&p->q, "", "still waiting: %s", missing);
    }
}

/* ---- pinging, and the cut */

/* The tunnel that has taken most packets since the act began. */
static size_t busiest(struct play *p, uint64_t *packets)
{
    uint64_t taken[2];

    for (size_t i = 0; i < 2; i++)
        taken[i] = stage_tunnel(&p->q.device, i).packets_out - p->packets[i];
    *packets = taken[0] >= taken[1] ? taken[0] : taken[1];
    return taken[0] >= taken[1] ? 0 : 1;
}

static void cut(struct play *p, uint64_t now_ns)
{
    struct quickstart *q = &p->q;
    uint64_t packets;

    q->cut_tunnel = busiest(p, &packets);
    q->cut = true;
    q->cut_ns = now_ns;
    q->first_lost = q->ping_count;
    s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(q->gateway.conn, q->cut_tunnel), true);
    show(q, "!", "tunnel %zu, which carries the pings, is cut: packets vanish, no one is told",
         q->cut_tunnel + 1);
    begin_act(p, ACT_CUT);
}

static void look_pinging(struct play *p, uint64_t now_ns)
{
    const struct ping_sum sum = ping_sum(&p->q, 0, PINGS_MAX);

    if (now_ns - p->act_ns < CALM_NS)
        return;
    if (sum.waiting && now_ns - p->act_ns < CALM_NS + SECOND_NS)
        return; /* none may be under way when it is cut */
    if (sum.answered < LEAST_PINGS || sum.answered != sum.sent)
        end_with(p, "of %zu pings only %zu were answered, before anything was cut", sum.sent,
                 sum.answered);
    else if (p->q.fast)
        event_base_loopbreak(p->q.base);
    else
        cut(p, now_ns);
}

/* ---- traffic moves */

static void hint(struct play *p)
{
    struct quickstart *q = &p->q;
    const size_t t = q->cut_tunnel;
    const bool gateway = !stage_tunnel(&q->gateway, t).up, device = !stage_tunnel(&q->device, t).up;
    const struct ping_sum sum = ping_sum(q, q->first_lost, PINGS_MAX);

    show(q, "", "tunnel %zu is cut, %s noticed yet: %zu pings lost", t + 1,
         gateway  ? "the device has not"
         : device ? "the gateway has not"
                  : "its ends have not",
         sum.sent - sum.answered - sum.waiting);
}

static void look_cut(struct play *p, uint64_t now_ns)
{
    if (p->q.moved_ns) {
        p->moved_from = p->q.ping_count;
        begin_act(p, ACT_MOVED);
    } else if (now_ns - p->act_ns > MOVED_WITHIN_NS) {
        end_with(p, "traffic did not move to the other tunnel within %d s",
                 (int)(MOVED_WITHIN_NS / SECOND_NS));
    } else if (now_ns > p->hint_ns) {
        p->hint_ns += HINT_EVERY_NS;
        hint(p);
    }
}

static void look_moved(struct play *p, uint64_t now_ns)
{
    if (now_ns - p->act_ns < AFTER_NS)
        return;
    ping_end(&p->q);
    p->act = ACT_LAST_ANSWERS; /* the packets are still counted from when it moved */
}

static void look_last_answers(struct play *p)
{
    const struct quickstart *q = &p->q;
    const struct ping_sum sum = ping_sum(q, p->moved_from, PINGS_MAX);
    const size_t other = 1 - q->cut_tunnel;
    s2svpn_route route;
    uint64_t packets;

    if (sum.waiting)
        return;
    if (sum.answered < LEAST_PINGS || sum.answered != sum.sent)
        end_with(p, "of %zu pings after the move only %zu were answered", sum.sent, sum.answered);
    else if (busiest(p, &packets) != other || packets < sum.answered)
        end_with(p, "tunnel %zu does not carry the traffic", other + 1);
    else if (stage_tunnel(&q->device, q->cut_tunnel).up || !stage_tunnel(&q->device, other).up ||
             stage_tunnel(&q->gateway, q->cut_tunnel).up || !stage_tunnel(&q->gateway, other).up)
        end_with(p, "tunnel %zu is not down or tunnel %zu is not up", q->cut_tunnel + 1, other + 1);
    else if (!stage_propagated(q, &route) || !route.usable)
        end_with(p, "the propagated route did not survive the move");
    else
        event_base_loopbreak(q->base);
}

static void look(evutil_socket_t fd, short what, void *arg)
{
    struct play *p = arg;
    const uint64_t now_ns = s2svpn_host_now();

    (void)fd;
    (void)what;
    switch (p->act) {
    case ACT_COMING_UP:
        look_coming_up(p, now_ns);
        break;
    case ACT_PINGING:
        look_pinging(p, now_ns);
        break;
    case ACT_CUT:
        look_cut(p, now_ns);
        break;
    case ACT_MOVED:
        look_moved(p, now_ns);
        break;
    case ACT_LAST_ANSWERS:
        look_last_answers(p);
        break;
    }
}

/* ---- the program */

static void usage(FILE *to)
{
    fputs("usage: quickstart [options]\n"
          "Brings both tunnels of a Site-to-Site VPN connection up on loopback, pings across,\n"
          "cuts one tunnel and watches traffic move to the other. No root is needed.\n"
          "  --fast         no cut: comes up and pings, takes 4 seconds instead of 40\n"
          "  --gcm          the gateway permits AES-GCM alone; of AWS's defaults the endpoint\n"
          "                 chooses the lowest that it is offered, which is AES-CBC\n"
          "  --pcap FILE    write what is on the wire as a capture\n"
          "  --keylog DIR   write the session keys there as Wireshark's tables\n"
          "                 ikev2_decryption_table and esp_sa; they decrypt the capture\n"
          "  --help         this\n"
          "The exit status is 0 only if all of it happened.\n",
          to);
}

static void read_options(struct quickstart *q, int argc, char **argv)
{
    static const struct option names[] = {
        {"fast", no_argument, NULL, 'f'},       {"gcm", no_argument, NULL, 'g'},

        {"pcap", required_argument, NULL, 'p'}, {"keylog", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'f':
            q->fast = true;
            break;
        case 'g':
            q->gcm = true;
            break;
        case 'p':
            q->pcap_path = optarg;
            break;
        case 'k':
            q->keylog_path = optarg;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            usage(stderr);
            exit(2);
        }
    }
    if (optind != argc) {
        usage(stderr);
        exit(2);
    }
}

static void play(struct play *p)
{
    const struct timeval every = {.tv_usec = LOOK_EVERY_MS * 1000};
    struct event *timer = event_new(p->q.base, -1, EV_PERSIST, look, p);

    begin_act(p, ACT_COMING_UP);
    if (timer == NULL || event_add(timer, &every) != 0 || event_base_dispatch(p->q.base) != 0)
        end_with(p, "the event loop failed");
    ping_end(&p->q);
    if (timer)
        event_free(timer);
    show_table(&p->q);
    show_verdict(&p->q, p->what_not[0] ? p->what_not : NULL);
}

int main(int argc, char **argv)
{
    static struct play p;
    int status = 1;

    read_options(&p.q, argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (tap_open(&p.q)) {
        p.q.start_ns = s2svpn_host_now();
        show_begin(&p.q);
        if (stage_open(&p.q) && stage_start(&p.q)) {
            play(&p);
            status = p.what_not[0] != 0;
        }
        stage_close(&p.q);
    }
    return tap_close(&p.q) ? status : 1;
}
