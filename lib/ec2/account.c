/* SPDX-License-Identifier: Apache-2.0 */
/* Actions about the account and where things are: caller identity, regions, zones,
 * account attributes. */
#include <string.h>

#include "ec2/ec2.h"

static const char *const regions[] = {
    "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "sa-east-1",
    "us-east-1",      "us-east-2",  "us-west-1",      "us-west-2",
};

/* Is the list there, and then this among its values? true without the list. */
static bool listed(const struct s2_ec2_call *call, const char *list, const char *value)
{
    struct s2_ec2_list l;
    bool any = false;

    s2_ec2_list_init(&l, call->query, list);
    while (s2_ec2_list_next(&l)) {
        const char *text = s2_ec2_query_text(call->query, l.name);
        any = true;
        if (text != NULL && strcmp(text, value) == 0)
            return true;
    }
    return !any;
}

static s2svpn_status get_caller_identity(struct s2_ec2_call *call)
{
    char arn[160];

    if (call->user != NULL)
        s2_print(arn, sizeof(arn), "arn:aws:iam::%s:user/%s", call->account, call->user);
    else
        s2_print(arn, sizeof(arn), "arn:aws:iam::%s:root", call->account);
    s2_ec2_xml_text(&call->xml, "Arn", arn);
    s2_ec2_xml_text(&call->xml, "UserId", call->user_id ? call->user_id : call->account);
    s2_ec2_xml_text(&call->xml, "Account", call->account);
    return S2SVPN_OK;
}

struct region {
    const char *name;
    char endpoint[64];
};

static void region_values(const void *object, const char *name, struct s2_ec2_match *m)
{
    const struct region *r = object;

    if (strcmp(name, "region-name") == 0)
        s2_ec2_match_value(m, r->name);
    else if (strcmp(name, "endpoint") == 0)
        s2_ec2_match_value(m, r->endpoint);
    else if (strcmp(name, "opt-in-status") == 0)
        s2_ec2_match_value(m, "opt-in-not-required");
}

static const char *const region_filters[] = {"endpoint", "opt-in-status", "region-name", NULL};

static void write_region(struct s2_ec2_call *call, const char *name)
{
    struct region r = {.name = name};

    s2_print(r.endpoint, sizeof(r.endpoint), "ec2.%s.amazonaws.com", name);
    if (!listed(call, "RegionName", name) ||
        !s2_ec2_filters_match(call->filters, &r, region_values))
        return;
    s2_ec2_xml_begin(&call->xml, "item");
    s2_ec2_xml_text(&call->xml, "regionName", name);
    s2_ec2_xml_text(&call->xml, "regionEndpoint", r.endpoint);
    s2_ec2_xml_text(&call->xml, "optInStatus", "opt-in-not-required");
    s2_ec2_xml_end(&call->xml);
}

/* The i-th region: what the host lists, or AWS's; behind them the one that was asked,
 * unless it is among them. */
static const char *region_at(const struct s2_ec2_call *call, size_t i)
{
    const s2svpn_ec2_options *o = &call->ec2->options;
    const char *const *list = o->regions != NULL ? o->regions : regions;
    const size_t count = o->regions != NULL ? o->region_count : sizeof(regions) / sizeof(*regions);

    if (i < count)
        return list[i];
    for (size_t k = 0; k < count; k++) {
        if (strcmp(list[k], call->region) == 0)
            return NULL;
    }
    return i == count ? call->region : NULL;
}

/* Each name of the list is one that exists. */
static s2svpn_status check_regions(struct s2_ec2_call *call)
{
    struct s2_ec2_list l;
    const char *name;

    s2_ec2_list_init(&l, call->query, "RegionName");
    while (s2_ec2_list_next(&l)) {
        const char *wanted = s2_ec2_query_text(call->query, l.name);
        for (size_t i = 0; (name = region_at(call, i)) != NULL; i++) {
            if (strcmp(name, wanted) == 0)
                break;
        }
        if (name == NULL)
            return s2_ec2_fail(call->fault, S2_EC2_INVALID_VALUE, wanted, "RegionName",
                               "There is no such region.");
    }
    return S2SVPN_OK;
}

static s2svpn_status describe_regions(struct s2_ec2_call *call)
{
    const char *name;
    s2svpn_status rc = check_regions(call);

    if (rc != S2SVPN_OK)
        return rc;
    s2_ec2_xml_begin(&call->xml, "regionInfo");
    for (size_t i = 0; (name = region_at(call, i)) != NULL; i++)
        write_region(call, name);
    s2_ec2_xml_end(&call->xml);
    return S2SVPN_OK;
}

#define ZONES 3

struct zone {
    const char *region;
    char name[40], id[24];
};

/* us-east-1 is use1, ap-southeast-2 apse2, us-gov-west-1 usgw1. */
static void print_zone(const char *region, unsigned i, struct zone *z)
{
    char shortened[16] = "";
    size_t n = 0;

    for (const char *p = region; *p != '\0' && n < sizeof(shortened) - 3;) {
        const size_t len = strcspn(p, "-");
        if (p == region || (*p >= '0' && *p <= '9')) {
            for (size_t k = 0; k < len && k < 2; k++)
                shortened[n++] = p[k];
        } else if (len > 0) {
            shortened[n++] = *p;
            if (len == 9) /* northeast, southeast, northwest, southwest */
                shortened[n++] = p[5];
        }
        p += len + (p[len] == '-');
    }
    shortened[n] = '\0';
    z->region = region;
    s2_print(z->name, sizeof(z->name), "%s%c", region, (char)('a' + i));
    s2_print(z->id, sizeof(z->id), "%s-az%u", shortened, i + 1);
}

