/* SPDX-License-Identifier: Apache-2.0 */
/* The table of elements: what its users take for granted of every row. */
#include <string.h>

#include "config/config.h"
#include "harness.h"

static void the_table_is_ended(void)
{
    CU_ASSERT(s2_config_elements[S2_CONFIG_ELEMENTS - 1].path == NULL);
    CU_ASSERT(s2_config_elements[0].path != NULL);
}

static void every_row_is_whole_and_found(void)
{
    for (const struct s2_config_element *e = s2_config_elements; e->path != NULL; e++) {
        CHECK_ROW(e->path, s2_config_find(e->path) == e);
        CHECK_ROW(e->path, (e->parse == NULL) == (e->print == NULL));
        CHECK_ROW(e->path, e->expected != NULL);
        CHECK_ROW(e->path, strlen(S2_CONFIG_ROOT "/") + strlen(e->path) < S2_XML_PATH_SIZE);
    }
    CU_ASSERT(s2_config_find("ike/lifetime") == NULL);
    CU_ASSERT(s2_config_find("") == NULL);
}

/* The writer closes what it has opened, and the reader names the outermost element
 * that is missing: both count on this order. */
static void every_row_stands_behind_its_container_without_a_gap(void)
{
    const struct s2_config_element *all = s2_config_elements;

    for (size_t i = 0; all[i].path != NULL; i++) {
        const char *slash = strrchr(all[i].path, '/');
        size_t j = i;

        if (slash == NULL) {
            CHECK_ROW(all[i].path, !s2_config_in_tunnel(&all[i]));
            continue;
        }
        const size_t len = (size_t)(slash - all[i].path);
        while (j > 0 && strncmp(all[j].path, all[i].path, len) == 0 && all[j].path[len] == '/')
            j--;
        CHECK_ROW(all[i].path, strncmp(all[j].path, all[i].path, len) == 0);
        CHECK_ROW(all[i].path, strlen(all[j].path) == len);
        CHECK_ROW(all[i].path, all[j].parse == NULL);
        CHECK_ROW(all[i].path, s2_config_in_tunnel(&all[i]));
    }
}

static const struct {
    const char *path;
    size_t tunnel;
    const char *field, *rest;
} fields[] = {
    {"customer_gateway_id", 1, "customer_gateway_id", ""},
    {"ipsec_tunnel", 0, "ipsec_tunnel[0]", ""},
    {"ipsec_tunnels", 0, "ipsec_tunnels", ""},
    {"ipsec_tunnel/ike/lifetime", 1, "ipsec_tunnel[1]/ike/lifetime", ""},
    {"ipsec_tunnel/vpn_gateway/tunnel_inside_address/ip_address", 1,
     "ipsec_tunnel[1]/vpn_gateway/tunnel_inside_address/ip_address", ""},
};

static void a_field_is_the_path_with_the_tunnels_number(void)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char out[S2SVPN_FIELD_SIZE];
        const char *rest;

        s2_config_field(fields[i].path, fields[i].tunnel, out, &rest);
        CHECK_ROW(fields[i].path, strcmp(out, fields[i].field) == 0);
        CHECK_ROW(fields[i].path, strcmp(rest, fields[i].rest) == 0);
    }
}

static void what_a_field_has_no_room_for_goes_into_the_message(void)
{
    const char *path = "ipsec_tunnel/customer_gateway/tunnel_inside_address/"
                       "a_name_that_is_too_long_even_for_a_field_of_ninety_six_bytes";
    s2svpn_error why;

    s2_config_fail(&why, S2SVPN_E_MALFORMED, path, 1, "expected %s", "less");
    CU_ASSERT_STRING_EQUAL(why.field, "ipsec_tunnel[1]/customer_gateway/tunnel_inside_address");
    CU_ASSERT_STRING_EQUAL(why.message,
                           "a_name_that_is_too_long_even_for_a_field_of_ninety_six_bytes: "
                           "expected less");
    CU_ASSERT(why.code == S2SVPN_E_MALFORMED);
}

extern const CU_TestInfo s2_test_elements[];
const CU_TestInfo s2_test_elements[] = {
    {"the table is ended", the_table_is_ended},
    {"every row is whole and found", every_row_is_whole_and_found},
    {"every row stands behind its container without a gap",
     every_row_stands_behind_its_container_without_a_gap},
    {"a field is the path with the tunnel's number", a_field_is_the_path_with_the_tunnels_number},
    {"what a field has no room for goes into the message",
     what_a_field_has_no_room_for_goes_into_the_message},
    CU_TEST_INFO_NULL,
};
