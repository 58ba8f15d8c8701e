/* SPDX-License-Identifier: Apache-2.0 */
/* Key derivation of IKEv2, published vectors, hexadecimal. Inputs and the SHA-1
 * results: NIST CAVP, SP 800-135 component tests, 800-135testvectors/ikev2.zip. SHA-256
 * results for the same inputs: OpenSSL, test/recipes/30-test_evp_data/evpkdf_ikev2.txt,
 * cases "self_test_data.c". */
#ifndef S2_TESTS_VECTORS_IKEV2_KDF_H
#define S2_TESTS_VECTORS_IKEV2_KDF_H

#include "s2svpn/crypto.h"

static const struct s2_kdf_input {
    const char *ni, *nr, *spi_i, *spi_r, *g_ir, *g_ir_new;
} s2_kdf_input = {
    .ni = "3651fef5c9c35e93",
    .nr = "c09a8b90a3f04d59",
    .spi_i = "8e5c3ae507221684",
    .spi_r = "b1f201bb155c3acd",
    .g_ir = "d084a30166a50fb7325c3960874a839449ef9741c2f4f947d0201dd8c1269273"
            "d79509f37e3ca3eb4fa2fe2a28254e289cd3f34dad4eb4df1a07685a4b8a94fa"
            "61e2491f7598b3ce65547ff133b3f63d1ac4175eaa695033f3cedb026a6873a3"
            "6455172a8540b8a5d23a0143bed0390ee49b168269d75fffee9fb62be965993c",
    .g_ir_new = "52f00ab174c25d5b7139ae5ff4e8e9eddee5992d2e36adf8a559ffd90dab1442"
                "e4fbe429d320c0f33552a17d1557fa41ea70e8fb916c4fa27ed52b5f8ebd8461"
                "afa78f1159159a64055ac5f6319e29c28eae58cbc6847770f32c3fed1d047504"
                "84f854790f95e9ec01bc5bc461f24966462e359511329305038e94deb6dd42c2",
};

/* dkm: SK_d | SK_ai | ...; child and child_dh: KEYMAT without and with g_ir_new;
 * rekey: SKEYSEED of a rekey with g_ir_new; nonces are the same throughout. */
static const struct s2_kdf_vector {
    const char *name;
    uint16_t prf;
    const char *skeyseed, *dkm, *child, *child_dh, *rekey;
} s2_kdf_vectors[] = {
    {
        .name = "SHA1",
        .prf = S2SVPN_PRF_HMAC_SHA1,
        .skeyseed = "cd2e8050137832245f1dbacc6e4f0a92f94d45d6",
        .dkm = "6f1b12cad3cbe097b35430356d869d54cddb0198ec859174d53ceb92dddedbe2"
               "436db69f60977c58fa63bbb667f8d36920b109baae8f6c61a9ac49feda018432"
               "25d080ec5539d5881a25521ffb2a0a91874a9c0a27fcc2d717eb8963a9e3a89c"
               "7ab264757284c28cf8c3ca40576f4220b052b1fb8e9ad60ba3c80557323331a8"
               "cbb89f20",
        .child = "4727dc0ef94eb326ce131cf282fb652faa638ad0ddae3786a11bcc0309876009"
                 "f8c485de011ad962c5b1ca8a41ff8145445749079c5686e26ffebbc342f06981"
                 "f3da745e11ca0976424d1f8caec623d59dc7186deb20a27b411d1dcb70a36544"
                 "0bf7de905088b0692e8addc094e18d1939bdb67e89798ca6b239e2ccb81c2409"
                 "dac0106c",
        .child_dh = "b109c21ad4c0797768c1cec9e63554681e48f224bca7f23c20c4ea7041983451"
                    "e9aa1d5408656c8a975ff1b9d9a12c75ffeb64bdecb30174664cccb4e14f1c37"
                    "7b7f6d1525af77c7092aac3e47f917ebae8297fb5539d2008ce830823a09cc19"
                    "7361d4a289c72745f6ce9fefe812be5bf55b3200fbb82e41a4a40877d3fe106d"
                    "b909707b",
        .rekey = "3b03bce748c96d5e8306918d2ff89b68f0648da3",
    },
    {
        .name = "SHA256",
        .prf = S2SVPN_PRF_HMAC_SHA2_256,
        .skeyseed = "efaa7ab0eaa85a3d0be2100cd4b6fe00ff5025a9eafddb3ef518e9f0d3fe60e6",
        .dkm = "462b9dd525d4fd71169174272779e704baf62c6231779ae9efe8c58b21916b42"
               "010164af2111ebd762f6916ca9a6f0ee05c8b320e4ee27705521de2589adea18"
               "78f1a551738af7c88dc4f0bb0c096a3f7d1f1a670fc79f49f678d60d665bb371"
               "0c8657f03ba9f62b9a818d7a228968c506e237ae9502aa6db395c61ea6a3e795"
               "04f86b7368bfb5423df79e48809bbccd49fd826d024f63d7c2a5566400a12e73"
               "6aa034510428f5ea008fe2fc16886fa388274ea6c2b4fcfc6141bf04f8207ef8"
               "afc224ea1059cb220dc0b23ac0e4ccda495a4e131b1d56e223aba5a48e8ed1f5",
        .child = "23647677e7d403fa1e3006f19840aee18ad9fecc4215814c4131bdeba98433d8"
                 "b0e31bfbbddf822abcce5e06486aa388022b75e27e1e68aa5983028b65282c73"
                 "0c5d49ef7606770376cfdec41f7cc435d816029989bc353d3b67b9fd1168ddcb"
                 "8978850da9b752aee6a30d0086d2c4d74ec0e03648a0dad334faf5fe88084e67"
                 "b0f3e8fee8b5e1bd3850db540f1fb8cffe23c9e92cda209373f354880c246c75"
                 "3e2a0eca9cb73b9910a8531c4010e6768fa29f909e60af777fed6e739c3cfda0"
                 "3467e915d6f03fce9c41f5f9d578f8912d66a75457e79ee1d5bcc2be5c2f9bae",
        .child_dh = "6a919387a5fa2835fe8a8237e4a14845bd2b9930db87eff7adf268f621860049"
                    "02dba9aa942d0259a0edc4120b932a503865b57ba8fb88117ef5df7b26799cd8"
                    "ba37aa5438108cb1a4fe117907c9d0597b708c3f11151fefd624d2317202b7c8"
                    "1430600e6fcbb6e1a8df2b4861ef2363d53de1be69057b0cf6634a7e7bfa97b3"
                    "c2810623e2bd6757738777177036e9c3a39794456954bd41fc444a12507ab9ca"
                    "c69a0540d13c29db8510f566a691691baa2d9569dacc990d56a454bb444bcbbe"
                    "8751b0550a5278812fc5ab4f28990dd6d608538d7ddde24dc81bdaaca7751fde",
        .rekey = "90722c42bd849e9b72d240fc254174270fa8295de6f0338dafc303a9ec104f12",
    },
};

#endif
