/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests of lib/vpn. */
#include "harness.h"

extern const CU_TestInfo s2_test_allocations[], s2_test_association[], s2_test_attempt[], s2_test_bgp_log[], s2_test_bgp_policies[], s2_test_bgp_speaker[], s2_test_classify[], s2_test_connection[], s2_test_context[], s2_test_datapath[], s2_test_device[], s2_test_device_change[], s2_test_drops[], s2_test_ecmp[], s2_test_ecmp_memory[], s2_test_events[], s2_test_external[], s2_test_fault[], s2_test_flow[], s2_test_hub[], s2_test_inner[], s2_test_ipv6[], s2_test_ipv6_objects[], s2_test_limits[], s2_test_log_line[], s2_test_long_packets[], s2_test_nested[], s2_test_object[], s2_test_object_store[], s2_test_offers[], s2_test_path[], s2_test_port[], s2_test_profile[], s2_test_propagation[], s2_test_route_table[], s2_test_slots[], s2_test_source_check[], s2_test_tunnel[], s2_test_tunnel_log[], s2_test_tunnel_modify[], s2_test_tunnel_options[], s2_test_versions[], s2_test_vpc[], s2_test_vpc_store[], s2_test_words[], s2_test_workers[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"vpn/allocations", s2_test_allocations},
        {"vpn/association", s2_test_association},
        {"vpn/attempt", s2_test_attempt},
        {"vpn/bgp_log", s2_test_bgp_log},
        {"vpn/bgp_policies", s2_test_bgp_policies},
        {"vpn/bgp_speaker", s2_test_bgp_speaker},
        {"vpn/classify", s2_test_classify},
        {"vpn/connection", s2_test_connection},
        {"vpn/context", s2_test_context},
        {"vpn/datapath", s2_test_datapath},
        {"vpn/device", s2_test_device},
        {"vpn/device_change", s2_test_device_change},
        {"vpn/drops", s2_test_drops},
        {"vpn/ecmp", s2_test_ecmp},
        {"vpn/ecmp_memory", s2_test_ecmp_memory},
        {"vpn/events", s2_test_events},
        {"vpn/external", s2_test_external},
        {"vpn/fault", s2_test_fault},
        {"vpn/flow", s2_test_flow},
        {"vpn/hub", s2_test_hub},
        {"vpn/inner", s2_test_inner},
        {"vpn/ipv6", s2_test_ipv6},
        {"vpn/ipv6_objects", s2_test_ipv6_objects},
        {"vpn/limits", s2_test_limits},
        {"vpn/log_line", s2_test_log_line},
        {"vpn/long_packets", s2_test_long_packets},
        {"vpn/nested", s2_test_nested},
        {"vpn/object", s2_test_object},
        {"vpn/object_store", s2_test_object_store},
        {"vpn/offers", s2_test_offers},
        {"vpn/path", s2_test_path},
        {"vpn/port", s2_test_port},
        {"vpn/profile", s2_test_profile},
        {"vpn/propagation", s2_test_propagation},
        {"vpn/route_table", s2_test_route_table},
        {"vpn/slots", s2_test_slots},
        {"vpn/source_check", s2_test_source_check},
        {"vpn/tunnel", s2_test_tunnel},
        {"vpn/tunnel_log", s2_test_tunnel_log},
        {"vpn/tunnel_modify", s2_test_tunnel_modify},
        {"vpn/tunnel_options", s2_test_tunnel_options},
        {"vpn/versions", s2_test_versions},
        {"vpn/vpc", s2_test_vpc},
        {"vpn/vpc_store", s2_test_vpc_store},
        {"vpn/words", s2_test_words},
        {"vpn/workers", s2_test_workers},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
