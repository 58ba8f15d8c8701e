/* SPDX-License-Identifier: Apache-2.0 */
/* What the library says and shows, as facts. */
#include "examine/examine.h"

#include <s2svpn/bgp_tunnel.h>
#include <s2svpn/ping.h>
#include <stdio.h>
#include <string.h>

#define ESTABLISHED 6
#define RATE_NS (SECOND_NS / 4)

/* Without "tunnel 1: ". */
static const char *bare(const char *text)
{
    if (strncmp(text, "tunnel ", 7) == 0 && strstr(text, ": "))
        return strstr(text, ": ") + 2;
    return text;
}

/* Since when it is said, though it is said again with every try. */
static void keep(char *out, uint64_t *at_ns, const s2svpn_event *event)
{
    if (strcmp(out, bare(event->text)) == 0)
        return;
    snprintf(out, WORDS_MAX, "%s", bare(event->text));
    *at_ns = event->now_ns;
}

/* What the peer offers says more than that it is refused, which follows. */
static bool says_less(const char *text, const char *than)
{
    return strstr(text, "is refused") && strstr(than, "offers");
}

/* A setback that a configuration may have caused; "idle hold timer" tells nothing. */
static bool is_telling(const char *text)
{
    static const char *const words[] = {"no answer", "refuse", "reset by", "closed by",
                                        "hold timer expired"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(text, words[i]))
            return true;
    }
    return false;
}

static void on_bgp(struct watch *w, const s2svpn_event *event)
{
    struct tunnel_facts *f = &w->facts->tunnel[event->tunnel];

    if (event->up) {
        f->bgp_up++;
        f->bgp_said[0] = 0;
    } else if (w->established[event->tunnel]) {
        f->bgp_down++;
    }
    w->established[event->tunnel] = event->up;
    if (!event->up && strstr(f->bgp_said, "notification") == NULL && is_telling(event->text))
        keep(f->bgp_said, &f->bgp_said_ns, event);
}

static void on_note(struct watch *w, const s2svpn_event *event)
{
    struct tunnel_facts *f = &w->facts->tunnel[event->tunnel];

    if (strcmp(event->reason, "ike") == 0 && strstr(event->text, "stays unanswered"))
        f->unanswered++;
    else if (strcmp(event->reason, "ike") == 0 && !says_less(event->text, f->ike_said))
        keep(f->ike_said, &f->ike_said_ns, event);
    else if (strcmp(event->reason, "bgp addresses") == 0)
        keep(f->stranger, &f->stranger_ns, event);
    else if (strcmp(event->reason, "bgp notification") == 0)
        keep(f->bgp_said, &f->bgp_said_ns, event);
}

void watch_event(struct watch *w, const s2svpn_event *event)
{
    struct tunnel_facts *f;

    if (event->tunnel > 1 || event->connection == NULL)
        return;
    f = &w->facts->tunnel[event->tunnel];
    if (event->kind == S2SVPN_EVENT_BGP)
        on_bgp(w, event);
    else if (event->kind == S2SVPN_EVENT_NOTE)
        on_note(w, event);
    else if (event->kind == S2SVPN_EVENT_CHILD && event->up) {
        f->child_new += strcmp(event->reason, "new") == 0;
        f->child_rekeyed += strcmp(event->reason, "rekeyed") == 0;
        f->ike_said[0] = 0;
        f->ike_said_ns = 0;
    }
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *event)
{
    (void)ctx;
    watch_event(user, event);
}

bool watch_begin(struct watch *w)
{
    return s2svpn_context_subscribe(w->ctx,
                                    S2SVPN_EVENT_BGP | S2SVPN_EVENT_NOTE | S2SVPN_EVENT_CHILD,
                                    on_event, w, NULL) == S2SVPN_OK;
}

/* ---- looking */

static bool add_route(void *arg, const s2svpn_bgp_route *route)
{
    struct tunnel_facts *f = arg;
    const size_t len = strlen(f->announced);
    char text[S2SVPN_PREFIX_TEXT];

    s2svpn_prefix_print(&route->prefix, text);
    if (len + strlen(text) + 8 < sizeof(f->announced) / 2)
        snprintf(f->announced + len, sizeof(f->announced) - len, "%s%s", len ? ", " : "", text);
    else if (len && f->announced[len - 1] != '.')
        snprintf(f->announced + len, sizeof(f->announced) - len, " ...");
    f->prefixes++;
    return true;
}

/* The library counts since IPsec came up; here it goes on. */
static uint32_t total(uint64_t *before, uint64_t *seen, uint64_t now)
{
    if (now < *seen)
        *before += *seen;
    *seen = now;
    return (uint32_t)(*before + now);
}

static void look_at(struct watch *w, unsigned t)
{
    struct tunnel_facts *f = &w->facts->tunnel[t];
    const s2svpn_tunnel *tunnel = s2svpn_connection_tunnel(w->conn, t);
    s2svpn_tunnel_pings pings = {.size = sizeof(pings)};

    if (tunnel == NULL)
        return;
    f->info = (s2svpn_tunnel_info){.size = sizeof(f->info)};
    s2svpn_tunnel_get_info(tunnel, &f->info);
    s2svpn_tunnel_get_pings(tunnel, &pings);
    f->inside_answered = total(&w->answered_before[t], &w->answered_seen[t], pings.answered);
    f->inside_asked = total(&w->asked_before[t], &w->asked_seen[t], pings.asked);
    f->prefixes = 0;
    f->announced[0] = 0;
    s2svpn_tunnel_each_bgp_route(tunnel, add_route, f);
    if (f->info.bgp_state == ESTABLISHED)
        f->stranger[0] = 0;
}

static void sample(struct watch *w, uint64_t now_ns)
{
    if (now_ns < w->rate_ns)
        return;
    w->rate_ns = now_ns + RATE_NS;
    for (unsigned t = 0; t < 2; t++) {
        const uint64_t in = w->facts->tunnel[t].info.packets_in;
        const uint64_t then = w->rate[t][w->rate_at];

        w->facts->tunnel[t].in_lately = (uint32_t)(in > then ? in - then : 0);
        w->rate[t][w->rate_at] = in;
    }
    w->rate_at = (w->rate_at + 1) % RATE_SLOTS;
}

void watch_look(struct watch *w, uint64_t now_ns)
{
    w->facts->now_ns = now_ns;
    w->facts->strays = s2svpn_context_drops(w->ctx, S2SVPN_DROP_IKE_NO_TUNNEL);
    look_at(w, 0);
    look_at(w, 1);
    sample(w, now_ns);
}