static void zone_values(const void *object, const char *name, struct s2_ec2_match *m)
{
    const struct zone *z = object;
    const struct {
        const char *name, *value;
    } rows[] = {
        {"group-name", z->region},  {"message", NULL},
        {"region-name", z->region}, {"opt-in-status", "opt-in-not-required"},
        {"state", "available"},     {"parent-zone-id", NULL},
        {"zone-id", z->id},         {"parent-zone-name", NULL},
        {"zone-name", z->name},     {"zone-type", "availability-zone"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0)
            s2_ec2_match_value(m, rows[i].value);
    }
}

static const char *const zone_filters[] = {
    "group-name",  "message", "opt-in-status", "parent-zone-id", "parent-zone-name",
    "region-name", "state",   "zone-id",       "zone-name",      "zone-type",
    NULL,
};

static void write_zone(struct s2_ec2_call *call, const struct zone *z)
{
    struct s2_ec2_xml *x = &call->xml;

    s2_ec2_xml_begin(x, "item");
    s2_ec2_xml_text(x, "zoneName", z->name);
    s2_ec2_xml_text(x, "zoneId", z->id);
    s2_ec2_xml_text(x, "zoneState", "available");
    s2_ec2_xml_text(x, "regionName", z->region);
    s2_ec2_xml_text(x, "groupName", z->region);
    s2_ec2_xml_text(x, "networkBorderGroup", z->region);
    s2_ec2_xml_text(x, "optInStatus", "opt-in-not-required");
    s2_ec2_xml_text(x, "zoneType", "availability-zone");
    s2_ec2_xml_text(x, "messageSet", "");
    s2_ec2_xml_end(x);
}

/* Each value of a list is a zone's name or id. */
static s2svpn_status check_zones(struct s2_ec2_call *call, const char *list, bool id)
{
    struct s2_ec2_list l;

    s2_ec2_list_init(&l, call->query, list);
    while (s2_ec2_list_next(&l)) {
        const char *wanted = s2_ec2_query_text(call->query, l.name);
        bool found = false;
        for (unsigned i = 0; i < ZONES; i++) {
            struct zone z;
            print_zone(call->region, i, &z);
            found |= strcmp(id ? z.id : z.name, wanted) == 0;
        }
        if (!found)
            return s2_ec2_fail(call->fault, S2_EC2_INVALID_VALUE, wanted, list,
                               "There is no such availability zone.");
    }
    return S2SVPN_OK;
}

static s2svpn_status describe_zones(struct s2_ec2_call *call)
{
    s2svpn_status rc = check_zones(call, "ZoneName", false);

    if (rc == S2SVPN_OK)
        rc = check_zones(call, "ZoneId", true);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ec2_xml_begin(&call->xml, "availabilityZoneInfo");
    for (unsigned i = 0; i < ZONES; i++) {
        struct zone z;
        print_zone(call->region, i, &z);
        if (listed(call, "ZoneName", z.name) && listed(call, "ZoneId", z.id) &&
            s2_ec2_filters_match(call->filters, &z, zone_values))
            write_zone(call, &z);
    }
    s2_ec2_xml_end(&call->xml);
    return S2SVPN_OK;
}

static s2svpn_status describe_attributes(struct s2_ec2_call *call)
{
    static const char *const rows[][2] = {
        {"supported-platforms", "VPC"}, {"default-vpc", "none"},
        {"max-instances", "20"},        {"max-elastic-ips", "5"},
        {"vpc-max-elastic-ips", "5"},   {"vpc-max-security-groups-per-interface", "5"},
    };
    struct s2_ec2_xml *x = &call->xml;

    s2_ec2_xml_begin(x, "accountAttributeSet");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!listed(call, "AttributeName", rows[i][0]))
            continue;
        s2_ec2_xml_begin(x, "item");
        s2_ec2_xml_text(x, "attributeName", rows[i][0]);
        s2_ec2_xml_begin(x, "attributeValueSet");
        s2_ec2_xml_begin(x, "item");
        s2_ec2_xml_text(x, "attributeValue", rows[i][1]);
        s2_ec2_xml_end(x);
        s2_ec2_xml_end(x);
        s2_ec2_xml_end(x);
    }
    s2_ec2_xml_end(x);
    return S2SVPN_OK;
}

static const struct s2_ec2_shape regions_params[] = {
    {.name = "AllRegions", .type = S2_EC2_BOOL},
    {.name = "RegionName", .type = S2_EC2_TEXT, .list = true, .min = 1, .max = 64},
    {.name = NULL},
};
static const struct s2_ec2_shape zones_params[] = {
    {.name = "AllAvailabilityZones", .type = S2_EC2_BOOL},
    {.name = "ZoneId", .type = S2_EC2_TEXT, .list = true, .min = 1, .max = 64},
    {.name = "ZoneName", .type = S2_EC2_TEXT, .list = true, .min = 1, .max = 64},
    {.name = NULL},
};
static const char *const attribute_names[] = {"supported-platforms", "default-vpc", NULL};
static const struct s2_ec2_shape attributes_params[] = {
    {.name = "AttributeName", .type = S2_EC2_ENUM, .list = true, .words = attribute_names},
    {.name = NULL},
};

const struct s2_ec2_action s2_ec2_account_actions[] = {
    {.name = "GetCallerIdentity",
     .service = S2_EC2_SERVICE_STS,
     .no_dry_run = true,
     .no_rights = true,
     .run = get_caller_identity},
    {.name = "DescribeRegions",
     .params = regions_params,
     .filters = region_filters,
     .run = describe_regions},
    {.name = "DescribeAvailabilityZones",
     .params = zones_params,
     .filters = zone_filters,
     .run = describe_zones},
    {.name = "DescribeAccountAttributes", .params = attributes_params, .run = describe_attributes},
    {.name = NULL},
};
