/* SPDX-License-Identifier: Apache-2.0 */
/* The header, OPEN with its capabilities, and ROUTE-REFRESH, parsed and written.
 * UPDATE has its own file. RFC 4271 sections 4.1, 4.2, 6.1, 6.2; 2918; 4760
 * section 8; 4724 section 3; 5492; 6286; 6793; 7607; 9072. */
#include "bgp/message.h"

#include "base/bytes.h"

#define VERSION 4
#define PARAMETER_CAPABILITIES 2
#define PARAMETER_EXTENDED 255 /* RFC 9072 section 2 */
#define CAPABILITY_MP 1
#define CAPABILITY_REFRESH 2
#define CAPABILITY_GRACEFUL_RESTART 64
#define CAPABILITY_FOUR_OCTET_AS 65
#define RESTART_TIME_MASK 0x0fff
#define FORWARDING 0x80

uint16_t s2_bgp_afi(uint8_t family)
{
    return family == S2SVPN_FAMILY_IPV6 ? S2_BGP_AFI_IPV6 : S2_BGP_AFI_IPV4;
}

uint8_t s2_bgp_family(uint16_t afi, uint8_t safi)
{
    if (safi != S2_BGP_SAFI_UNICAST)
        return S2SVPN_FAMILY_NONE;
    if (afi == S2_BGP_AFI_IPV4)
        return S2SVPN_FAMILY_IPV4;
    return afi == S2_BGP_AFI_IPV6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_NONE;
}

unsigned s2_bgp_family_bit(uint8_t family)
{
    if (family == S2SVPN_FAMILY_IPV4)
        return S2_BGP_IPV4;
    return family == S2SVPN_FAMILY_IPV6 ? S2_BGP_IPV6 : 0;
}

/* ---- header, RFC 4271 sections 4.1 and 6.1 */

static bool length_fits(uint8_t type, uint16_t len)
{
    switch (type) {
    case S2_BGP_TYPE_OPEN:
        return len >= 29;
    case S2_BGP_TYPE_UPDATE:
        return len >= 23;
    case S2_BGP_TYPE_NOTIFICATION:
        return len >= 21;
    case S2_BGP_TYPE_KEEPALIVE:
        return len == S2_BGP_HEADER_LEN;
    case S2_BGP_TYPE_REFRESH:
        return len == 23;
    default:
        return true; /* the type is at fault */
    }
}

s2svpn_status s2_bgp_parse_header(const uint8_t header[S2_BGP_HEADER_LEN], uint8_t *type,
                                  uint16_t *len, struct s2_bgp_error *why)
{
    struct s2_reader r;
    bool marker = true;

    s2_reader_init(&r, header, S2_BGP_HEADER_LEN);
    for (int i = 0; i < 16; i++)
        marker = s2_read_u8(&r, "header.marker") == 0xff && marker;
    *len = s2_read_u16(&r, "header.length");
    *type = s2_read_u8(&r, "header.type");
    if (!marker)
        return s2_bgp_error_set(why, S2_BGP_ERROR_HEADER, S2_BGP_SUB_HEADER_MARKER, NULL, 0);
    if (*len < S2_BGP_HEADER_LEN || *len > S2_BGP_MESSAGE_MAX || !length_fits(*type, *len))
        return s2_bgp_error_set(why, S2_BGP_ERROR_HEADER, S2_BGP_SUB_HEADER_LENGTH, header + 16, 2);
    if (*type < S2_BGP_TYPE_OPEN || *type > S2_BGP_TYPE_REFRESH)
        return s2_bgp_error_set(why, S2_BGP_ERROR_HEADER, S2_BGP_SUB_HEADER_TYPE, type, 1);
    return S2SVPN_OK;
}

/* ---- OPEN */

struct capabilities {
    bool any_mp;
    uint8_t families;
    bool four_octet_as, refresh, graceful_restart;
    uint8_t graceful, forwarding;
    uint16_t restart_time_s;
    uint32_t asn;
};

