/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer of IKEv1 offered, in the words that IKEv2's offers have. Numbers without a name
 * are printed as numbers, and nothing else of what it sent. RFC 2409 appendix A, RFC 2407
 * section 4.5. */
#include "ike/v1/proposal.h"

#include "base/text.h"
#include "ike/engine.h"

static size_t print_number(enum s2_ike1_number what, uint8_t type, uint16_t number, bool first,
                           char *out, size_t size)
{
    const uint16_t ours = s2_ike1_number_back(what, number);
    const char *name = s2_ike_transform_name(type, ours);

    if (ours == 0 || name[0] == '?')
        return s2_print(out, size, "%s%u:%u", first ? "" : "/", type, number);
    return s2_print(out, size, "%s%s", first ? "" : "/", name);
}

static size_t print_transform(const struct s2_ike1_transform *t, bool phase1, char *out,
                              size_t size)
{
    size_t len = print_number(phase1 ? S2_IKE1_NUMBER_ENCR : S2_IKE1_NUMBER_ESP,
                              S2SVPN_TRANSFORM_ENCR, phase1 ? t->encr : t->id, true, out, size);

    if (t->key_bits != 0)
        len += s2_print(out + len, size - len, "_%u", t->key_bits);
    if (phase1)
        len += print_number(S2_IKE1_NUMBER_PRF, S2SVPN_TRANSFORM_PRF, t->hash, false, out + len,
                            size - len);
    else if (t->integ != 0)
        len += print_number(S2_IKE1_NUMBER_INTEG, S2SVPN_TRANSFORM_INTEG, t->integ, false,
                            out + len, size - len);
    if (t->group != 0)
        len += print_number(S2_IKE1_NUMBER_GROUP, S2SVPN_TRANSFORM_KE, t->group, false, out + len,
                            size - len);
    return len;
}

void s2_ike1_print_offer(const struct s2_ike1_sa_payload *offer, char *out, size_t size)
{
    size_t len = 0;

    s2_copy_text(out, size, "nothing");
    for (size_t i = 0; i < offer->count; i++) {
        const struct s2_ike1_proposal *p = &offer->proposal[i];

        for (size_t k = 0; k < p->count; k++) {
            if (len > 0)
                len += s2_print(out + len, size - len, ", ");
            len += print_transform(&offer->transform[p->first + k],
                                   p->protocol == S2_IKE1_PROTO_ISAKMP, out + len, size - len);
        }
    }
}
