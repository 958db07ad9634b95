// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of well-known TAs: OP-TEE's own, its pseudo TAs (.pta) and xtest's. The
 * UUIDs are those of the public headers in OP-TEE's optee_os and optee_test and,
 * for ftpm and stmm, of the Linux drivers that use them.
 */
#include <string.h>
#include "model/ta_names.h"

/* As the octets of a message: 8-4-4-16 digits, the highest first. */
#define OCTETS_2(x) ((x) >> 8 & 0xff), ((x)&0xff)
#define OCTETS_4(x) OCTETS_2((x) >> 16), OCTETS_2(x)
#define UUID(a, b, c, d)                                                                           \
	{                                                                                          \
		OCTETS_4(a), OCTETS_2(b), OCTETS_2(c), OCTETS_4((d##ULL) >> 32), OCTETS_4(d##ULL)  \
	}

static const struct {
	u8 uuid[16];
	const char *name;
} known[] = {
	{ UUID(0x39800861, 0x182a, 0x4720, 0x9b672bcd622bc0b5), "attestation.pta" },
	{ UUID(0x3f3eb880, 0x3639, 0x11ec, 0x9b9d0f3fc9468f50), "apdu.pta" },
	{ UUID(0x7011a688, 0xddde, 0x4053, 0xa5a97b3c4ddf13b8), "device.pta" },
	{ UUID(0x2f6e0d48, 0xc574, 0x426d, 0x824e40198cde5cac), "gprof.pta" },
	{ UUID(0xef477737, 0x0db1, 0x4a9d, 0x8437f2f535c0bd92), "imx-dek-blob.pta" },
	{ UUID(0xbfdbe409, 0x3302, 0x4abf, 0x99bc5f623226a739), "imx-digprog.pta" },
	{ UUID(0x83268b7c, 0x85e3, 0x11e8, 0xadc0fa7ae01bbebc), "imx-manufact.pta" },
	{ UUID(0x9abdf255, 0xd8fa, 0x40de, 0x8f604d0b27927b7d), "imx-ocotp.pta" },
	{ UUID(0xd96a5b40, 0xc3e5, 0x21e3, 0x87941002a5d5c61b), "invoke-tests.pta" },
	{ UUID(0xacc50f40, 0x0613, 0x4abd, 0x8dfea964cb74eb69), "k3-otp.pta" },
	{ UUID(0xdaedbae4, 0xcf3e, 0x4b76, 0xa5c5dbf8b6fd5af4), "qcom-pas.pta" },
	{ UUID(0x54af4a68, 0x19be, 0x40d7, 0xbbe68950350a8744), "remoteproc.pta" },
	{ UUID(0x5cfa57f6, 0x1a4c, 0x407f, 0x94a7a56c8c47019d), "rk-secure-boot.pta" },
	{ UUID(0xab7a617c, 0xb8e7, 0x4d8f, 0x8301d09b61036b64), "rng.pta" },
	{ UUID(0xf389f8c8, 0x845f, 0x496c, 0x8bbed64bd24c92fd), "rtc.pta" },
	{ UUID(0xa8cfe406, 0xd4f5, 0x4a2e, 0x9f8da25dc754c099), "scmi.pta" },
	{ UUID(0xbe0e5821, 0xe718, 0x4f77, 0xab3e8e6c73a9c735), "scp03.pta" },
	{ UUID(0x6e256cba, 0xfc4d, 0x4941, 0xad092ca1860342dd), "secstor-mgmt.pta" },
	{ UUID(0x3b996a7d, 0x2c2b, 0x4a49, 0xa896e1fb5766d2f4), "socket.pta" },
	{ UUID(0xd96a5b40, 0xe2c7, 0xb1af, 0x87941002a5d5c61b), "stats.pta" },
	{ UUID(0x94cf71ad, 0x80e6, 0x40b5, 0xa7c63dc501eb2803), "stm32mp-bsec.pta" },
	{ UUID(0xdd05bc8b, 0x9f3b, 0x49f0, 0xb64901aa10c1c210), "stm32mp-debug.pta" },
	{ UUID(0x3a2f8978, 0x5dc0, 0x11e8, 0x9c2dfa7ae01bbebc), "system.pta" },
	{ UUID(0xa77955f9, 0xeea1, 0x44fd, 0xadd54a9d962afcf5), "veraison.pta" },
	{ UUID(0xa6b493c0, 0xe100, 0x4a13, 0x9b00bce42d53ced8), "versal-loader.pta" },
	{ UUID(0x721f4da9, 0xda05, 0x40d4, 0xa1a38377c1e08b0a), "widevine.pta" },
	{ UUID(0x023f8f1a, 0x292a, 0x432b, 0x8fc4de8471358067), "avb" },
	{ UUID(0xbc50d971, 0xd4c9, 0x42c4, 0x82cb343fb7f37896), "ftpm" },
	{ UUID(0xfd02c9da, 0x306c, 0x48c7, 0xa49cbbd827ae86ee), "pkcs11" },
	{ UUID(0xcff7d191, 0x7ca0, 0x4784, 0xaf1348223b9a4fbe), "qcom-pas" },
	{ UUID(0x80a4c275, 0x0a47, 0x4905, 0x82851486a9771a08), "remoteproc" },
	{ UUID(0xed32d533, 0x99e6, 0x4209, 0x9cc02d72cdd998a7), "stmm" },
	{ UUID(0xf04a0fe7, 0x1f5d, 0x4b9b, 0xabf7619b85b4ce8c), "trusted-keys" },
	{ UUID(0x3616069b, 0x504d, 0x4044, 0x9497feb84a073a14), "bti_test" },
	{ UUID(0xe13010e0, 0x2ae1, 0x11e5, 0x896a0002a5d5c51b), "concurrent" },
	{ UUID(0x5ce0c432, 0x0ab0, 0x40e5, 0xa056782ca0e6aba2), "concurrent_large" },
	{ UUID(0xc3f6e2c0, 0x3548, 0x11e1, 0xb86c0800200c9a66), "create_fail_test" },
	{ UUID(0xcb3e5ba0, 0xadf1, 0x11e0, 0x998b0002a5d5c51b), "crypt" },
	{ UUID(0x02a42f43, 0xd8b7, 0x4a57, 0xaa4d87bd9b5587cb), "crypto_perf" },
	{ UUID(0x17e5e280, 0xd12e, 0x11e4, 0xa41a0002a5d5c51b), "enc_fs" },
	{ UUID(0x25497083, 0xa58a, 0x4fc5, 0x8a721ad7b69b8562), "large" },
	{ UUID(0x528938ce, 0xfc59, 0x11e8, 0x8eb2f2801f1b9fd1), "miss" },
	{ UUID(0x5b9e0e40, 0x2636, 0x11e1, 0xad9e0002a5d5c51b), "os_test" },
	{ UUID(0xd17f73a0, 0x36ef, 0x11e1, 0x984a0002a5d5c51b), "rpc_test" },
	{ UUID(0x12345678, 0x5b69, 0x11e4, 0x9dbb101f74f00099), "sdp_basic" },
	{ UUID(0xe6a33ed4, 0x562b, 0x463a, 0xbb7eff5e15a493c8), "sims" },
	{ UUID(0xa4c04d50, 0xf180, 0x11e8, 0x8eb2f2801f1b9fd1), "sims_keepalive" },
	{ UUID(0x873bcd08, 0xc2c3, 0x11e6, 0xa937d0bf9c45c61c), "socket" },
	{ UUID(0xb689f2a7, 0x8adf, 0x477a, 0x9f9932e90c0ad0a2), "storage" },
	{ UUID(0x731e279e, 0xaafb, 0x4575, 0xa77138caa6f0cca6), "storage2" },
	{ UUID(0xf157cda0, 0x550c, 0x11e5, 0xa6fa0002a5d5c51b), "storage_benchmark" },
	{ UUID(0x380231ac, 0xfb99, 0x47ad, 0xa6899e017eb6e78a), "supp_plugin" },
	{ UUID(0xee90d523, 0x90ad, 0x46a0, 0x859d8eea0b150086), "tpm_log_test" },
};

const char *ta_name(const u8 uuid[16])
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!memcmp(known[i].uuid, uuid, sizeof(known[i].uuid)))
			return known[i].name;
	return NULL;
}