/* RFC 4724 section 3: of several the last counts. */
static void parse_graceful_restart(struct s2_reader *r, struct capabilities *c)
{
    c->graceful_restart = true;
    c->restart_time_s = s2_read_u16(r, "capability.restart_time") & RESTART_TIME_MASK;
    c->graceful = c->forwarding = 0;
    while (r->left > 0 && r->rc == S2SVPN_OK) {
        const uint16_t afi = s2_read_u16(r, "capability.restart_family");
        const uint8_t safi = s2_read_u8(r, "capability.restart_family");
        const uint8_t flags = s2_read_u8(r, "capability.restart_family");
        const uint8_t bit = (uint8_t)s2_bgp_family_bit(s2_bgp_family(afi, safi));

        c->graceful |= bit;
        c->forwarding |= flags & FORWARDING ? bit : 0;
    }
}

/* Capabilities that we don't know are passed over (RFC 5492 section 3), families
 * too; one that we know is as long as its RFC says. */
static void parse_capability(struct s2_reader *r, struct capabilities *c)
{
    const uint8_t code = s2_read_u8(r, "capability.code");
    const uint8_t len = s2_read_u8(r, "capability.length");
    struct s2_reader body = s2_read_sub(r, len, "capability.length");

    if (code == CAPABILITY_MP) {
        const uint16_t afi = s2_read_u16(&body, "capability.mp");
        s2_read_skip(&body, 1, "capability.mp");
        const uint8_t safi = s2_read_u8(&body, "capability.mp");
        s2_reader_finish(&body);
        c->any_mp = true;
        c->families |= (uint8_t)s2_bgp_family_bit(s2_bgp_family(afi, safi));
    } else if (code == CAPABILITY_REFRESH) {
        s2_reader_finish(&body);
        c->refresh = true;
    } else if (code == CAPABILITY_GRACEFUL_RESTART) {
        parse_graceful_restart(&body, c);
    } else if (code == CAPABILITY_FOUR_OCTET_AS) {
        c->asn = s2_read_u32(&body, "capability.as4");
        s2_reader_finish(&body);
        c->four_octet_as = true;
    }
    (void)s2_reader_join(r, &body);
}

/* One optional parameter; its length has two bytes in the extended form. false:
 * one that we don't know. */
static bool parse_parameter(struct s2_reader *r, bool extended, struct capabilities *c)
{
    const uint8_t type = s2_read_u8(r, "parameter.type");
    const size_t len =
        extended ? s2_read_u16(r, "parameter.length") : s2_read_u8(r, "parameter.length");
    struct s2_reader body = s2_read_sub(r, len, "parameter.length");

    if (r->rc == S2SVPN_OK && type != PARAMETER_CAPABILITIES)
        return false;
    while (body.left > 0 && body.rc == S2SVPN_OK)
        parse_capability(&body, c);
    (void)s2_reader_join(r, &body);
    return true;
}

/* The parameters' reader, and whether it is RFC 9072's form: then the first
 * "type" is 255, the length before it means nothing, and a longer one follows. */
static struct s2_reader open_parameters(struct s2_reader *r, bool *extended)
{
    size_t len = s2_read_u8(r, "open.parameters");

    *extended = false;
    if (len > 0) {
        struct s2_reader look = *r;

        if (s2_read_u8(&look, "open.extended") == PARAMETER_EXTENDED && look.rc == S2SVPN_OK) {
            *extended = true;
            *r = look;
            len = s2_read_u16(r, "open.extended");
        }
    }
    return s2_read_sub(r, len, "open.parameters");
}

static s2svpn_status open_error(struct s2_bgp_error *why, uint8_t subcode, const void *data,
                                size_t len)
{
    return s2_bgp_error_set(why, S2_BGP_ERROR_OPEN, subcode, data, len);
}

