// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TEE that is not OP-TEE: a /dev/teeN that can be opened, and does nothing else. What its
 * driver keeps of itself looks like nothing that the OP-TEE driver has.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tee_core.h>

#define OTHER_IMPL_ID 250

static struct tee_device *device;
static u8 own[PAGE_SIZE];

static void get_version(struct tee_device *teedev, struct tee_ioctl_version_data *version)
{
	*version = (struct tee_ioctl_version_data){ .impl_id = OTHER_IMPL_ID };
}

static int open(struct tee_context *ctx)
{
	ctx->data = own;
	return 0;
}

static void release(struct tee_context *ctx)
{
	ctx->data = NULL;
}

static const struct tee_driver_ops ops = {
	.get_version = get_version,
	.open = open,
	.release = release,
};

static const struct tee_desc desc = {
	.name = "other-clnt",
	.ops = &ops,
	.owner = THIS_MODULE,
};

static int __init othertee_init(void)
{
	int err;

	memset(own, 0x5a, sizeof(own));
	device = tee_device_alloc(&desc, NULL, NULL, own);
	if (IS_ERR(device))
		return PTR_ERR(device);
	err = tee_device_register(device);
	if (err)
		tee_device_unregister(device);
	return err;
}

static void __exit othertee_exit(void)
{
	tee_device_unregister(device);
}

module_init(othertee_init);
module_exit(othertee_exit);
MODULE_DESCRIPTION("Test: a TEE that is not OP-TEE");
MODULE_LICENSE("GPL");
