/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 SAs, computed by ikev1_trace.py from RFC 2409 and not by the library. Made by
 * that script: change it there. Hexadecimal. */
#ifndef S2_TESTS_VECTORS_IKEV1_TRACE_H
#define S2_TESTS_VECTORS_IKEV1_TRACE_H

#include <stdint.h>

/* clang-format off */
static const struct s2_ike1_trace {
    uint16_t key_bits, prf, hash, child_encr, child_bits, child_integ;
    const char *name;
    const char *psk;
    const char *shared;
    const char *ni;
    const char *nr;
    const char *cookie_i;
    const char *cookie_r;
    const char *gxi;
    const char *gxr;
    const char *sa;
    const char *qm_ni;
    const char *qm_nr;
    const char *qm_shared;
    const char *message_id;
    const char *spi;
    const char *last;
    const char *id_i;
    const char *id_r;
    const char *skeyid;
    const char *skeyid_d;
    const char *skeyid_a;
    const char *skeyid_e;
    const char *key;
    const char *hash_i;
    const char *hash_r;
    const char *iv_first;
    const char *iv;
    const char *rest;
    const char *hash_1;
    const char *hash_2;
    const char *hash_3;
    const char *request;
    const char *child;
    const char *child_pfs;
    const char *nat4;
    const char *nat6;
} s2_ike1_traces[] = {
    {.name = "AES-128, SHA-1",
     .key_bits = 128,
     .prf = 2,
     .hash = 1,
     .child_encr = 12,
     .child_bits = 128,
     .child_integ = 2,
     .psk =
         "b37266aa61daf3fec7026d27500229681d1a996e94ee01f71ee97f22b975d411",
     .shared =
         "40139e5200d2840d6ac6b11a5c7576f53a0dfd0fc256376322e7e55d2f7ceec343070c5408136613"
         "b15467359dbae7b61a8cd4f598751e93236c3ad1d8f11d4adf3232a4fd845d9816deccbed2851286"
         "6339e9b9d819d83d78618c4f97bac3da725906abbe7c685ae5d70e4722111d8d585bcff3fde3bff3"
         "e743f66ce89161fb",
     .ni =
         "ed55c185e2721b1d07eeb9829ac1ed5397781129",
     .nr =
         "550dc00bfef9714af8f0d3b074f82303",
     .cookie_i =
         "0e23b87d001557f8",
     .cookie_r =
         "3a6f6c59baeb65c9",
     .gxi =
         "b9180a223434b5769109c0d7c36824cadea1424da4604b84e9328adf586d04a10b8a7752d62b52e2"
         "8d5e689d7aa353671a216cf91e8daf64077cf46b1d78d11007117caf1d6dd1de1a4105f0a03509a6"
         "2952dda394c0af293ffe79f77f376f7cadc7e6e15696c3a554b9a131ae8cec82bbd05539d594f3f1"
         "0d5086f84c0f1418",
     .gxr =
         "8e724afcb891eccda040d46e7d36527ed637ae93b1a6fc5056149c5012566111bd862f11dc5721f0"
         "3212500487a1902bb5d4265ee45a8352000b5b44453181ab4badc0f339c9d9e1f3d12bea62272e7e"
         "36b50c45f707619300c70ef4a247ab5f0b5f90d4fe4cd71f7b8eb444fddbb62628b58fdfac64b8b8"
         "dccf6193c7d40f48",
     .sa =
         "c71de2e9761ba110cdd6df7e96b2bd0cddde503aaf0d81cfed283774f59b006ebeccaaec79b9c65e"
         "e7eeaf3103763da97b7c87209494400c8f33b88ec9e0a8903282a14e24222b04588dc85904712f2d"
         "f476471acf5e7627dac5d258d406eed3c3896c7f",
     .qm_ni =
         "d8173868ed86ac211fab33099173363ff8969f399b1fb4d6e16c973389c1f0c4",
     .qm_nr =
         "012241d1abd6010428a34a9c7936fc08",
     .qm_shared =
         "912961cef7632adf44ede4c7a011ac126c7e039c43c9e0d54634a4505535ea78e997d9bd3d1f7755"
         "e08714da1d9f0294b064be7a4da0b18e0b21b4a3ffc1a95b",
     .message_id =
         "421a62ce",
     .spi =
         "5be69274",
     .last =
         "5e70769b5f8265b7ba70819b84ace5a8",
     .id_i =
         "011101f4c0000201",
     .id_r =
         "02000000676174657761792e6578616d706c65",
     .skeyid =
         "032a704329ea83885acbea34dd8016fb1277a544",
     .skeyid_d =
         "3d7a7bb4b054562569f0d29351ef9d2c397c6b32",
     .skeyid_a =
         "99ce10f9816c4323b1a583a46623e6e8f36ea97e",
     .skeyid_e =
         "170e9426fe905ed814ce51f38e5db57a6af12c47",
     .key =
         "170e9426fe905ed814ce51f38e5db57a",
     .hash_i =
         "5de55864903a20b0da5a36ed4f06b1a366362e98",
     .hash_r =
         "630ab40896c232e0964da2667e3639f45b33a757",
     .iv_first =
         "9a65a3aef85380d81ae3690c210a4e01",
     .iv =
         "37515496cca794ce9a07bdcbda6465e3",
     .rest =
         "0d000024d8173868ed86ac211fab33099173363ff8969f399b1fb4d6e16c973389c1f0c400000009"
         "76656e646f",
     .hash_1 =
         "e249610cc7855f43e39fd0c60c870c09cb67297a",
     .hash_2 =
         "a6050c008c72c10251a08232e2b532b5e9fb63a7",
     .hash_3 =
         "c4712937e1e955356cce0fce37d900fcbe9a07c1",
     .request =
         "0e23b87d001557f83a6f6c59baeb65c908102001421a62ce0000006caa5d6a6fbd6d40a8ff009aae"
         "fbc71b2e7bd0988b97121e37710089b9f88c80c522fa224f03a2e9016a166013f3a01287447abd61"
         "85cde9f5d32773787c6c2e3a67bb69cca24c8141c228a33a945d8fd7",
     .child =
         "18147ed065d6157b7a0579122d39a22680b0142dee5e5cc9c24e32a2f04db438a53179a6",
     .child_pfs =
         "451838decb68d105592942517b0504805a7c48e88ca8a72cfb8281c3a8af5f3b09e3158b",
     .nat4 =
         "3161ac2dd732cc6598dc326996082b459cf9e206",
     .nat6 =
         "aed76031a2e1b7b066e032eabb4b05a630f1be53"},
    {.name = "AES-256, SHA-1",
     .key_bits = 256,
     .prf = 2,
     .hash = 1,
     .child_encr = 12,
     .child_bits = 256,
     .child_integ = 12,
     .psk =
         "68a6b550e40fdd4ac879f6ff452ba7d99b15489fd7ef39e80f1a4a8b29226217",
     .shared =
         "1850d439616ed7dfdf5a909400ed6b8550781a17bf6ad6f9b519fd35894944fb31932111df1ea7b2"
         "ed84a10930a850db1323a1a6e481a222a105401643d1222f878804d92913ed185b29b750efa905cf"
         "6ca603889dc542db62d67c27b85ac6cd2690dd510b4e1dff7c9ed9f241e6ac7357d0e915d43a15e3"
         "67e7c0f7a63293d5",
     .ni =
         "e3514bc9f1dc39f6",
     .nr =
         "4b0c592f46f20dfa6ccabec153408ab0fa691539396a99d6d8646b8be175a0ddc0122510bc490dc5"
         "161616a3c3e1bbd876e1597cc0b523c9a84a9c521e48045ca98c4a9c5b4a75b1f5f69c230f8ae879"
         "af86d64f848959a3acfd2203646f5f95639e2d6a9b1c7713193604305bcff6112b5227565e0b4173"
         "1303d9e6bda41a1d5a17f80567a2f38b9dff9235ff334f7d4b96c953aa9eafd8de59460031cade02"
         "9bf8e827fe3bd0fa12d00fc002c1c1b145b888d8fc45748c6c727736ab1370a01a772f5d1028943c"
         "281e651467e1d22a004bf42e5640c447fc3efa38f1ee19354c850bbfd170c995990f5eee087f9b5b"
         "d6afcb353a40460d23d2fde2831d0f7b",
     .cookie_i =
         "bf39c4dcdd58188f",
     .cookie_r =
         "a8efe19a511d1729",
     .gxi =
         "97b2a651f20738039d26a14907d4e60d32208c6af192f2cc4be0440a5e135e87fd6d4b5cbebae20e"
         "c6b22e07f0d7385387af9ec5cb89f89e2d87318e5142ea6f8e6fa25674bacf7aeb2156c121e603aa"
         "61a599ad1022b3c3910113e1d9f63514f04177854a16794cbc41a323ca1f22286344bd8808327f79"
         "d2441dcc33dbade7",
     .gxr =
         "f52ad9b62424d3bfaac5ad95ad2df3f3a965fcfe1a378ecee9fe68c326a9e58394ee7c1868e09583"
         "80737259da258ae00c4f746ff59cdb458b5987ee35e874ca807b3673efd7cdf32e12c932d289d250"
         "69e6cfee0793e42794e72dac80f726014eeb9e3a5c3b07e1af5597a129d4270c14a19d5b143e7cb5"
         "48d9f1e3367578e0",
     .sa =
         "cc88e55123247f88cdc8d613dfbcac945157552c974915f9763fbe407e996c68d4dd869773ca733a"
         "b2ab40b183e22f7d8f43cdf99835ccb4ae683c83ae27fbb85e69f5d967090053692bc35b53ae2166"
         "d6e376fb1d0d8805c27c82f8b2dcc8686662f490",
     .qm_ni =
         "cc19cf002734e3cefa6632a25489c0460c3ca9d66cd34160f7eecc40ac7a12a6",
     .qm_nr =
         "08e88c7d562b50531fb5d065f6213193",
     .qm_shared =
         "f6888d6260a783761575a0995e95c638e321edcc333cc08a18aa51417635c7770e23bd4fd91e18d4"
         "cb523abb1966d46505fb81f70ee4de7d9aff117756d7b8a7",
     .message_id =
         "1bebc473",
     .spi =
         "461eb7ec",
     .last =
         "c786a85ac8a8a63ab258a1a7f243d62c",
     .id_i =
         "011101f4c0000201",
     .id_r =
         "02000000676174657761792e6578616d706c65",
     .skeyid =
         "62123387457f072abc287daecc8b25868b7d68b5",
     .skeyid_d =
         "66d5c54023c458b29a70584ebadf2558ae346971",
     .skeyid_a =
         "caa80dbf6c2410eb95d2c0030c52adc5d47cd8eb",
     .skeyid_e =
         "d4dcb835cf6915d0383d3e6a80ae5d723ef8afd3",
     .key =
         "df483f6f1c7467b93db1f2504624993ff753c50d203277c851aaac86f6231a15",
     .hash_i =
         "eec16f8bccfbe219369be940662a24ad9ca0b1b8",
     .hash_r =
         "9795e87c2a30b7036cfe4157a0b71d30a251d739",
     .iv_first =
         "cca197822939facf88b17ca005685c3a",
     .iv =
         "53c10aad14012225767a3ad4cdb5d756",
     .rest =
         "0d000024cc19cf002734e3cefa6632a25489c0460c3ca9d66cd34160f7eecc40ac7a12a600000009"
         "76656e646f",
     .hash_1 =
         "0057a3d0e40d8eafcb45495fb042b664533bbda0",
     .hash_2 =
         "bdc89f27fc45293edf215ad8d59fc57ad133531e",
     .hash_3 =
         "45df1ed3a24ca2184e93f3e166cfb7b51fa1ae7b",
     .request =
         "bf39c4dcdd58188fa8efe19a511d1729081020011bebc4730000006c9f5f39c88201798e8714f06f"
         "ea711c9ed5e8ed446661dad0e459806b20c6670c804286ea08562d60ab3b3c381d1e3eb76391d322"
         "b4048405d8e83537a8905b1f708a900a7e749da8546c7294982390de",
     .child =
         "2e12459a8dc2d461a1a7451ff6a192bf3598df5d5d358cf05ecac0ad498856bd9d98929142b5f288"
         "bf6fdb81d7eb62cdb183ed3a7ef5b7c0bd50dc0ddacd0fa9",
     .child_pfs =
         "38c0e5780a42e38577ad0b465db7be7cad6d955d29a64f4a28f479544b13995de009a7ec09715ba3"
         "2897166a696539b40a3c9a49292fd64c3c6216d17da81e85",
     .nat4 =
         "4469ab71b11380661cc63be366fcbfd4e3198683",
     .nat6 =
         "6162f38c2c21b798e82f04076ed86c36c281c8fe"},
    {.name = "AES-256, SHA2-256",
     .key_bits = 256,
     .prf = 5,
     .hash = 2,
     .child_encr = 12,
     .child_bits = 256,
     .child_integ = 14,
     .psk =
         "48bdbf37921d1751a9ee68bc518bdf28faec8e756385f7ab82f4475d143cd9e1",
     .shared =
         "ca9d5e553be4b55921b8371baa890a5df2ba444a2b797904fea806074803315a9d00ca9c7caf51b7"
         "8de1ec78be2e10b707f381c969af26a602e26c409f0b493ddafed2f6fb801e9b685a328198ce518c"
         "1c6f62222f687c8e15dfc5d20fbc6f53ac32af0291e97fad2ee124484116ffd572142a1b6be09e08"
         "86d016845d089306",
     .ni =
         "10d52d941865c25ddcc6e273f66ec206738f775d589facd0635b515b0d87b815",
     .nr =
         "1f1c0bf08fd0f634bf3663e52595331d18a944520fe9dfad5515c4d5d275cb85",
     .cookie_i =
         "e99034a7967afcb0",
     .cookie_r =
         "b20ae51c29e2876d",
     .gxi =
         "ebec08f7a8dff899dc0c5ca4dbbfa6f3236a584200516dc7e096825f37762906817177f3f3a364e3"
         "efe08db4e383d36cf11feaf145f2240ad58170ac294b8614b4276f307c26e249332f70943ce4f420"
         "0cff13f6a2a60469f655563c4aae2bcb7b4371978bfc28b3cffb766301b68769858c5a846367cf7c"
         "0151c6910bde47cd",
     .gxr =
         "6df6c6434bf22971bd167e11311e783668a8a83789e40d0805be8b39ba4e72b02a8f69f6d87e285a"
         "a35f44fce216e29a7104015dc241305e15ae02e3ba9fbd3d009c46f07090ac4308f1cf3a7d1dedc6"
         "501e88e0ad7b8fa3c90fc35fd16025f2fef2c4cb4cb98dad600a098965f476c0ef158e9dd38ad6b2"
         "602ee87b62dc739b",
     .sa =
         "300183baf9885b23e9888aa8f87850a13c4643de2af06d1702886a364171dce14a5953545bf8969d"
         "0febc9613ccf6f9317d68ca5d625294e99995eb74a07befc2021b4a4b3b82a4f6931907b06650bba"
         "6188d708c27b92e307c35b7abeaa3b916875f40e",
     .qm_ni =
         "c90c4b9a338e2252584457ac4840beb13096fac17594adabec9c0c940307552d",
     .qm_nr =
         "316b3f525d77fb61bcca9403ba314e48",
     .qm_shared =
         "3856fa6b77f30bf050a9c244cc5c9c2e17e85c1f466cf17ccb8c0cd2686c987693f6afd11dd79b1c"
         "05814578e7b43c22e9d721a53a2c840e54634a507f3e24b3",
     .message_id =
         "636e9a7c",
     .spi =
         "9584d326",
     .last =
         "688353f1c53b7770747eadf5dc42e4fb",
     .id_i =
         "011101f4c0000201",
     .id_r =
         "02000000676174657761792e6578616d706c65",
     .skeyid =
         "062829dec25efe4062782323bf9593e88e79e1906dc55133b95a5bd3e768c6cb",
     .skeyid_d =
         "896901be8c261ea006b04c0e62679128c1a17098f147f6c31cd1d95ee07f811b",
     .skeyid_a =
         "9c8ce82c8a1e260db12854727b3bfc7e481f1e58d187694a3e0728858c2324d2",
     .skeyid_e =
         "b38dad09fdf0f923cd37b075dcff7e734f5999833f18f15035624d061003e206",
     .key =
         "b38dad09fdf0f923cd37b075dcff7e734f5999833f18f15035624d061003e206",
     .hash_i =
         "2da2d0a6c5e4c935745d1a1b95e4357732aefe10287d9936fe4d720a8a8239fd",
     .hash_r =
         "5497a389c441ae419d2de9f1c91c5bfce7c3c286231d7722d295cf4347eb862b",
     .iv_first =
         "f5ce58df6af63c722f8784d603f788b5",
     .iv =
         "f6246df4fd16dce7515c107e36b98ef9",
     .rest =
         "0d000024c90c4b9a338e2252584457ac4840beb13096fac17594adabec9c0c940307552d00000009"
         "76656e646f",
     .hash_1 =
         "03f733af26e59b7129062b25b0abd2d5b3944d72c0d63bc9c30c9ef28c5d0a75",
     .hash_2 =
         "79f25432bbfcd035960ba441ab24c48d836f609f9cf1c0eaee100ecf9059664b",
     .hash_3 =
         "1d6d85209248a7d20f1ad84f5bfd843ee78217d705c48f2b58eb24180324c40a",
     .request =
         "e99034a7967afcb0b20ae51c29e2876d08102001636e9a7c0000007cf5c39eff5a2c7cb5e06b12e5"
         "07d0f5a142238a67cdc8c71f4df917f8b60390831c53d5a42c782667210787cc65d7d58a2fe698b3"
         "64470e5cf4bcfa1a3c3a338b00d299eb8348b86d9cfa3b6521c91432085d42c06f16eaf2b7d104f9"
         "d1a68c2c",
     .child =
         "a4f330818e29bb117618b5201fee9b04781f1da47a8a2e6d08d060a934c935ecaf74ae21db236d46"
         "b5f253b39f22a37b1eead12c35bf3bc505900060fe4084f074bf0f14c43cdadd8aebb236dbdb0c2c"
         "b9f19c7b1e331d1d1caeb1f94812b3ea",
     .child_pfs =
         "adb8b0d2fc8fdb7f728ad3ae869dae5f89569c5a43b51e2f6e055badc0b6fcafa3c67bd52ca45d2a"
         "f016268b4c312ce696e391791a07f7dcc0160cebd37df052b337d3130c68ce8041bc6580ffa2d44f"
         "1ddcaea43b461c5bb1fed94aeef26e4b",
     .nat4 =
         "471b3050aa0a1ec070fb775c4ee89e9d8a37e3a3cd7d218ec941c10f5ac10536",
     .nat6 =
         "d6ddb6277b573a40f4ba24b31793fa6f90b299ce4de4be559a0c3cd40def68cf"},
    {.name = "AES-128, SHA2-384",
     .key_bits = 128,
     .prf = 6,
     .hash = 3,
     .child_encr = 20,
     .child_bits = 128,
     .child_integ = 0,
     .psk =
         "d845d2c67ba3aea39c56a415c9682a7d7425039a909367cb7c1e044e5600713e",
     .shared =
         "2856fc26728dfdc081fea4e82159c07d08075f00e04694d495e4e504e937d24b0892e151cb277dca"
         "5b252e0ee2833827c7de7eb7cf220265b90f6723a699f5a36fbcae1c0a47d6fe60edc62e6bb8b680"
         "3e197cfe9af788dfcbef37ca6d7749a2377fbab45b15a31d0a7193c41f7b98a080f29983f03fdeb7"
         "b75d66386fe9261d",
     .ni =
         "c6827ebd7cda370b7b0b81bb6e6860733eb7de778d95115ec107f31c618960c1",
     .nr =
         "4d1e8ddbb7c8b73781aac08841d5f239c1ec8e9e079277a3ad6d24c0217a9fb87cacfaf1edcce52f"
         "c94215f94cb8577a",
     .cookie_i =
         "913e56f49c19c9d2",
     .cookie_r =
         "d11ce134d04cd970",
     .gxi =
         "ea11819a187a8a8fcca69b00d1b46b0c4b28042420c33e33888c8d568d23624aaee125d49eae9d03"
         "47831ec7e1a98082ba8e69bd4e3e163569ef980a90f47d36500006008349c0f32d43a73bdd5d42cb"
         "556c037987b629258fbf85ed50758404acf9595b76d2d79d4fdb77e0b5437fcb1afdb6b06b3f6da6"
         "f69b24f64a0dbca9",
     .gxr =
         "cfe3a6b078dc5832b9c9c287eb8d13324ee0dd7e32b2ceac6abf623ca8cbba580f6573ad2bd903a3"
         "429dc97256ddaa81a88adebcb815d0b7b8bbd012fb5e063a569d849e5990839c4afaa84c2242b503"
         "c306fafca32c1b6a6f1aee1d8d93fd0f47f9527ed75d727366832aa8d41d1ade677a687b1c522ad9"
         "c6bddf8c613efb22",
     .sa =
         "11fdd08c8665ecc15155c992c118cfe120d6e00be36d8efead229e1813f51ccbace38fa007f6c93a"
         "c49d25d39a4ee528e2cca3b93ffb771669b9ddbde3d2b84332418a6cdd0607d90ac3eb12dca40a5b"
         "168fb32ac6fc2dbabbe8106f4fee81c1e0cffe2b",
     .qm_ni =
         "f0d972e49ef44062d9a82eab59e03a340d3193c18409bfb6f65b7058795c705e",
     .qm_nr =
         "c4d003c9111f94637a152cabed2848f5",
     .qm_shared =
         "48ae70a2e4a4b8a14e87f6ccf02cf5617cb1fa33ca767cf1e778c206e9bdf1fd81a1719e51f8f582"
         "066a14f920d5440fc1d924617df0caf91497c0175e5573fe",
     .message_id =
         "65ead626",
     .spi =
         "9aa8dafd",
     .last =
         "40edc62ee97566b361a2c4dca7277d6c",
     .id_i =
         "011101f4c0000201",
     .id_r =
         "02000000676174657761792e6578616d706c65",
     .skeyid =
         "8ff389910406884243b2e2c6affe0a6ab062e5c46ee00c2f358b68e3425309dabece83086a2d602d"
         "c39c609eb7a08967",
     .skeyid_d =
         "12ad7e18b54d5af10c24488f722eb03f0063a5a3184e4af6ad50a14dfdb2da8704465ea072710c78"
         "8a1849784d3ba8db",
     .skeyid_a =
         "264b573d7c1b7e80095dec249be455b0e2c4f099be0a872b480c0630690d599ddcc9959653675408"
         "69b4792287e42275",
     .skeyid_e =
         "e002cffb4d293d03d58ec73a8c9fa09c26c8999d016b29157207e02c322725f319ed47a97f816e79"
         "f1d8364d6faa2a8c",
     .key =
         "e002cffb4d293d03d58ec73a8c9fa09c",
     .hash_i =
         "fc3f807a82ee68aa3ed81e552efc02b971fb16c6e186c5ba5a1889ee2fce8999f7d597217f522c81"
         "8aa967812acc7b73",
     .hash_r =
         "0745bd678a7477d4c314e2d9e59bf15ffc6a227f9f7a3dd886a1d85dcdd9ca6b6092e43df74cb2fe"
         "8edc7a23147075d2",
     .iv_first =
         "9b6b2327f5cdeee3239c2bd333713e46",
     .iv =
         "7581900650b4c8a6ae25b18964314059",
     .rest =
         "0d000024f0d972e49ef44062d9a82eab59e03a340d3193c18409bfb6f65b7058795c705e00000009"
         "76656e646f",
     .hash_1 =
         "729976cf381c8c29ddd554cf5d470a593ec51669bf5878950afac4a3f666082abaebd9abd094f1cc"
         "13258f37d15aae4d",
     .hash_2 =
         "d33ab6e5454e7cf2edbe8d347d08aff7db179b90554f0f169a36781f0ae5b5955d2f19617d6bf309"
         "54ecd6d25ece8557",
     .hash_3 =
         "0fa9cc8bf95bfa66e7c5f664cd803ff36258e5c9404789eee2cd6cfff79321696f107a6256691a69"
         "cdcbb9b5056e6552",
     .request =
         "913e56f49c19c9d2d11ce134d04cd9700810200165ead6260000008cd2ca6bbe92b6787c0ee5e2de"
         "c439e09936c583827c770d7b69d50231916bb43f4709e3c7aad87519cbe4d01407b9a479da73e61e"
         "89ba72718f8c6e3fd010a4f29ec8ec1f36e642829012d528d1530c0ff6059edadde31fb9b6a1b0b4"
         "aa26cb98e0a2963b19229be7a3254fe070b30b07",
     .child =
         "92cbde0647e0b70f68be17cd96f35963f0ab7271",
     .child_pfs =
         "efe6bb20904fce5871d8a7329719efc34920ff06",
     .nat4 =
         "4dc013036cee84271a09bf0ae4bbff614a7d65ed6a476d8056fdec4306a40c391b71a8b7395826ae"
         "f37ea478954e2d76",
     .nat6 =
         "7fb6171192aed367b91c6de8ae30e15567ca9b65a96c82f317c41496600ace1fa19ea5999340255c"
         "6175f551f648fc96"},
    {.name = "AES-256, SHA2-512",
     .key_bits = 256,
     .prf = 7,
     .hash = 4,
     .child_encr = 20,
     .child_bits = 256,
     .child_integ = 0,
     .psk =
         "e847405e9827887c218274123158e66f07e4e5accb4171f96ed832a7bfb72d46",
     .shared =
         "680e23fa87a6413926d19377f3ce4fcc86d76852cd9bd9c9d73b44e8a06e3bb6167ae002358917a7"
         "0d34b1781c110c641cd3a3899468f3fc88f935a9330d64ff41f788435edad3c4d9c78a6d7b4e7e04"
         "dec06812f3a64bc6c6b325e8319877f954d029c58bc99ecab0d0d5e0633696debd877a27d731fb17"
         "70a9dde957b68752",
     .ni =
         "50bb0bcea93109160cbb05151d7057bd5e930ff66a6e722e0656016de588dec7d0f28afed755deab"
         "97cd2d66d42116c3fd15323e0476ea627a352cdd310bd367f62b29064275d609801378923f215fd5"
         "61650c2398ad31d67bab095a48fe8f1fcfe1af31263e08d05c1fa200d2629a411e12b8d0087009bf"
         "eb295c3e48275b8d7b0aba8d79985c3f48564b52e52fc8154f63a6573b71a738d9f9858adb1f45c6"
         "ec241166a403d308f83235c55c05eb12696e332217e2baa36c3433f68ded80b6cbf54ed21fcf3381"
         "de38cb793ba16629e6cb014e0bb9adaa38da687e0da2f05f69ccc180c7302e606fbaa33fe88008ff"
         "08be003777f1f35c3575d460000d087e",
     .nr =
         "3f0761f7d5cdbad8",
     .cookie_i =
         "33ac93738e6e90a4",
     .cookie_r =
         "ecdacd18919ff09f",
     .gxi =
         "5150a1e220a86aeaf447c57bdc95eb51bec115cbadac14191231c4ff396e2ac2f649b71f981915d7"
         "ccab38f29e8842ebc37940b2e6d68cde3c50cfb893b424300e8359c51d562f08a3838a38c7b0bbb2"
         "c81d70c4f1a912728e564a8afc38a24a4550d47d05b0eb8d7d611b8db09ed44158b29261b64c677f"
         "a8d863a8fbd50556",
     .gxr =
         "e97d797c03e4e55f63e68da1e2db51e2ce1252f839b8843cd474a3b22d52b7f7504d54399ce559fe"
         "6927e78fa97fc60878c8ac35d6fdece13477cbf6d2e87e10201e5cdaa2f0b4dd0d8e39e2fe5ab9e6"
         "42761df81eea93368c038529a63bc677f73ca90dd8a31a5fde1f9bdc3c2d29b7491bb873a372dd09"
         "f6be1a4210d226d7",
     .sa =
         "598efadfdb0d51a2e679c12be57bf1c2ce6a8dc97b50885066f09fc13d685dbb83f6cd197a4d3f5e"
         "5e1280a1161877220f96c6679da5aea35f3bc9032b68cacc97817076fc4d6c939fd40c019e01f788"
         "6ba89534825ab14b11d381ff4bd06eb7ab3e941b",
     .qm_ni =
         "00b1ff6400fcec3dbef11012007baa9dc13416379fa1473574a0f82e2b9fae01",
     .qm_nr =
         "7921247db4f166a227a642f88cadaf0d",
     .qm_shared =
         "190a1b2e490502c877b841669e4706634984b85f4cbd9ca48328fa69aa7e2bc9781df67caeb11b19"
         "2f8e2e2466094387f4adfa1005e9da826f8d0c2f468b3f26",
     .message_id =
         "9aee7fbe",
     .spi =
         "a4e113e1",
     .last =
         "dd489660edfcac6144c3a30c0b057a95",
     .id_i =
         "011101f4c0000201",
     .id_r =
         "02000000676174657761792e6578616d706c65",
     .skeyid =
         "5414aa735faa0a347971fdc9bd9e08fd303c51f5ab293912b9f09752b3ed0511ba83321d6bce5928"
         "ad74b0308923ecba1a55cb39b8dfc775082c9c87273b99ff",
     .skeyid_d =
         "c405eb664c4a6dbbf26a14787819c028ad3b75f0ee5b7ae98efe4427e1394f702e9022d18aebc7d4"
         "116a69f1e081e30f92bb2573ba9b5bafdec07b65f7c12c24",
     .skeyid_a =
         "f8241457a40b22feb10b9538184abd14ac624d1cf1a815e97e308d91a26840c402be1b1248bac05e"
         "a84856de734e6d09c7841b5ec489bd89fa89a1d97f9b68b6",
     .skeyid_e =
         "9f06febd40f4dd3b164887c9ef81f6f40b286682cb6039a19473c1d4db7516d3321a57776f8d2174"
         "4aba8386a28dc9970e1810bcf219fa313efcf6f7ea5c248d",
     .key =
         "9f06febd40f4dd3b164887c9ef81f6f40b286682cb6039a19473c1d4db7516d3",
     .hash_i =
         "3099f6c0476c115bb040eefef9e0a706ecd781a623ab01583318703f77ae81968a0a17d166150cd4"
         "d34644f747f958f000a88f97b220aed90c4dd15741f429db",
     .hash_r =
         "7e2042295b0cda5b97751b1a90c9b6c781960e45b4f9a906c1b58b194228128b7fe9c1b5a5ece12f"
         "2c8e185f31bf571fd1e01b11ee2cc26505abc86cccb8fb74",
     .iv_first =
         "fb2b7b38d04c6a82f6563d14c1ba3af7",
     .iv =
         "cab38b9c8675f52d4b7609a18d41c47e",
     .rest =
         "0d00002400b1ff6400fcec3dbef11012007baa9dc13416379fa1473574a0f82e2b9fae0100000009"
         "76656e646f",
     .hash_1 =
         "8d7271347e54169c0f084529ae8573554ab18b69b657d95db99ba1954959be281fd092a80ea1fc19"
         "2b77b6921dd96b1fd964f4c5c57125ee0d677aa08d3260d8",
     .hash_2 =
         "3c31a58d18c7c7af2e0cdd4b909794a4b84887fddd198958f2701ea963070d9ef1b270ec464cb660"
         "b9f56f5288058c78ec6a6fc344439b30879d1e3097138355",
     .hash_3 =
         "6c435d3b7ee197737e871871af66055f0108372c791413091a2c3ed9c73816240580f4f1675ca733"
         "8efc9dce9df48bf08218eacca6ebaa374cdbcdbb9d1c6c5e",
     .request =
         "33ac93738e6e90a4ecdacd18919ff09f081020019aee7fbe0000009cb2e76eab37ef9433c780e5f7"
         "13bdb349df29f18995307442df82841af3d4b775053a5644f68fde8f4eff97397867ef2bb52d90c0"
         "cdd1d5ada101f2ebf423e607278cba61cab1448aa97a0f363b6193cc3b0845ea114ad2cad6fb1a84"
         "898d513420cb31c10faf7bbf3df5b9b7089e701e5326c98a0cfe7965543e92bdecc6cc02",
     .child =
         "2c44be815ee7b408cce43a26edfb3c5caed06b04f7fcbe9fd4cd29d7da3f7991fe71eb2e",
     .child_pfs =
         "93aa19969a4588e804ff15895f17e10e53d15d866dea459f7fa4b0aeed2f4a609becffb0",
     .nat4 =
         "0f84a9cda5f9f371a5b70b67c0e49b3bd34a70fe9cce2185d7db9a46714191dfa1b7f25eb817e07c"
         "c32fd9a60776e2993b68106633523be75f93511633837570",
     .nat6 =
         "9bb8a98d2b910e7d2adccf0c60b4a7f8b0e427f4f8583c2255871b421136d2ca021eecb429a1383b"
         "66d262a2b501d19e2189b116e0e940c3d35d04490fb0409b"},
};

#endif
