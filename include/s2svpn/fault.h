/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Provoking what AWS does, on one tunnel of a gateway: for tests of a customer's device and
 * for rehearsals. Each is what the device would see from AWS's endpoint in that case; none
 * touches the other tunnel.
 *
 *   kind          what the device sees                                          ends
 *   BLACKHOLE     silence: no IKE, no ESP, no BGP, both ways                     by clear
 *   DELETE        the endpoint deletes the IKE SA and rests; it answers again    by itself
 *   NO_DPD        liveness checks (R-U-THERE, empty INFORMATIONAL) unanswered,   by clear
 *                 all other things as ever
 *   REKEY_NOW     the endpoint rekeys the child SA, then the IKE SA              by itself
 *   BGP_RESET     NOTIFICATION Cease, Administrative Reset; the session returns  by itself
 *   WITHDRAW      every prefix withdrawn, the session stays                      by clear
 *   OVER_LIMIT    NOTIFICATION Cease, Maximum Number of Prefixes Reached, as if  by clear
 *                 the device had announced too many; refused until cleared
 *   MAINTENANCE   the other tunnel gets the better MED, then the endpoint is     by itself
 *                 replaced: s2svpn_tunnel_replace()
 */
#ifndef S2SVPN_FAULT_H
#define S2SVPN_FAULT_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** X(NAME, word on a command line) */
#define S2SVPN_FAULT_LIST(X)                                                                       \
    X(BLACKHOLE, "blackhole")                                                                      \
    X(DELETE, "delete")                                                                            \
    X(NO_DPD, "no-dpd")                                                                            \
    X(REKEY_NOW, "rekey-now")                                                                      \
    X(BGP_RESET, "bgp-reset")                                                                      \
    X(WITHDRAW, "withdraw")                                                                        \
    X(OVER_LIMIT, "over-limit")                                                                    \
    X(MAINTENANCE, "maintenance")
enum s2svpn_fault {
#define S2SVPN_FAULT_ENUM(name, word) S2SVPN_FAULT_##name,
    S2SVPN_FAULT_LIST(S2SVPN_FAULT_ENUM)
#undef S2SVPN_FAULT_ENUM
        S2SVPN_FAULTS
};

/** "blackhole"; borrowed for ever. @threads any */
S2SVPN_API const char *s2svpn_fault_text(enum s2svpn_fault fault);

/**
 * Provoke it, from the next receive or advance on.
 * @return E_STATE: there is nothing to do it to (no SA, no session), or the tunnel is a
 *         device's; E_ARGUMENT: "fault"; E_MEMORY.
 * @threads one call at a time on the context.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_tunnel_provoke(s2svpn_tunnel *tunnel,
                                                                enum s2svpn_fault fault);
/** End those that last: withdrawn prefixes are announced again, what was refused may return.
 * @threads as above. */
S2SVPN_API void s2svpn_tunnel_clear_faults(s2svpn_tunnel *tunnel);
/** Those that last and are in force: bits 1 << enum s2svpn_fault. @threads as above. */
S2SVPN_API uint32_t s2svpn_tunnel_faults(const s2svpn_tunnel *tunnel);

S2SVPN_END
#endif
