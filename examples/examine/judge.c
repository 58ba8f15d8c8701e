/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to verdicts, in the order in which a connection comes up: what is wrong, and
 * what to change on the device. */
#include "examine/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_NS                                                                                \
    (12 * SECOND_NS)      /* with a device that was told what is wrong: it may have
                                      * another try in store */
#define NEARLY_PERCENT 90 /* of the limit of prefixes */

const char *verdict_text(enum verdict v)
{
    static const char *const text[] = {"", "PASS", "WARN", "FAIL", "SKIP"};

    return text[v];
}

const char *verdict_word(enum verdict v)
{
    static const char *const text[] = {"", "pass", "warn", "fail", "skip"};

    return text[v];
}

void find(struct finding *out, enum verdict verdict, const char *format, ...)
{
    va_list args;

    out->verdict = verdict;
    va_start(args, format);
    vsnprintf(out->words, sizeof(out->words), format, args);
    va_end(args);
}

double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

/* Long enough ago for another try? */
static bool is_settled(const struct facts *now, uint64_t said_ns)
{
    return now->over || (said_ns != 0 && now->now_ns - said_ns > PATIENCE_NS);
}

static bool says(const char *words, const char *what)
{
    return strstr(words, what) != NULL;
}

static char *inside_of(const s2svpn_address *a, char *out)
{
    return s2svpn_address_print(a, out);
}

/* ---- IKE and ESP */

static void fail_ike(const struct facts *now, unsigned t, struct finding *out)
{
    const char *said = now->tunnel[t].ike_said;

    if (says(said, "proposal"))
        find(out, VERDICT_FAIL,
             "%s: let the device offer for phase 1 what the document names (%s) or better", said,
             now->algorithms[t][0]);
    else if (says(said, "pre-shared key"))
        find(out, VERDICT_FAIL,
             "%s: give the device the pre_shared_key that the document has for tunnel %u", said,
             t + 1);
    else if (says(said, "identity"))
        find(out, VERDICT_FAIL, "%s: let the device identify itself by its outside address, %s",
             said, now->customer);
    else if (said[0])
        find(out, VERDICT_FAIL, "%s", said);
    else if (now->strays)
        find(out, VERDICT_FAIL,
             "no IKE message came from %s, though %llu came from elsewhere: the document says that "
             "the device has the address %s; is another one in force, or NAT before it?",
             now->customer, (unsigned long long)now->strays, now->customer);
    else
        find(out, VERDICT_FAIL,
             "no IKE message came from %s: does the device start the tunnel to %s, from that "
             "address, and do firewalls pass UDP 500 and 4500?",
             now->customer, now->outside[t]);
}

void judge_ike(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];
    char where[S2SVPN_ENDPOINT_TEXT];

    (void)was;
    if (f->info.ike_version != 0)
        find(out, VERDICT_PASS, "IKEv%u, %s, %s %s", f->info.ike_version, f->info.ike_algorithms,
             f->info.initiator ? "started by us to" : "started by",
             s2svpn_endpoint_print(&f->info.remote, where));
    else if (is_settled(now, f->ike_said_ns))
        fail_ike(now, t, out);
}

static void fail_ipsec(const struct facts *now, unsigned t, struct finding *out)
{
    const char *said = now->tunnel[t].ike_said;

    if (says(said, "proposal") || says(said, "PROPOSAL"))
        find(out, VERDICT_FAIL,
             "%s: let the device offer for phase 2 what the document names (%s) or better, with "
             "perfect forward secrecy",
             said, now->algorithms[t][1]);
    else if (says(said, "selector") || says(said, "TS_UNACCEPTABLE") || says(said, "ID-INFO"))
        find(out, VERDICT_FAIL,
             "%s: let the device ask for 0.0.0.0/0 on both sides, or for what "
             "the connection allows",
             said);
    else if (said[0])
        find(out, VERDICT_FAIL, "%s", said);
    else
        find(out, VERDICT_FAIL,
             "the device has an IKE SA and asks for no child (phase 2, quick "
             "mode): is its phase 2 configured and started?");
}