s2svpn_status s2_bgp_parse_open(s2svpn_span body, struct s2_bgp_open *out, struct s2_bgp_error *why)
{
    static const uint8_t version[2] = {0, VERSION};
    struct capabilities c = {0};
    struct s2_reader r;
    bool extended;
    bool known = true;

    s2_reader_init(&r, body.p, body.len);
    if (s2_read_u8(&r, "open.version") != VERSION && r.rc == S2SVPN_OK)
        return open_error(why, S2_BGP_SUB_OPEN_VERSION, version, sizeof(version));
    const uint16_t asn = s2_read_u16(&r, "open.as");
    out->hold_time_s = s2_read_u16(&r, "open.hold_time");
    out->router_id = s2_read_u32(&r, "open.id");
    struct s2_reader parameters = open_parameters(&r, &extended);
    while (parameters.left > 0 && parameters.rc == S2SVPN_OK && known)
        known = parse_parameter(&parameters, extended, &c);
    s2_reader_finish(&r);
    if (s2_reader_join(&r, &parameters) != S2SVPN_OK)
        return open_error(why, 0, NULL, 0); /* unspecific, section 6.2 */
    if (!known)
        return open_error(why, S2_BGP_SUB_OPEN_PARAMETER, NULL, 0);
    out->asn = c.four_octet_as ? c.asn : asn;
    out->four_octet_as = c.four_octet_as;
    out->refresh = c.refresh;
    out->graceful_restart = c.graceful_restart;
    out->graceful = c.graceful;
    out->forwarding = c.forwarding;
    out->restart_time_s = c.restart_time_s;
    /* RFC 4760 section 8: who says nothing speaks IPv4 unicast */
    out->families = c.any_mp ? c.families : S2_BGP_IPV4;
    return S2SVPN_OK;
}

static uint8_t families_of(const struct s2_bgp_spec *spec)
{
    return (uint8_t)((spec->ipv4 ? S2_BGP_IPV4 : 0) | (spec->ipv6 ? S2_BGP_IPV6 : 0));
}

static void write_mp(struct s2_writer *w, uint8_t families)
{
    for (unsigned afi = S2_BGP_AFI_IPV4; afi <= S2_BGP_AFI_IPV6; afi++) {
        if (!(families & (afi == S2_BGP_AFI_IPV4 ? S2_BGP_IPV4 : S2_BGP_IPV6)))
            continue;
        s2_write_u8(w, CAPABILITY_MP);
        s2_write_u8(w, 4);
        s2_write_u16(w, (uint16_t)afi);
        s2_write_u8(w, 0);
        s2_write_u8(w, S2_BGP_SAFI_UNICAST);
    }
}

static void write_graceful_restart(struct s2_writer *w, const struct s2_bgp_open *open)
{
    s2_write_u8(w, CAPABILITY_GRACEFUL_RESTART);
    const size_t len = w->len;
    s2_write_u8(w, 0);
    s2_write_u16(w, open->restart_time_s & RESTART_TIME_MASK);
    for (unsigned afi = S2_BGP_AFI_IPV4; afi <= S2_BGP_AFI_IPV6; afi++) {
        const unsigned bit = afi == S2_BGP_AFI_IPV4 ? S2_BGP_IPV4 : S2_BGP_IPV6;

        if (!(open->graceful & bit))
            continue;
        s2_write_u16(w, (uint16_t)afi);
        s2_write_u8(w, S2_BGP_SAFI_UNICAST);
        s2_write_u8(w, open->forwarding & bit ? FORWARDING : 0);
    }
    s2_write_patch_u8(w, len, (uint8_t)(w->len - len - 1));
}

s2svpn_status s2_bgp_check_open(const struct s2_bgp_open *open, const struct s2_bgp_spec *spec,
                                struct s2_bgp_error *why)
{
    const bool expected =
        spec->peer_asn != 0 ? open->asn == spec->peer_asn : open->asn != spec->local_asn;

