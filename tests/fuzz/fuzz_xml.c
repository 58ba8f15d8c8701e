/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the customerGatewayConfiguration document. What is read can be written,
 * and reads as the same again; a failure is filled in and whole. */
#include <stdlib.h>
#include <string.h>

#include "s2svpn/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool good)
{
    if (!good)
        abort();
}

static void check_failure(s2svpn_status rc, const s2svpn_error *why)
{
    demand(rc == S2SVPN_E_MALFORMED || rc == S2SVPN_E_UNSUPPORTED || rc == S2SVPN_E_LIMIT);
    demand(why->code == rc && why->message[0] != '\0');
    demand(memchr(why->field, '\0', sizeof(why->field)) != NULL);
    demand(memchr(why->message, '\0', sizeof(why->message)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    s2svpn_device_config *first = NULL, *second = NULL;
    s2svpn_text xml = {0};
    s2svpn_error why = {0};
    const s2svpn_status rc = s2svpn_config_read((const char *)data, size, &first, &why);

    if (rc != S2SVPN_OK) {
        demand(first == NULL);
        check_failure(rc, &why);
        return 0;
    }
    demand(first->tunnel_count == 1 || first->tunnel_count == 2);
    demand(s2svpn_config_write(first, &xml, &why) == S2SVPN_OK);
    demand(s2svpn_config_read(xml.data, xml.len, &second, &why) == S2SVPN_OK);
    demand(memcmp(first, second, sizeof(*first)) == 0);
    s2svpn_text_free(&xml);
    s2svpn_config_free(first);
    s2svpn_config_free(second);
    return 0;
}
