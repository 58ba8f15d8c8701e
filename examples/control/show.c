/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel, and the packets that were dropped. */
#include "control/show.h"

#include "certificates.h"

#include <s2svpn/host.h>
#include <stdio.h>

static const char *phase_name(enum s2svpn_tunnel_phase phase)
{
    static const char *const names[] = {
#define PHASE_NAME(name, words) #name,
        S2SVPN_TUNNEL_PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
    };

    return (unsigned)phase < sizeof(names) / sizeof(names[0]) ? names[phase] : "?";
}

static const char *bgp_name(uint32_t state)
{
    static const char *const names[] = {"none",     "Idle",        "Connect",    "Active",
                                        "OpenSent", "OpenConfirm", "Established"};

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

uint64_t show_seconds_since(uint64_t then_ns)
{
    const uint64_t now = s2svpn_host_now();

    return then_ns == 0 || then_ns > now ? 0 : (now - then_ns) / 1000000000u;
}

/* "12 s", "3 min 20 s", "5 h 12 min", "9 d 4 h" */
static char *print_duration(uint64_t s, char *out, size_t size)
{
    const unsigned long long v = s;

    if (s < 60)
        snprintf(out, size, "%llu s", v);
    else if (s < 3600)
        snprintf(out, size, "%llu min %llu s", v / 60, v % 60);
    else if (s < 86400)
        snprintf(out, size, "%llu h %llu min", v / 3600, v / 60 % 60);
    else
        snprintf(out, size, "%llu d %llu h", v / 86400, v / 3600 % 24);
    return out;
}

/* ---- text */

static const char *path_of(const s2svpn_tunnel_info *t)
{
    if (t->phase != S2SVPN_TUNNEL_UP && t->phase != S2SVPN_TUNNEL_IPSEC_UP)
        return "";
    if (!t->udp)
        return ", ESP as IP protocol 50";
    return t->nat_local && t->nat_remote ? ", ESP in UDP, NAT on both sides"
           : t->nat_local                ? ", ESP in UDP, NAT on our side"
           : t->nat_remote               ? ", ESP in UDP, NAT on their side"
                                         : ", ESP in UDP";
}

static void text_faults(uint32_t faults, struct text *out)
{
    text_add(out, "    provoked:");
    for (unsigned i = 0; i < S2SVPN_FAULTS; i++) {
        if (faults >> i & 1)
            text_add(out, " %s", s2svpn_fault_text((enum s2svpn_fault)i));
    }
    text_add(out, "\n");
}

static void text_tunnel(const struct shown_tunnel *shown, struct text *out)
{
    const s2svpn_tunnel_info *t = &shown->info;
    char local[S2SVPN_ENDPOINT_TEXT], remote[S2SVPN_ENDPOINT_TEXT], since[64];

    text_add(out, "  tunnel %u: %s%s%s", shown->number, s2svpn_tunnel_phase_text(t->phase),
             t->reason[0] ? ": " : "", t->reason);
    if (t->changed_ns)
        text_add(out, " (for %s)",
                 print_duration(show_seconds_since(t->changed_ns), since, sizeof(since)));
    text_add(out, "\n    %s -> %s%s\n", s2svpn_endpoint_print(&t->local, local),
             s2svpn_endpoint_print(&t->remote, remote), path_of(t));
    if (t->esp_algorithms[0])
        text_add(out, "    IKE %s; ESP %s, %u rekeys; MTU %u, MSS %u\n", t->ike_algorithms,
                 t->esp_algorithms, t->rekeys, t->mtu, t->mss);
    if (t->certificate && t->peer_subject[0])
        text_add(out, "    by certificates; the peer's: %s, valid until %s\n", t->peer_subject,
                 certificates_date(t->peer_not_after_s, since, sizeof(since)));
    else
        text_add(out, "    by %s\n", t->certificate ? "certificates" : "pre-shared key");
    if (shown->link)
        text_add(out, "%s", shown->link);
    if (t->bgp_state)
        text_add(out, "    BGP %s, %u routes\n", bgp_name(t->bgp_state), t->accepted_routes);
    text_add(out, "    in %llu packets, %llu bytes; out %llu packets, %llu bytes",
             (unsigned long long)t->packets_in, (unsigned long long)t->bytes_in,
             (unsigned long long)t->packets_out, (unsigned long long)t->bytes_out);
    if (t->last_in_ns)
        text_add(out, "; last in %s ago",
                 print_duration(show_seconds_since(t->last_in_ns), since, sizeof(since)));
    text_add(out, "\n");
    if (shown->faults)
        text_faults(shown->faults, out);
}

/* ---- JSON */

static void json_faults(uint32_t faults, struct text *out)
{
    json_open(out, "faults", '[');
    for (unsigned i = 0; i < S2SVPN_FAULTS; i++) {
        if (faults >> i & 1)
            json_string(out, NULL, s2svpn_fault_text((enum s2svpn_fault)i));
    }
    json_close(out, ']');
}

static void json_tunnel(const struct shown_tunnel *shown, struct text *out)
{
    const s2svpn_tunnel_info *t = &shown->info;
    char text[S2SVPN_ID_SIZE + 32];

    json_open(out, NULL, '{');
    snprintf(text, sizeof(text), "%s.%u", shown->connection->text, shown->number);
    json_string(out, "name", text);
    json_string(out, "phase", phase_name(t->phase));
    json_bool(out, "up", t->up);
    json_number(out, "for_s", show_seconds_since(t->changed_ns));
    json_string(out, "reason", t->reason);
    json_string(out, "local", s2svpn_endpoint_print(&t->local, text));
    json_string(out, "remote", s2svpn_endpoint_print(&t->remote, text));
    json_string(out, "inside_local", s2svpn_address_print(&t->inside_local, text));
    json_string(out, "inside_remote", s2svpn_address_print(&t->inside_remote, text));
    if (!shown->gateway)
        json_string(out, "tun", shown->tun);
    json_bool(out, "initiator", t->initiator);
    json_bool(out, "nat_local", t->nat_local);
    json_bool(out, "nat_remote", t->nat_remote);
    json_bool(out, "udp", t->udp);
    json_string(out, "authentication", t->certificate ? "certificate" : "pre-shared-key");
    json_string(out, "peer_subject", t->peer_subject[0] ? t->peer_subject : NULL);
    json_number(out, "peer_not_after", t->peer_not_after_s);
    json_string(out, "ike", t->ike_algorithms);
    json_string(out, "esp", t->esp_algorithms);
    json_number(out, "mtu", t->mtu);
    json_number(out, "mss", t->mss);
    json_number(out, "rekeys", t->rekeys);
    json_string(out, "bgp", t->bgp_state ? bgp_name(t->bgp_state) : NULL);
    json_number(out, "routes", t->accepted_routes);
    json_number(out, "packets_in", t->packets_in);
    json_number(out, "packets_out", t->packets_out);
    json_number(out, "bytes_in", t->bytes_in);
    json_number(out, "bytes_out", t->bytes_out);
    json_number(out, "silent_s", show_seconds_since(t->last_in_ns));
    if (shown->gateway)
        json_faults(shown->faults, out);
    json_close(out, '}');
}

/* ---- both */

void show_tunnel(const struct shown_tunnel *t, bool json, struct text *out)
{
    (json ? json_tunnel : text_tunnel)(t, out);
}

void show_drops(const s2svpn_context *ctx, bool json, struct text *out)
{
    if (json)
        json_open(out, "drops", '{');
    for (int i = 1; i < S2SVPN_DROP_COUNT; i++) {
        const uint64_t n = s2svpn_context_drops(ctx, (enum s2svpn_drop)i);

        if (n > 0 && json)
            json_number(out, s2svpn_drop_name((enum s2svpn_drop)i), n);
        else if (n > 0)
            text_add(out, "dropped %llu: %s\n", (unsigned long long)n,
                     s2svpn_drop_text((enum s2svpn_drop)i));
    }
    if (json)
        json_close(out, '}');
}