    /* RFC 7607: AS 0; RFC 6793 section 9: AS_TRANS is nobody's */
    if (!expected || open->asn == 0 || open->asn == S2_BGP_AS_TRANS)
        return open_error(why, S2_BGP_SUB_OPEN_PEER_AS, NULL, 0);
    if (open->hold_time_s == 1 || open->hold_time_s == 2)
        return open_error(why, S2_BGP_SUB_OPEN_HOLD_TIME, NULL, 0);
    /* RFC 6286 section 2.2: 0 is none; ours is fine, since the AS differs */
    if (open->router_id == 0)
        return open_error(why, S2_BGP_SUB_OPEN_ID, NULL, 0);
    if (!(open->families & families_of(spec))) {
        uint8_t data[16]; /* RFC 5492 section 3: the capabilities we miss */
        struct s2_writer w;

        s2_writer_init(&w, data, sizeof(data));
        write_mp(&w, families_of(spec));
        return open_error(why, S2_BGP_SUB_OPEN_CAPABILITY, data, w.len);
    }
    return S2SVPN_OK;
}

/* ---- the rest */

unsigned s2_bgp_parse_refresh(s2svpn_span body)
{
    struct s2_reader r;

    s2_reader_init(&r, body.p, body.len);
    const uint16_t afi = s2_read_u16(&r, "refresh.afi");
    const uint8_t subtype = s2_read_u8(&r, "refresh.subtype");
    const uint8_t safi = s2_read_u8(&r, "refresh.safi");
    if (s2_reader_finish(&r) != S2SVPN_OK || subtype != 0)
        return 0;
    return s2_bgp_family_bit(s2_bgp_family(afi, safi));
}

void s2_bgp_write_begin(struct s2_writer *w, uint8_t type)
{
    s2_write_u64(w, UINT64_MAX);
    s2_write_u64(w, UINT64_MAX);
    s2_write_u16(w, 0);
    s2_write_u8(w, type);
}

void s2_bgp_write_end(struct s2_writer *w)
{
    s2_write_patch_u16(w, 16, (uint16_t)w->len);
}

void s2_bgp_write_refresh(struct s2_writer *w, uint8_t family)
{
    s2_bgp_write_begin(w, S2_BGP_TYPE_REFRESH);
    s2_write_u16(w, s2_bgp_afi(family));
    s2_write_u8(w, 0);
    s2_write_u8(w, S2_BGP_SAFI_UNICAST);
    s2_bgp_write_end(w);
}

void s2_bgp_write_open(struct s2_writer *w, const struct s2_bgp_open *open)
{
    s2_bgp_write_begin(w, S2_BGP_TYPE_OPEN);
    s2_write_u8(w, VERSION);
    s2_write_u16(w, (uint16_t)(open->asn <= UINT16_MAX ? open->asn : S2_BGP_AS_TRANS));
    s2_write_u16(w, open->hold_time_s);
    s2_write_u32(w, open->router_id);
    const size_t parameters = w->len;
    s2_write_u8(w, 0);
    s2_write_u8(w, PARAMETER_CAPABILITIES);
    s2_write_u8(w, 0);
    write_mp(w, open->families);
    if (open->refresh) {
        s2_write_u8(w, CAPABILITY_REFRESH);
        s2_write_u8(w, 0);
    }
    if (open->graceful_restart)
        write_graceful_restart(w, open);
    if (open->four_octet_as) {
        s2_write_u8(w, CAPABILITY_FOUR_OCTET_AS);
        s2_write_u8(w, 4);
        s2_write_u32(w, open->asn);
    }
    s2_write_patch_u8(w, parameters, (uint8_t)(w->len - parameters - 1));
    s2_write_patch_u8(w, parameters + 2, (uint8_t)(w->len - parameters - 3));
    s2_bgp_write_end(w);
}
