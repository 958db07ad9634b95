// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TA that waits, where Debian has none of xtest's: with the UUID and the commands of os_test,
 * as far as optee-load and kclient use them.
 */
#include <tee_internal_api.h>

enum command { CMD_WAIT = 9, CMD_NOP = 18 };

TEE_Result TA_CreateEntryPoint(void)
{
	return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t types, TEE_Param params[4], void **session)
{
	(void)types, (void)params, (void)session;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
	(void)session;
}

/* CMD_WAIT: value a is in milliseconds. It waits in an RPC. */
TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t cmd, uint32_t types,
				      TEE_Param params[4])
{
	(void)session;
	switch (cmd) {
	case CMD_WAIT:
		if (TEE_PARAM_TYPE_GET(types, 0) != TEE_PARAM_TYPE_VALUE_INPUT)
			return TEE_ERROR_BAD_PARAMETERS;
		return TEE_Wait(params[0].value.a);
	case CMD_NOP:
		return TEE_SUCCESS;
	}
	return TEE_ERROR_NOT_SUPPORTED;
}
