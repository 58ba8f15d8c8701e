/* SPDX-License-Identifier: Apache-2.0 */
/* Ciphers for IKE's own messages against published vectors, and what is refused. */
#include <openssl/err.h>
#include <string.h>

#include "harness.h"
#include "support.h"

static const struct {
    const char *row, *key, *iv, *plain, *cipher;
} cbc[] = {
    {"RFC 3602 case 1", "06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41",
     "53696e676c6520626c6f636b206d7367", "e353779c1079aeb82708942dbe77181a"},
    {"RFC 3602 case 2", "c286696d887c9aa0611bbb3e2025a45a", "562e17996d093d28ddb3ba695a2e6f58",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1"},
    {"RFC 3602 case 4", "56e47a38c5598974bc46903dba290349", "8ce82eefbea0da3c44699ed7db51b7d9",
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7"
     "c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
     "c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e35907aa632c3ffdf"
     "868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55"},
    {"SP 800-38A F.2.1", "2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"},
    {"SP 800-38A F.2.3", "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
     "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"},
    {"SP 800-38A F.2.5", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
     "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"},
};

/* "The Galois/Counter Mode of Operation (GCM)", McGrew and Viega, appendix B, whose
 * 96-bit IV is read as salt and explicit IV; RFC 7634 appendix B. */
static const struct {
    const char *row;
    uint16_t encr;
    const char *key, *iv, *aad, *plain, *cipher, *icv;
} aead[] = {
    {"GCM spec, case 4", S2SVPN_ENCR_AES_GCM_16, "feffe9928665731c6d6a8f9467308308cafebabe",
     "facedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
     "2fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c"
     "7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM spec, case 10", S2SVPN_ENCR_AES_GCM_16,
     "feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe", "facedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
     "2fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525"
     "ac619d18c84a3f4718e2448b2fe324d9ccda2710",
     "2519498e80f1478f37ba55bd6d27618c"},
    {"GCM spec, case 16", S2SVPN_ENCR_AES_GCM_16,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308cafebabe", "facedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
     "2fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d"
     "a7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 7634 appendix B", S2SVPN_ENCR_CHACHA20_POLY1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3", "1011121314151617",
     "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
     "0000000c000040010000000a00", "610394701f8d017f7c12924889",
     "6b71bfe25236efd7cdc67066906315b2"},
};

static void cbc_matches_the_published_vectors_both_ways(void)
{
    for (size_t i = 0; i < COUNT(cbc); i++) {
        uint8_t key[32], iv[16], data[64];
        const s2svpn_span k = {key, unhex(cbc[i].key, key, sizeof(key))};
        const size_t len = unhex(cbc[i].plain, data, sizeof(data));

        unhex(cbc[i].iv, iv, sizeof(iv));
        CHECK_ROW(cbc[i].row, s2svpn_crypto_openssl()->ike_cbc(NULL, S2SVPN_ENCR_AES_CBC, true, k,
                                                               iv, data, len) == S2SVPN_OK);
        CHECK_ROW(cbc[i].row, is_hex(data, len, cbc[i].cipher));
        CHECK_ROW(cbc[i].row, s2svpn_crypto_openssl()->ike_cbc(NULL, S2SVPN_ENCR_AES_CBC, false, k,
                                                               iv, data, len) == S2SVPN_OK);
        CHECK_ROW(cbc[i].row, is_hex(data, len, cbc[i].plain));
    }
}

static void cbc_takes_whole_blocks_only(void)
{
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();
    uint8_t key[36] = {0}, iv[16] = {0}, data[32] = {0};
    const s2svpn_span k = {key, 16};

    CU_ASSERT_EQUAL(o->ike_cbc(NULL, 12, true, k, iv, data, 0), S2SVPN_OK);
    CU_ASSERT_EQUAL(o->ike_cbc(NULL, 12, true, k, iv, data, 17), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(o->ike_cbc(NULL, 12, false, k, iv, data, 31), S2SVPN_E_ARGUMENT);
    for (size_t i = 0; i < sizeof(data); i++)
        CU_ASSERT_EQUAL(data[i], 0);
}

static void ciphers_and_key_lengths_that_have_no_row_are_refused(void)
{
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();
    uint8_t key[64] = {0}, iv[16] = {0}, data[16] = {0}, icv[16];
    const s2svpn_span aad = {NULL, 0};
    static const struct {
        const char *row;
        uint16_t encr;
        size_t key_len;
    } bad[] = {
        {"CBC, 17 bytes", 12, 17},
        {"CBC, no key", 12, 0},
        {"GCM without salt", 20, 16},
        {"ChaCha without salt", 28, 32},
        {"NULL", 11, 0},
        {"3DES", 3, 24},
        {"number 0", 0, 16},
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        const s2svpn_span k = {key, bad[i].key_len};

        CHECK_ROW(bad[i].row,
                  o->ike_cbc(NULL, bad[i].encr, true, k, iv, data, 16) == S2SVPN_E_UNSUPPORTED);
        CHECK_ROW(bad[i].row, o->ike_aead(NULL, bad[i].encr, true, k, iv, aad, data, 16, icv) ==
                                  S2SVPN_E_UNSUPPORTED);
    }
    CU_ASSERT_EQUAL(o->ike_cbc(NULL, 20, true, (s2svpn_span){key, 20}, iv, data, 16),
                    S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(o->ike_aead(NULL, 12, true, (s2svpn_span){key, 16}, iv, aad, data, 16, icv),
                    S2SVPN_E_UNSUPPORTED);
}

static void aead_matches_the_published_vectors_both_ways(void)
{
    for (size_t i = 0; i < COUNT(aead); i++) {
        uint8_t key[36], iv[8], aad[64], data[64], icv[16];
        const s2svpn_span k = {key, unhex(aead[i].key, key, sizeof(key))};
        const s2svpn_span a = {aad, unhex(aead[i].aad, aad, sizeof(aad))};
        const size_t len = unhex(aead[i].plain, data, sizeof(data));

        unhex(aead[i].iv, iv, sizeof(iv));
        CHECK_ROW(aead[i].row, s2svpn_crypto_openssl()->ike_aead(NULL, aead[i].encr, true, k, iv, a,
                                                                 data, len, icv) == S2SVPN_OK);
        CHECK_ROW(aead[i].row, is_hex(data, len, aead[i].cipher));
        CHECK_ROW(aead[i].row, is_hex(icv, sizeof(icv), aead[i].icv));
        CHECK_ROW(aead[i].row, s2svpn_crypto_openssl()->ike_aead(NULL, aead[i].encr, false, k, iv,
                                                                 a, data, len, icv) == S2SVPN_OK);
        CHECK_ROW(aead[i].row, is_hex(data, len, aead[i].plain));
    }
}

static void a_changed_bit_anywhere_fails_authentication(void)
{
    uint8_t key[36], bytes[8 + 28 + 40 + 16]; /* IV, AAD, text, ICV */
    uint8_t *const iv = bytes, *const aad = bytes + 8, *const data = aad + 28,
                   *const icv = data + 40;

    fill(key, sizeof(key), 1);
    for (size_t i = 0; i < COUNT(aead); i++) {
        const s2svpn_span k = {key, strlen(aead[i].key) / 2};

        for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
            fill(bytes, sizeof(bytes), 2);
            CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->ike_aead(NULL, aead[i].encr, true, k, iv,
                                                              (s2svpn_span){aad, 28}, data, 40,
                                                              icv),
                            S2SVPN_OK);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK_ROW(aead[i].row, s2svpn_crypto_openssl()->ike_aead(
                                       NULL, aead[i].encr, false, k, iv, (s2svpn_span){aad, 28},
                                       data, 40, icv) == S2SVPN_E_AUTHENTICATION);
        }
    }
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

static void empty_text_and_empty_aad_are_sealed_too(void)
{
    uint8_t key[36] = {7}, iv[8] = {1}, icv[16], none[1];

    for (size_t i = 0; i < COUNT(aead); i++) {
        const s2svpn_span k = {key, strlen(aead[i].key) / 2}, a = {NULL, 0};

        CHECK_ROW(aead[i].row, s2svpn_crypto_openssl()->ike_aead(NULL, aead[i].encr, true, k, iv, a,
                                                                 none, 0, icv) == S2SVPN_OK);
        CHECK_ROW(aead[i].row, s2svpn_crypto_openssl()->ike_aead(NULL, aead[i].encr, false, k, iv,
                                                                 a, none, 0, icv) == S2SVPN_OK);
        icv[3] ^= 1;
        CHECK_ROW(aead[i].row,
                  s2svpn_crypto_openssl()->ike_aead(NULL, aead[i].encr, false, k, iv, a, none, 0,
                                                    icv) == S2SVPN_E_AUTHENTICATION);
    }
}

static bool both_ciphers(void *arg)
{
    uint8_t key[36] = {7}, iv[16] = {1}, data[32] = {0}, icv[16];
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();

    (void)arg;
    return o->ike_cbc(NULL, S2SVPN_ENCR_AES_CBC, true, (s2svpn_span){key, 16}, iv, data, 32) ==
               S2SVPN_OK &&
           o->ike_aead(NULL, S2SVPN_ENCR_AES_GCM_16, true, (s2svpn_span){key, 36}, iv,
                       (s2svpn_span){key, 4}, data, 32, icv) == S2SVPN_OK;
}

static void running_out_of_memory_is_reported(void)
{
    memory_fail_each(both_ciphers, NULL);
}

const CU_TestInfo s2_test_openssl_ike[] = {
    {"CBC matches the published vectors both ways", cbc_matches_the_published_vectors_both_ways},
    {"CBC takes whole blocks only", cbc_takes_whole_blocks_only},
    {"ciphers and key lengths that have no row are refused",
     ciphers_and_key_lengths_that_have_no_row_are_refused},
    {"AEAD matches the published vectors both ways", aead_matches_the_published_vectors_both_ways},
    {"a changed bit anywhere fails authentication", a_changed_bit_anywhere_fails_authentication},
    {"empty text and empty AAD are sealed too", empty_text_and_empty_aad_are_sealed_too},
    {"running out of memory is reported", running_out_of_memory_is_reported},
    CU_TEST_INFO_NULL,
};