void judge_ipsec(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];

    (void)was;
    if (f->info.spi_in != 0)
        find(out, VERDICT_PASS, "%s, %s", f->info.esp_algorithms,
             f->info.udp ? "in UDP" : "as IP protocol 50");
    else if (is_settled(now, f->ike_said_ns))
        fail_ipsec(now, t, out);
}

void judge_nat(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const s2svpn_tunnel_info *i = &now->tunnel[t].info;
    char where[S2SVPN_ENDPOINT_TEXT];

    (void)was;
    s2svpn_endpoint_print(&i->remote, where);
    if (i->nat_remote)
        find(out, VERDICT_PASS, "the device is behind NAT, or wants ESP in UDP: seen as %s", where);
    else if (i->nat_local)
        find(out, VERDICT_PASS, "this side is behind NAT; the device is at %s", where);
    else
        find(out, VERDICT_PASS, "no NAT; the device is at %s, ESP %s", where,
             i->udp ? "in UDP" : "as IP protocol 50");
}

/* ---- inside */

void judge_inside(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];
    char theirs[S2SVPN_ADDRESS_TEXT], ours[S2SVPN_ADDRESS_TEXT];

    inside_of(&f->info.inside_remote, theirs);
    inside_of(&f->info.inside_local, ours);
    if (f->inside_answered > was->tunnel[t].inside_answered)
        find(out, VERDICT_PASS, "%s answers our pings%s", theirs,
             f->inside_asked ? " and pings us" : "");
    else if (f->stranger[0] && is_settled(now, f->stranger_ns))
        find(out, VERDICT_FAIL,
             "%s: give the device's tunnel interface the document's inside address, %s",
             f->stranger, theirs);
    else if (now->over && f->inside_asked)
        find(out, VERDICT_WARN, "%s pings us, and we answer, but our pings aren't answered",
             theirs);
    else if (now->over && f->info.bgp_state == 6)
        find(out, VERDICT_WARN, "%s speaks BGP but answers no ping: let it, for troubleshooting",
             theirs);
    else if (now->over && f->info.packets_in == 0)
        find(out, VERDICT_FAIL,
             "%s answers no ping and nothing at all came out of the tunnel: is that address on the "
             "device's tunnel interface, is the interface up, does it have a route to %s, and do "
             "firewalls pass ESP?",
             theirs, ours);
    else if (now->over)
        find(out, VERDICT_FAIL,
             "%s answers no ping, though %llu packets came out of the tunnel: is that address on "
             "the device's tunnel interface, and may it be pinged?",
             theirs, (unsigned long long)f->info.packets_in);
}

static void fail_bgp(const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];
    char theirs[S2SVPN_ADDRESS_TEXT], ours[S2SVPN_ADDRESS_TEXT];

    inside_of(&f->info.inside_remote, theirs);
    inside_of(&f->info.inside_local, ours);
    if (f->stranger[0])
        find(out, VERDICT_FAIL,
             "%s: give the device's neighbor in tunnel %u the addresses %s and %s", f->stranger,
             t + 1, theirs, ours);
    else if (says(f->bgp_said, "its OPEN names AS"))
        find(out, VERDICT_FAIL, "%s: the document says that the device is AS %u", f->bgp_said,
             (unsigned)now->customer_asn);
    else if (says(f->bgp_said, "Bad Peer AS"))
        find(out, VERDICT_FAIL,
             "%s: the device expects another AS of ours; the document says that this side is AS %u",
             f->bgp_said, (unsigned)now->amazon_asn);
    else if (f->info.packets_in == 0)
        find(out, VERDICT_FAIL,
             "nothing comes out of the tunnel: is the device's tunnel interface "
             "up, with the address %s?",
             theirs);
    else if (f->bgp_said[0])
        find(out, VERDICT_FAIL, "%s; %s should speak BGP with %s, TCP port 179", f->bgp_said,
             theirs, ours);
    else
        find(out, VERDICT_FAIL, "no BGP connection: %s should speak BGP with %s, TCP port 179",
             theirs, ours);
}

