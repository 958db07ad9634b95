// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of well-known TAs: OP-TEE's own, its pseudo TAs (.pta) and xtest's. The
 * UUIDs are those of the public headers in OP-TEE's optee_os and optee_test and,
 * for ftpm and stmm, of the Linux drivers that use them.
 */
#include <string.h>
#include "text.h"

static const struct {
	const char *uuid, *name;
} known[] = {
	{ "39800861-182a-4720-9b67-2bcd622bc0b5", "attestation.pta" },
	{ "3f3eb880-3639-11ec-9b9d-0f3fc9468f50", "apdu.pta" },
	{ "7011a688-ddde-4053-a5a9-7b3c4ddf13b8", "device.pta" },
	{ "2f6e0d48-c574-426d-824e-40198cde5cac", "gprof.pta" },
	{ "ef477737-0db1-4a9d-8437-f2f535c0bd92", "imx-dek-blob.pta" },
	{ "bfdbe409-3302-4abf-99bc-5f623226a739", "imx-digprog.pta" },
	{ "83268b7c-85e3-11e8-adc0-fa7ae01bbebc", "imx-manufact.pta" },
	{ "9abdf255-d8fa-40de-8f60-4d0b27927b7d", "imx-ocotp.pta" },
	{ "d96a5b40-c3e5-21e3-8794-1002a5d5c61b", "invoke-tests.pta" },
	{ "acc50f40-0613-4abd-8dfe-a964cb74eb69", "k3-otp.pta" },
	{ "daedbae4-cf3e-4b76-a5c5-dbf8b6fd5af4", "qcom-pas.pta" },
	{ "54af4a68-19be-40d7-bbe6-8950350a8744", "remoteproc.pta" },
	{ "5cfa57f6-1a4c-407f-94a7-a56c8c47019d", "rk-secure-boot.pta" },
	{ "ab7a617c-b8e7-4d8f-8301-d09b61036b64", "rng.pta" },
	{ "f389f8c8-845f-496c-8bbe-d64bd24c92fd", "rtc.pta" },
	{ "a8cfe406-d4f5-4a2e-9f8d-a25dc754c099", "scmi.pta" },
	{ "be0e5821-e718-4f77-ab3e-8e6c73a9c735", "scp03.pta" },
	{ "6e256cba-fc4d-4941-ad09-2ca1860342dd", "secstor-mgmt.pta" },
	{ "3b996a7d-2c2b-4a49-a896-e1fb5766d2f4", "socket.pta" },
	{ "d96a5b40-e2c7-b1af-8794-1002a5d5c61b", "stats.pta" },
	{ "94cf71ad-80e6-40b5-a7c6-3dc501eb2803", "stm32mp-bsec.pta" },
	{ "dd05bc8b-9f3b-49f0-b649-01aa10c1c210", "stm32mp-debug.pta" },
	{ "3a2f8978-5dc0-11e8-9c2d-fa7ae01bbebc", "system.pta" },
	{ "a77955f9-eea1-44fd-add5-4a9d962afcf5", "veraison.pta" },
	{ "a6b493c0-e100-4a13-9b00-bce42d53ced8", "versal-loader.pta" },
	{ "721f4da9-da05-40d4-a1a3-8377c1e08b0a", "widevine.pta" },
	{ "023f8f1a-292a-432b-8fc4-de8471358067", "avb" },
	{ "bc50d971-d4c9-42c4-82cb-343fb7f37896", "ftpm" },
	{ "fd02c9da-306c-48c7-a49c-bbd827ae86ee", "pkcs11" },
	{ "cff7d191-7ca0-4784-af13-48223b9a4fbe", "qcom-pas" },
	{ "80a4c275-0a47-4905-8285-1486a9771a08", "remoteproc" },
	{ "ed32d533-99e6-4209-9cc0-2d72cdd998a7", "stmm" },
	{ "f04a0fe7-1f5d-4b9b-abf7-619b85b4ce8c", "trusted-keys" },
	{ "3616069b-504d-4044-9497-feb84a073a14", "bti_test" },
	{ "e13010e0-2ae1-11e5-896a-0002a5d5c51b", "concurrent" },
	{ "5ce0c432-0ab0-40e5-a056-782ca0e6aba2", "concurrent_large" },
	{ "c3f6e2c0-3548-11e1-b86c-0800200c9a66", "create_fail_test" },
	{ "cb3e5ba0-adf1-11e0-998b-0002a5d5c51b", "crypt" },
	{ "02a42f43-d8b7-4a57-aa4d-87bd9b5587cb", "crypto_perf" },
	{ "17e5e280-d12e-11e4-a41a-0002a5d5c51b", "enc_fs" },
	{ "25497083-a58a-4fc5-8a72-1ad7b69b8562", "large" },
	{ "528938ce-fc59-11e8-8eb2-f2801f1b9fd1", "miss" },
	{ "5b9e0e40-2636-11e1-ad9e-0002a5d5c51b", "os_test" },
	{ "d17f73a0-36ef-11e1-984a-0002a5d5c51b", "rpc_test" },
	{ "12345678-5b69-11e4-9dbb-101f74f00099", "sdp_basic" },
	{ "e6a33ed4-562b-463a-bb7e-ff5e15a493c8", "sims" },
	{ "a4c04d50-f180-11e8-8eb2-f2801f1b9fd1", "sims_keepalive" },
	{ "873bcd08-c2c3-11e6-a937-d0bf9c45c61c", "socket" },
	{ "b689f2a7-8adf-477a-9f99-32e90c0ad0a2", "storage" },
	{ "731e279e-aafb-4575-a771-38caa6f0cca6", "storage2" },
	{ "f157cda0-550c-11e5-a6fa-0002a5d5c51b", "storage_benchmark" },
	{ "380231ac-fb99-47ad-a689-9e017eb6e78a", "supp_plugin" },
	{ "ee90d523-90ad-46a0-859d-8eea0b150086", "tpm_log_test" },
};

const char *ta_name(const u8 uuid[16])
{
	char text[UUID_LEN];

	uuid_format(uuid, text);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].uuid, text))
			return known[i].name;
	return NULL;
}