void judge_bgp(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];
    const bool fatal = f->stranger[0] || says(f->bgp_said, "Bad Peer AS");

    (void)was;
    if (!now->bgp)
        find(out, VERDICT_SKIP, "the connection has static routes");
    else if (f->info.bgp_state == 6)
        find(out, VERDICT_PASS, "established with AS %u", (unsigned)now->customer_asn);
    else if (now->over ||
             (fatal && is_settled(now, f->stranger[0] ? f->stranger_ns : f->bgp_said_ns)))
        fail_bgp(now, t, out);
}

void judge_prefixes(const struct facts *was, const struct facts *now, unsigned t,
                    struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];

    (void)was;
    if (!now->bgp)
        find(out, VERDICT_SKIP, "the connection has static routes");
    else if (f->prefixes * 100 >= now->limit * NEARLY_PERCENT)
        find(out, VERDICT_WARN,
             "announces %u prefixes of at most %u; one too many ends the session: aggregate them, "
             "or "
             "announce 0.0.0.0/0",
             (unsigned)f->prefixes, (unsigned)now->limit);
    else if (f->prefixes > 0)
        find(out, VERDICT_PASS, "announces %u: %s", (unsigned)f->prefixes, f->announced);
    else if (now->over && says(f->bgp_said, "Maximum Number of Prefixes"))
        find(out, VERDICT_FAIL, "%s: announce fewer than %u, or 0.0.0.0/0", f->bgp_said,
             (unsigned)now->limit + 1);
    else if (now->over)
        find(out, VERDICT_FAIL,
             "announces no prefix: let the device announce its networks, or "
             "0.0.0.0/0, to this neighbor (network statement, redistribution, "
             "export filter)");
}

void judge_through(const struct facts *was, const struct facts *now, unsigned t,
                   struct finding *out)
{
    (void)was;
    (void)t;
    if (now->through.answered > 0)
        find(out, VERDICT_PASS, "%s answers pings of %s in the VPC", now->ping, now->instance);
    else if (now->over && now->tunnel[0].prefixes + now->tunnel[1].prefixes == 0 && now->bgp)
        find(out, VERDICT_FAIL, "%s doesn't answer: no prefix was announced that covers it",
             now->ping);
    else if (now->over)
        find(out, VERDICT_FAIL,
             "%s doesn't answer pings of %s: does the device forward between its tunnels and its "
             "network, has it a route for %s to the tunnels, do firewalls pass it, does an "
             "announced prefix cover it?",
             now->ping, now->instance, now->vpc);
}

/* ---- sizes */

void judge_mtu(const struct facts *was, const struct facts *now, unsigned t, struct finding *out)
{
    const struct tunnel_facts *f = &now->tunnel[t];
    const unsigned headers = f->info.inside_remote.family == S2SVPN_FAMILY_IPV6 ? 60 : 40;

    (void)was;
    if (!f->searched && !now->over)
        return;
    if (f->longest >= f->info.mtu)
        find(out, VERDICT_PASS, "packets of %u bytes with DF pass both ways; TCP MSS %u",
             f->info.mtu, f->info.mss);
    else if (f->longest == 0)
        find(out, VERDICT_SKIP, "the device answers no ping at its inside address");
    else
        find(out, VERDICT_FAIL,
             "packets of more than %u bytes don't pass, though the tunnel's MTU is %u: the path to "
             "the device, or its interface, is narrower and nobody says so; set the MTU of the "
             "device's tunnel interface to %u and its TCP MSS to %u, or let ICMP \"fragmentation "
             "needed\" pass",
             f->longest, f->info.mtu, f->longest, f->longest - headers);
}

void judge_fragments(const struct facts *was, const struct facts *now, unsigned t,
                     struct finding *out)
{
    (void)was;
    (void)t;
    if (now->through.cut_answered)
        find(out, VERDICT_PASS, "a ping of 2000 bytes without DF comes back");
    else if (now->over)
        find(out, VERDICT_FAIL,
             "a ping of 2000 bytes without DF isn't answered: let the device "
             "fragment before encryption, and firewalls pass fragments");
}
